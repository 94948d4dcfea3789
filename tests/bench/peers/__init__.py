"""The systems that are compared: each tells the commands of the same scenarios.

A kind of peer is opened in a folder of its own, where it starts its server and a counting proxy
before it, and makes two devices: the *laptop*, where a project begins, and the *desktop*, where it
is cloned. What a person would type is a `Command`; what happens once in a lifetime (accounts, keys,
an empty repository on the server) is done while opening or in `prepare`, and not measured.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.bench.commands import Command
from tests.bench.proxy import CountingProxy

Run = Callable[[Iterable[Command]], object]
"""Runs commands in turn, unmeasured."""


class Peer(Protocol):
    """An opened peer. Projects have names of letters and digits."""

    @property
    def proxy(self) -> CountingProxy:
        """What everything between its commands and its server goes through."""

    def prepare(self, project: str) -> None:
        """Does what the server's owner does before a project's first push."""

    def publish(self, project: str, folder: Path) -> list[Command]:
        """From working files to a pushed project with one commit."""

    def keep(self, folder: Path, message: str) -> list[Command]:
        """Keeps the edits of the working files on the laptop; nothing where only servers keep."""

    def send(self, project: str, folder: Path) -> list[Command]:
        """Brings what was kept to the server."""

    def clone(self, project: str, folder: Path) -> list[Command]:
        """Brings the newest state into a new folder on the desktop."""

    def pull(self, project: str, folder: Path) -> list[Command]:
        """Brings the newest state into that folder."""

    def look(self, project: str, folder: Path) -> list[Command]:
        """Asks whether there is something new, when there is nothing."""

    def replay(self, project: str, folder: Path, commits: Iterable[str], every: int) -> None:
        """Keeps one commit for each message, and sends after every so many of them.

        The working files are edited while the messages are taken.
        """


@dataclass(frozen=True)
class Kind:
    """A kind of peer: what it is called, whether its server is blind, and how to open it.

    Attributes:
        name: its name in tables.
        encrypted: whether the server can't read what it keeps.
        slow: whether its commits are made of a whole snapshot each, so that short runs skip some.
        programs: what must be on the machine.
        opened: opens one in a folder, given what runs commands.
    """

    name: str
    encrypted: bool
    slow: bool
    programs: tuple[str, ...]
    opened: Callable[[Path, Run], AbstractContextManager[Peer]]

    @property
    def missing(self) -> str | None:
        """The first program that is not on the machine."""
        return next((name for name in self.programs if not shutil.which(name)), None)


def replay_by_commands(
    peer: Peer, run: Run, project: str, folder: Path, commits: Iterable[str], every: int
) -> None:
    """Replays commits by the peer's own commands, see `Peer.replay`."""
    number = 0
    for number, message in enumerate(commits, 1):
        run(peer.keep(folder, message))
        if number % every == 0:
            run(peer.send(project, folder))
    if number % every:
        run(peer.send(project, folder))


def environment_in(home: Path, **more: str) -> Mapping[str, str]:
    """Returns an environment that knows nothing of the user's own settings."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": os.environ["PATH"],
        "TZ": "UTC",
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        **more,
    }
