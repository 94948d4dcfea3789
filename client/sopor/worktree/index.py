"""What the working copy remembers: the documents of the checked-out commit, and files seen clean.

The *baseline* says, for every document of the checked-out commit, its content id and the file in
which it was last seen. A *file row* remembers a file that need not be read again as long as its
stat stays the same; every file with documents in the baseline has one.

The index lives in the caller's SQLite database and in the caller's transactions: it never begins
or commits one. Faults of SQLite are left to the caller as they come.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, cast

from sopor.model.document import DocumentId
from sopor_core.ids import Cid

_TABLES = """
CREATE TABLE IF NOT EXISTS worktree_documents (
    id TEXT PRIMARY KEY, cid BLOB NOT NULL, path TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS worktree_documents_of_file ON worktree_documents (path);
CREATE TABLE IF NOT EXISTS worktree_local (
    id TEXT NOT NULL, path TEXT NOT NULL, PRIMARY KEY (path, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS worktree_files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL,
    inode INTEGER NOT NULL, moment INTEGER NOT NULL, digest TEXT NOT NULL, state TEXT NOT NULL,
    format TEXT NOT NULL, tree TEXT NOT NULL) WITHOUT ROWID;
"""


class Stat(NamedTuple):
    """What tells that a file was not written since: bytes, nanoseconds since 1970, inode."""

    size: int
    mtime: int
    ctime: int
    inode: int


NO_STAT = Stat(-1, 0, 0, 0)


class FileState(StrEnum):
    """What a file's content was when it was last seen."""

    CLEAN = "clean"
    """It equals the baseline."""
    DIRTY = "dirty"
    """It has baseline documents and differs, or nobody has looked yet."""
    FOREIGN = "foreign"
    """It is none of Insomnia's."""


class FileRow(NamedTuple):
    """A file as it was last seen.

    ``moment`` is the file system's clock before the content was read. That clock ticks coarsely: if
    the stat is as new as the moment, a later write within the same tick would not show, so the stat
    proves nothing and the content is read again. ``digest`` is the SHA-256 of the content in
    hexadecimal. ``format`` names the file's format; for a foreign file, all that were tried.
    ``tree`` is the id of the record of the tree of files that the file is in, if it is in one.
    """

    path: str
    stat: Stat
    moment: int
    digest: str
    state: FileState
    format: str
    tree: str = ""


class Entry(NamedTuple):
    """A document of the baseline: its content id, and the file in which it was last seen.

    For the record of a tree of files it is the tree's folder, with a slash at its end.
    """

    cid: Cid
    path: str


class SqliteFileIndex:
    """The baseline and the file rows of one working copy, in tables of their own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Takes the connection and makes the tables where they are missing."""
        self._connection = connection
        for statement in _TABLES.split(";"):
            connection.execute(statement)

    def trusted(self, state: FileState, formats: str = "") -> dict[str, Stat]:
        """Returns the stats of files of a state that need no second look while they stay the same.

        Args:
            state: clean or foreign.
            formats: for foreign files: the names of the formats that there are now. Files that were
                not tried with all of them are left out.
        """
        rows = self._connection.execute(
            "SELECT path, size, mtime, ctime, inode FROM worktree_files"
            " WHERE state = ? AND max(mtime, ctime) < moment AND (format = ? OR state = ?)",
            (state, formats, FileState.CLEAN),
        )
        return cast("dict[str, Stat]", {row[0]: row[1:] for row in rows})

    def rows_besides(self, settled: Container[str], others: Iterable[str]) -> dict[str, FileRow]:
        """Returns the rows of files that have to be looked at.

        Args:
            settled: files that `trusted` gave and that are as they were.
            others: files that `trusted` gave and that are not.
        """
        rows = self._connection.execute(
            "SELECT path, size, mtime, ctime, inode, moment, digest, state, format, tree"
            " FROM worktree_files WHERE NOT (state <> ? AND max(mtime, ctime) < moment)"
            " OR state = ? OR path IN (SELECT value FROM json_each(?))",
            (FileState.DIRTY, FileState.FOREIGN, json.dumps(list(others))),
        )
        return {row[0]: _row(row) for row in rows if row[0] not in settled}

    def files_of_tree(self, record: DocumentId) -> set[str]:
        """Returns the clean files that are in the tree of a record."""
        rows = self._connection.execute(
            "SELECT path FROM worktree_files WHERE tree = ? AND state = ?",
            (record, FileState.CLEAN),
        )
        return {path for (path,) in rows}

    def dirty(self) -> frozenset[str]:
        """Returns the files of Insomnia that were not equal to the baseline when last seen."""
        rows = self._connection.execute(
            "SELECT path FROM worktree_files WHERE state = ?", (FileState.DIRTY,)
        )
        return frozenset(path for (path,) in rows)

    def put_files(self, rows: Iterable[FileRow]) -> None:
        """Records files; one statement, so that it is whole even outside a transaction."""
        values = [(path, *stat, *rest) for path, stat, *rest in rows]
        if values:
            columns = ", ".join(f"json_extract(value, '$[{number}]')" for number in range(10))
            self._connection.execute(
                f"INSERT OR REPLACE INTO worktree_files SELECT {columns} FROM json_each(?)",  # noqa: S608
                (json.dumps(values),),
            )

    def forget_files(self, paths: Iterable[str]) -> None:
        """Drops file rows and the local documents known in these files."""
        listed = json.dumps(list(paths))
        for table in ("worktree_files", "worktree_local"):
            self._connection.execute(
                f"DELETE FROM {table} WHERE path IN (SELECT value FROM json_each(?))",  # noqa: S608
                (listed,),
            )

    def baseline(self) -> dict[DocumentId, Cid]:
        """Returns the content ids of all documents of the checked-out commit."""
        rows = self._connection.execute("SELECT id, cid FROM worktree_documents")
        return {DocumentId(name): Cid(cid) for name, cid in rows}

    def entries(self, ids: Iterable[DocumentId]) -> dict[DocumentId, Entry]:
        """Returns the baseline's entries for those of the ids that it has."""
        return self._entries("id", ids)

    def entries_in(self, paths: Iterable[str]) -> dict[DocumentId, Entry]:
        """Returns the baseline's documents that were last seen in these files."""
        return self._entries("path", paths)

    def _entries(self, column: str, values: Iterable[str]) -> dict[DocumentId, Entry]:
        rows = self._connection.execute(
            f"SELECT id, cid, path FROM worktree_documents WHERE {column}"  # noqa: S608
            " IN (SELECT value FROM json_each(?))",
            (json.dumps(list(values)),),
        )
        return {DocumentId(name): Entry(Cid(cid), path) for name, cid, path in rows}

    def trees(self) -> dict[DocumentId, Entry]:
        """Returns the baseline's records of trees of files."""
        rows = self._connection.execute(
            "SELECT id, cid, path FROM worktree_documents WHERE path GLOB '*/'"
        )
        return {DocumentId(name): Entry(Cid(cid), path) for name, cid, path in rows}

    def put_entries(self, entries: Mapping[DocumentId, Entry]) -> None:
        """Adds documents to the baseline or changes them."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO worktree_documents (id, cid, path) VALUES (?,?,?)",
            ((name, bytes(entry.cid), entry.path) for name, entry in entries.items()),
        )

    def move_entries(self, paths: Mapping[DocumentId, str]) -> None:
        """Notes in which files documents of the baseline were seen."""
        if paths:
            self._connection.execute(
                "UPDATE worktree_documents SET path = moved.value"
                " FROM json_each(?) AS moved WHERE worktree_documents.id = moved.key",
                (json.dumps(dict(paths)),),
            )

    def drop_entries(self, ids: Iterable[DocumentId]) -> None:
        """Takes documents out of the baseline."""
        self._connection.execute(
            "DELETE FROM worktree_documents WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )

    def local_files(self, ids: Iterable[DocumentId]) -> Iterator[tuple[DocumentId, str]]:
        """Yields those of the ids that were seen as local documents, each with its file."""
        rows = self._connection.execute(
            "SELECT id, path FROM worktree_local WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return ((DocumentId(name), path) for name, path in rows)

    def put_local(self, ids: Mapping[str, Iterable[DocumentId]]) -> None:
        """Notes which local documents lie in these files."""
        self._connection.execute(
            "DELETE FROM worktree_local WHERE path IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        pairs = [(path, name) for path, names in ids.items() for name in names]
        self._connection.execute(
            "INSERT OR REPLACE INTO worktree_local (path, id)"
            " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)",
            (json.dumps(pairs),),
        )


def _row(row: Sequence[Any]) -> FileRow:
    path, size, mtime, ctime, inode, moment, digest, state, name, tree = row
    stat = Stat(size, mtime, ctime, inode)
    return FileRow(path, stat, moment, digest, FileState(state), name, tree)
