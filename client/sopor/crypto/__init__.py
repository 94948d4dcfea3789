"""Seals and opens packs, wraps keys and stretches passwords; does no I/O."""
