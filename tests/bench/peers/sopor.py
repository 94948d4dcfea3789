"""Sopor with its server on SQLite and files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sopor.repository import Repository
from tests.bench.commands import Command
from tests.bench.peers import Kind, Run
from tests.bench.proxy import CountingProxy, counting_proxy
from tests.support.people import Person
from tests.support.server import running_server
from tests.support.terminal import SOPOR, Terminal

SETTINGS = {
    "SOPOR_LOGIN_RATE": "1000000",
    "SOPOR_REQUEST_RATE": "100000000",
    "SOPOR_QUOTA_BYTES": "0",
    "SOPOR_LOG": "warning",
}
"""A server that does not throttle; what is measured would be refused as abuse otherwise."""


@dataclass(frozen=True)
class Sopor:
    """Two devices of one account."""

    proxy: CountingProxy
    laptop: Terminal
    desktop: Terminal

    def prepare(self, project: str) -> None:
        """Does nothing: the first push makes a project."""

    def publish(self, project: str, folder: Path) -> list[Command]:
        """Init, commit, push."""
        return [
            self._on(self.laptop, folder, "init", "--name", project),
            *self.keep(folder, "Import"),
            *self.send(project, folder),
        ]

    def keep(self, folder: Path, message: str) -> list[Command]:
        """Commit."""
        return [self._on(self.laptop, folder, "commit", "-m", message)]

    def send(self, project: str, folder: Path) -> list[Command]:
        """Push."""
        return [self._on(self.laptop, folder, "push")]

    def clone(self, project: str, folder: Path) -> list[Command]:
        """Clone."""
        return [self._on(self.desktop, folder.parent, "clone", project, str(folder))]

    def pull(self, project: str, folder: Path) -> list[Command]:
        """Pull."""
        return [self._on(self.desktop, folder, "pull")]

    def look(self, project: str, folder: Path) -> list[Command]:
        """Pull again."""
        return self.pull(project, folder)

    def replay(self, project: str, folder: Path, commits: Iterable[str], every: int) -> None:
        """Commits and pushes by the library: the history is no part of what is measured."""
        with self.open(self.laptop, folder) as repository:
            number = 0
            for number, message in enumerate(commits, 1):
                repository.commit(message, allow_empty=True, allow_secrets=True)
                if number % every == 0:
                    repository.push()
            if number % every:
                repository.push()

    def open(self, device: Terminal, folder: Path) -> Repository:
        """Opens a working copy by the library."""
        return Repository.open(folder, home=Path(device.environment["SOPOR_HOME"]))

    def _on(self, device: Terminal, folder: Path, *words: str) -> Command:
        return Command((SOPOR, *words), folder, device.environment)


@contextmanager
def opened(root: Path, run: Run) -> Iterator[Sopor]:
    """Starts a server and registers an account with two devices."""
    root.mkdir(parents=True)
    with running_server(root / "data", **SETTINGS) as server, devices(root, server.url) as sopor:
        yield sopor


@contextmanager
def devices(root: Path, url: str) -> Iterator[Sopor]:
    """Registers an account with two devices at a server, through a counting proxy."""
    with counting_proxy(int(url.rpartition(":")[2]), root) as proxy:
        person = Person(root / "ada", proxy.url)
        yield Sopor(proxy, person.device("laptop"), person.device("desktop"))


KIND = Kind("sopor", encrypted=True, slow=False, programs=(), opened=opened)
