"""The local state of a working copy under ``.sopor``: SQLite for what is small, packs as files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from sqlite3 import Connection

from sopor.disk import PATIENCE_SECONDS, exclusive
from sopor.store.commits import Commits, NewCommit
from sopor.store.database import Database
from sopor.store.log import Log
from sopor.store.objects import Objects
from sopor.store.packs import PackFiles
from sopor.store.refs import Refs
from sopor.store.settings import Settings

__all__ = ["FOLDER", "NewCommit", "Store"]

FOLDER = ".sopor"


class Store:
    """Everything under ``.sopor``, opened together."""

    def __init__(self, folder: Path, database: Database) -> None:
        """Takes the ``.sopor`` folder and its open database."""
        self.folder = folder
        self.database = database
        self.settings = Settings(database)
        self.files = PackFiles(folder / "packs")
        self.objects = Objects(database, self.files)
        self.commits = Commits(database)
        self.refs = Refs(database, self.settings)
        self.log = Log(database)

    @classmethod
    def create(cls, folder: Path) -> Store:
        """Creates the folder's database; raises DiskFull."""
        return cls(folder, Database.create(folder / "sopor.db"))

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Opens the folder's database; raises NotFound or DamagedStore."""
        return cls(folder, Database.open(folder / "sopor.db"))

    def transaction(self) -> AbstractContextManager[Connection]:
        """Runs a block as one transaction."""
        return self.database.transaction()

    @contextmanager
    def exclusive(self, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
        """Keeps other processes from writing in this working copy meanwhile.

        Raises:
            Busy: another one was at work for all of ``patience`` seconds.
        """
        with exclusive(self.folder / "lock", "this working copy", patience):
            yield

    def close(self) -> None:
        """Closes the database."""
        self.database.close()
