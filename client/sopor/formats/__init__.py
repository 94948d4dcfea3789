"""Reads and writes the file formats of Insomnia, from text to text; does no I/O."""
