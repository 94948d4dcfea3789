"""Branches: the local ones, and the remote ones as the verified log says they are."""

from __future__ import annotations

from sopor.errors import NotFound
from sopor.store.database import Database
from sopor.store.settings import Settings
from sopor_core.ids import BranchId, CommitId

DEFAULT_BRANCH = "main"
_CURRENT = "branch"


class Refs:
    """Names of commits."""

    def __init__(self, database: Database, settings: Settings) -> None:
        """Takes the database and the settings, which hold the current branch."""
        self._database = database
        self._settings = settings

    @property
    def current(self) -> str:
        """The branch that the working copy is on; it may have no commit yet."""
        return self._settings.get(_CURRENT) or DEFAULT_BRANCH

    def switch(self, name: str) -> None:
        """Makes another branch the current one."""
        self._settings.set(_CURRENT, name)

    @property
    def head(self) -> CommitId | None:
        """The commit of the current branch, or None before the first one."""
        return self.get(self.current)

    def get(self, name: str) -> CommitId | None:
        """Returns a local branch's commit, or None if there is no such branch."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT head FROM branches WHERE name = ?", (name,)).fetchone()
        return CommitId(row[0]) if row else None

    def require(self, name: str) -> CommitId:
        """Returns a local branch's commit; raises NotFound."""
        head = self.get(name)
        if head is None:
            raise NotFound(f"there is no branch {name!r}", hint="see `sopor branch`")
        return head

    def set(self, name: str, head: CommitId) -> None:
        """Creates or moves a local branch."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO branches VALUES (?,?)", (name, head))

    def delete(self, name: str) -> None:
        """Deletes a local branch."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM branches WHERE name = ?", (name,))

    def all(self) -> dict[str, CommitId]:
        """Returns the local branches in the order of their names."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT name, head FROM branches ORDER BY name").fetchall()
        return {name: CommitId(head) for name, head in rows}

    def remote_head(self, branch: BranchId) -> CommitId | None:
        """Returns where the log says that a remote branch is, or None."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT head FROM remote_branches WHERE id = ?", (branch,)
            ).fetchone()
        return CommitId(row[0]) if row else None

    def remote_name(self, branch: BranchId) -> str | None:
        """Returns a remote branch's name, or None."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT name FROM remote_branches WHERE id = ?", (branch,)
            ).fetchone()
        return row[0] if row else None

    def set_remote(self, branch: BranchId, name: str, head: CommitId) -> None:
        """Records what an entry did to a remote branch."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO remote_branches VALUES (?,?,?)", (branch, name, head)
            )

    def delete_remote(self, branch: BranchId) -> None:
        """Records that an entry deleted a remote branch."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM remote_branches WHERE id = ?", (branch,))

    def remotes(self) -> dict[str, CommitId]:
        """Returns the remote branches in the order of their names."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT name, head FROM remote_branches ORDER BY name"
            ).fetchall()
        return {name: CommitId(head) for name, head in rows}

    def remote_names(self) -> dict[BranchId, str]:
        """Returns the names of the remote branches."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT id, name FROM remote_branches").fetchall()
        return {BranchId(branch): name for branch, name in rows}
