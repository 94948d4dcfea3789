"""borg over a plain pipe through TCP: encrypted archives, no history of documents.

Borg speaks a protocol of its own through ssh; here without ssh, so that it is not charged with it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.commands import Command
from tests.bench.peers import Kind, Run, environment_in, replay_by_commands
from tests.bench.proxy import CountingProxy, counting_proxy
from tests.bench.serving import serving

_RSH = Path(__file__).parents[1] / "serving" / "borg_rsh.py"


@dataclass(frozen=True)
class Borg:
    """Borg on two devices; archives are numbered."""

    proxy: CountingProxy
    run: Run
    served: Path
    laptop: Mapping[str, str]
    desktop: Mapping[str, str]
    archives: Counter[str] = field(default_factory=Counter)

    def prepare(self, project: str) -> None:
        """Does nothing: borg makes its repositories."""

    def publish(self, project: str, folder: Path) -> list[Command]:
        """Init and create."""
        words = ("init", "--encryption", "repokey-blake2", self._address(project))
        return [self._command(folder, self.laptop, *words), *self.send(project, folder)]

    def keep(self, folder: Path, message: str) -> list[Command]:
        """Keeps nothing without a server."""
        return []

    def send(self, project: str, folder: Path) -> list[Command]:
        """Create."""
        self.archives[project] += 1
        return [self._command(folder, self.laptop, "create", self._newest(project), ".")]

    def clone(self, project: str, folder: Path) -> list[Command]:
        """Extract into a new folder."""
        make = Command(("mkdir", str(folder)), folder.parent, self.desktop)
        return [make, *self.pull(project, folder)]

    def pull(self, project: str, folder: Path) -> list[Command]:
        """Extract, which writes every file."""
        return [self._command(folder, self.desktop, "extract", self._newest(project))]

    def look(self, project: str, folder: Path) -> list[Command]:
        """The newest archive."""
        words = ("list", "--last", "1", self._address(project))
        return [self._command(folder, self.desktop, *words)]

    def replay(self, project: str, folder: Path, commits: Iterable[str], every: int) -> None:
        """Makes an archive after every so many commits."""
        replay_by_commands(self, self.run, project, folder, commits, every)

    def _address(self, project: str) -> str:
        return f"ssh://bench{self.served / project}"

    def _newest(self, project: str) -> str:
        return f"{self._address(project)}::{self.archives[project]}"

    def _command(self, folder: Path, device: Mapping[str, str], *words: str) -> Command:
        return Command(("borg", *words), folder, device)


@contextmanager
def _opened(root: Path, run: Run) -> Iterator[Borg]:
    served = root / "served"
    served.mkdir(parents=True)
    with serving("borg_tcp", served) as port, counting_proxy(port, root) as proxy:
        settings = {
            "BORG_PASSPHRASE": "correct horse battery staple",
            "BORG_RSH": f"{sys.executable} -I -S {_RSH} {proxy.port}",
            "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
        }
        laptop, desktop = (
            environment_in(root / name, **settings) for name in ("laptop", "desktop")
        )
        yield Borg(proxy, run, served, laptop, desktop)


KIND = Kind("borg", encrypted=True, slow=True, programs=("borg",), opened=_opened)
