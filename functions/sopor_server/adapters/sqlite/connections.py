"""Connections to one SQLite file, lent to one thread at a time, and their transactions.

WAL lets readers go on while one writes; ``synchronous = FULL`` makes a commit survive a loss of
power. Python's own transaction handling is switched off, since it begins transactions late.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from time import monotonic, sleep

from sopor_server.adapters.sqlite import schema
from sopor_server.ports.errors import StoreUnavailable

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
)
_RETRY_SECONDS = 0.01


class Connections:
    """Lends connections; as many exist as threads ever worked at the same moment."""

    def __init__(self, path: Path, busy_seconds: float = 30.0) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._lock = Lock()
        self._idle: list[sqlite3.Connection] = []
        self._inherited: list[sqlite3.Connection] = []
        self._process = os.getpid()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lends a connection that sees one moment of the database."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Lends a connection that alone may write; commits at the end, undoes at an error."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def own(self) -> sqlite3.Connection:
        """Opens a connection that is the caller's, to close as well; raises sqlite3.Error."""
        return self._open()

    def close(self) -> None:
        """Closes the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._take()
            try:
                connection.execute(begin)
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._give_back(connection)
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise
        except sqlite3.DatabaseError as error:
            raise StoreUnavailable(f"the database does not answer: {error}") from error

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._process != os.getpid():
                # A forked process may not touch, nor even close, what its parent opened.
                self._inherited, self._idle, self._process = self._idle, [], os.getpid()
            if self._idle:
                return self._idle.pop()
        return self._open()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            self._idle.append(connection)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Makes a connection ready, and the file where it is new.

        While others do the same to a new file, SQLite refuses the change to WAL without waiting.
        """
        deadline = monotonic() + self._busy_seconds
        while True:
            try:
                for pragma in _PRAGMAS:
                    connection.execute(pragma)
                schema.prepare(connection)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                    raise
                sleep(_RETRY_SECONDS)
            else:
                return
