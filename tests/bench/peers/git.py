"""Plain git over smart HTTP: git-http-backend, no encryption."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.commands import Command
from tests.bench.peers import Kind, Run, environment_in, replay_by_commands
from tests.bench.proxy import CountingProxy, counting_proxy
from tests.bench.serving import serving

_CONFIG = {
    "user.name": "Ada",
    "user.email": "ada@example.com",
    "init.defaultBranch": "main",
    "pull.ff": "only",
    # Its own housekeeping would run behind the next measurement; without it git is faster.
    "gc.auto": "0",
    "maintenance.auto": "false",
}
_SERVED = {"http.receivepack": "true", "receive.autogc": "false"}


@dataclass(frozen=True)
class Git:
    """Git on two devices; the other peers that stand on git differ in a few methods."""

    proxy: CountingProxy
    run: Run
    served: Path
    laptop: Mapping[str, str]
    desktop: Mapping[str, str]

    def prepare(self, project: str) -> None:
        """Makes a bare repository."""
        path = self.served / f"{project}.git"
        subprocess.run(
            ["git", "init", "--quiet", "--bare", str(path)], env=dict(self.laptop), check=True
        )
        for name, value in _SERVED.items():
            subprocess.run(["git", "config", name, value], cwd=path, check=True)

    def address(self, project: str) -> str:
        """The address of a project."""
        return f"{self.proxy.url}/{project}.git"

    def publish(self, project: str, folder: Path) -> list[Command]:
        """Init, add, commit, push."""
        return [
            self.on_laptop(folder, "init", "--quiet"),
            *self.keep(folder, "Import"),
            self.on_laptop(folder, "remote", "add", "origin", self.address(project)),
            self.on_laptop(folder, "push", "--quiet", "--set-upstream", "origin", "main"),
        ]

    def keep(self, folder: Path, message: str) -> list[Command]:
        """Add and commit."""
        return [
            self.on_laptop(folder, "add", "--all"),
            self.on_laptop(folder, "commit", "--quiet", "--allow-empty", "-m", message),
        ]

    def send(self, project: str, folder: Path) -> list[Command]:
        """Push."""
        return [self.on_laptop(folder, "push", "--quiet")]

    def clone(self, project: str, folder: Path) -> list[Command]:
        """Clone."""
        return [
            self.on_desktop(folder.parent, "clone", "--quiet", self.address(project), str(folder))
        ]

    def pull(self, project: str, folder: Path) -> list[Command]:
        """Pull."""
        return [self.on_desktop(folder, "pull", "--quiet")]

    def look(self, project: str, folder: Path) -> list[Command]:
        """Pull again."""
        return self.pull(project, folder)

    def replay(self, project: str, folder: Path, commits: Iterable[str], every: int) -> None:
        """Commits by commands."""
        replay_by_commands(self, self.run, project, folder, commits, every)

    def on_laptop(self, folder: Path, *words: str) -> Command:
        """A command of git on the laptop."""
        return Command(("git", *words), folder, self.laptop)

    def on_desktop(self, folder: Path, *words: str) -> Command:
        """A command of git on the desktop."""
        return Command(("git", *words), folder, self.desktop)


def configure(environment: Mapping[str, str], config: Mapping[str, str]) -> None:
    """Writes settings into the home of an environment."""
    for name, value in config.items():
        subprocess.run(
            ["git", "config", "--global", name, value], env=dict(environment), check=True
        )


@contextmanager
def served_git(root: Path, run: Run, **more: str) -> Iterator[Git]:
    """Starts the server and makes two devices whose environments have ``more``."""
    served = root / "served"
    served.mkdir(parents=True)
    devices = [
        environment_in(root / name, GIT_CONFIG_NOSYSTEM="1", **more)
        for name in ("laptop", "desktop")
    ]
    for device in devices:
        configure(device, _CONFIG)
    with serving("git_http", served) as port, counting_proxy(port, root) as proxy:
        yield Git(proxy, run, served, *devices)


KIND = Kind("git", encrypted=False, slow=False, programs=("git",), opened=served_git)
