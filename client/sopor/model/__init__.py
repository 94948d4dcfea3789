"""Describes documents, commits, states and branches as values; does no I/O."""
