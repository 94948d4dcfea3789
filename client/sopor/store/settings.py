"""Small named values of a working copy: its project, its remote, its preferences."""

from __future__ import annotations

from sopor.store.database import Database


class Settings:
    """A map from names to texts, in the database."""

    def __init__(self, database: Database) -> None:
        """Takes the database."""
        self._database = database

    def get(self, name: str) -> str | None:
        """Returns a value, or None."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT value FROM settings WHERE name = ?", (name,)
            ).fetchone()
        return row[0] if row else None

    def set(self, name: str, value: str | None) -> None:
        """Sets a value, or removes it."""
        with self._database.transaction() as connection:
            if value is None:
                connection.execute("DELETE FROM settings WHERE name = ?", (name,))
            else:
                connection.execute("INSERT OR REPLACE INTO settings VALUES (?,?)", (name, value))

    def all(self, prefix: str = "") -> dict[str, str]:
        """Returns every value whose name starts so."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT name, value FROM settings ORDER BY name").fetchall()
        return {name: value for name, value in rows if name.startswith(prefix)}
