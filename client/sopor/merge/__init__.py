"""Merges documents three ways and keeps what conflicts; does no I/O."""
