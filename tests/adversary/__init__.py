"""The server lies."""
