"""git-crypt over smart HTTP: file contents encrypted one by one.

Its server sees names, history, and which contents are equal, so it is not counted among the
encrypted peers that goals compare with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.commands import Command
from tests.bench.peers import Kind, Run
from tests.bench.peers.git import Git, served_git

_ATTRIBUTES = "*.json filter=git-crypt diff=git-crypt"


class GitCrypt(Git):
    """Git with a filter on every document."""

    def publish(self, project: str, folder: Path) -> list[Command]:
        """Init, a key, add, commit, push."""
        init, *rest = super().publish(project, folder)
        crypt = [
            ("git-crypt", "init"),
            ("git-crypt", "export-key", str(self._key(project))),
            ("sh", "-c", f"echo '{_ATTRIBUTES}' > .gitattributes"),
        ]
        return [init, *(Command(words, folder, self.laptop) for words in crypt), *rest]

    def clone(self, project: str, folder: Path) -> list[Command]:
        """Clone and unlock."""
        unlock = ("git-crypt", "unlock", str(self._key(project)))
        return [*super().clone(project, folder), Command(unlock, folder, self.desktop)]

    def _key(self, project: str) -> Path:
        return self.served / f"{project}.key"


@contextmanager
def _opened(root: Path, run: Run) -> Iterator[GitCrypt]:
    with served_git(root, run) as git:
        yield GitCrypt(git.proxy, run, git.served, git.laptop, git.desktop)


KIND = Kind("git-crypt", encrypted=False, slow=True, programs=("git", "git-crypt"), opened=_opened)
