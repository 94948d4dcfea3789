"""The metadata port on SQLite: the default for trying, for tests and for a small server."""

from sopor_server.adapters.sqlite.store import SqliteMetadataStore

__all__ = ["SqliteMetadataStore"]
