"""The one SQLite file of a working copy: opening, schema, transactions, and what its faults mean.

Everything that a command changes is one transaction, begun with the write lock. Pack files are
written and synced before the transaction that names them (see `sopor.store.packs`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sopor.errors import Busy, DamagedStore, DiskFull, NotFound, SoporError

FORMAT = 1
_SCHEMA = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE packs (
    number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, size INTEGER NOT NULL,
    seq INTEGER);
CREATE TABLE objects (
    cid BLOB PRIMARY KEY, pack INTEGER NOT NULL REFERENCES packs, frame INTEGER NOT NULL,
    offset INTEGER NOT NULL, length INTEGER NOT NULL, depth INTEGER NOT NULL,
    published INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX objects_of_pack ON objects (pack);
CREATE TABLE commits (
    number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, parents BLOB NOT NULL, root BLOB NOT NULL,
    time INTEGER NOT NULL, seq INTEGER, same BLOB, data BLOB NOT NULL);
CREATE TABLE commit_packs (
    commit_id BLOB NOT NULL, number INTEGER NOT NULL REFERENCES packs,
    PRIMARY KEY (commit_id, number)) WITHOUT ROWID;
CREATE TABLE snapshots (commit_id BLOB PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE branches (name TEXT PRIMARY KEY, head BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE remote_branches (
    id BLOB PRIMARY KEY, name TEXT NOT NULL, head BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, op BLOB NOT NULL UNIQUE, data BLOB NOT NULL);
CREATE TABLE membership (seq INTEGER PRIMARY KEY, data BLOB NOT NULL);
"""
_FULL = ("database or disk is full", "disk I/O error", "unable to open", "readonly", "read-only")


class Database:
    """A connection to ``.sopor/sopor.db``; closes with its `with` block."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Takes an open connection; `create` and `open` are what callers use."""
        self.path = path
        self.connection = connection

    @classmethod
    def create(cls, path: Path) -> Database:
        """Creates the file with its tables; raises DiskFull."""
        with translated(path):
            connection = _connect(path, "rwc")
            connection.executescript(
                f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version={FORMAT};COMMIT;"
            )
        return cls(path, connection)

    @classmethod
    def open(cls, path: Path) -> Database:
        """Opens the file.

        Raises:
            NotFound: there is none.
            DamagedStore: it is not what this program writes, or of a newer version.
        """
        if not path.is_file():
            raise NotFound(
                f"{path} is missing", hint="this folder's .sopor is incomplete; clone it again"
            )
        with translated(path):
            connection = _connect(path, "rw")
            (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found != FORMAT:
            connection.close()
            newer = "upgrade sopor" if found > FORMAT else "clone the project again"
            raise DamagedStore(
                f"{path} has format {found}, this program reads {FORMAT}", hint=newer
            )
        return cls(path, connection)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Runs a block as one transaction; inside another one it belongs to that."""
        with translated(self.path):
            if self.connection.in_transaction:
                yield self.connection
                return
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
            except BaseException:
                self.connection.rollback()
                raise
            self.connection.commit()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Runs a block that only reads, with SQLite's faults translated."""
        with translated(self.path):
            yield self.connection

    def check(self) -> list[str]:
        """Returns what SQLite's own integrity check finds wrong; nothing if all is well."""
        with translated(self.path):
            rows = self.connection.execute("PRAGMA integrity_check").fetchall()
        return [text for (text,) in rows if text != "ok"]

    def close(self) -> None:
        """Closes the connection."""
        self.connection.close()


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=10
    )
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns SQLite's and the system's errors into ours, but for those of wrong use."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # a closed store, or one that another thread opened: nothing is damaged
    except sqlite3.Error as error:
        raise _translate(path, error) from error


def _translate(path: Path, error: sqlite3.Error) -> SoporError:
    text = str(error)
    if isinstance(error, sqlite3.OperationalError):
        if "locked" in text or "busy" in text:
            return Busy(
                "another sopor process works in this working copy", hint="wait for it to end"
            )
        if any(part in text for part in _FULL):
            return DiskFull(
                f"{path} cannot be written ({text})",
                hint="make space or give permission, then run the command again: nothing is lost",
            )
    return DamagedStore(
        f"{path} does not read back ({text})",
        hint="keep the folder; `sopor clone` to another one restores everything that was pushed",
    )
