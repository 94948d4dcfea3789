"""restic over its REST protocol: encrypted snapshots, no history of documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.commands import Command
from tests.bench.peers import Kind, Run, environment_in, replay_by_commands
from tests.bench.proxy import CountingProxy, counting_proxy
from tests.bench.serving import serving


@dataclass(frozen=True)
class Restic:
    """Restic on two devices, each with a cache."""

    proxy: CountingProxy
    run: Run
    laptop: Mapping[str, str]
    desktop: Mapping[str, str]

    def prepare(self, project: str) -> None:
        """Does nothing: restic makes its repositories."""

    def publish(self, project: str, folder: Path) -> list[Command]:
        """Init and backup."""
        init = self._command(project, folder, self.laptop, "init")
        return [init, *self.send(project, folder)]

    def keep(self, folder: Path, message: str) -> list[Command]:
        """Keeps nothing without a server."""
        return []

    def send(self, project: str, folder: Path) -> list[Command]:
        """Backup."""
        return [self._command(project, folder, self.laptop, "backup", "--quiet", ".")]

    def clone(self, project: str, folder: Path) -> list[Command]:
        """Restore."""
        words = ("restore", "--quiet", "latest", "--target", str(folder))
        return [self._command(project, folder.parent, self.desktop, *words)]

    def pull(self, project: str, folder: Path) -> list[Command]:
        """Restore again, which writes every file."""
        return self.clone(project, folder)

    def look(self, project: str, folder: Path) -> list[Command]:
        """The newest snapshot."""
        return [self._command(project, folder, self.desktop, "snapshots", "--latest", "1")]

    def replay(self, project: str, folder: Path, commits: Iterable[str], every: int) -> None:
        """Makes a snapshot after every so many commits."""
        replay_by_commands(self, self.run, project, folder, commits, every)

    def _command(
        self, project: str, folder: Path, device: Mapping[str, str], *words: str
    ) -> Command:
        repository = f"rest:{self.proxy.url}/{project}/"
        return Command(("restic", "--repo", repository, *words), folder, device)


@contextmanager
def _opened(root: Path, run: Run) -> Iterator[Restic]:
    served = root / "served"
    served.mkdir(parents=True)
    devices = [
        environment_in(root / name, RESTIC_PASSWORD="correct horse battery staple")
        for name in ("laptop", "desktop")
    ]
    with serving("restic_rest", served) as port, counting_proxy(port, root) as proxy:
        yield Restic(proxy, run, *devices)


KIND = Kind("restic", encrypted=True, slow=True, programs=("restic",), opened=_opened)
