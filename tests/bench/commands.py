"""Commands of the peers, and what running them took: time, memory, bytes and requests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.proxy import Crossed

_SPAWNER = Path(__file__).with_name("spawner.py")


@dataclass(frozen=True)
class Command:
    """One process: its arguments, folder and whole environment."""

    arguments: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Used:
    """What commands used one after the other; the peak is that of the largest process."""

    seconds: float = 0.0
    processor_seconds: float = 0.0
    peak_kib: int = 0

    def __add__(self, other: Used) -> Used:
        return Used(
            self.seconds + other.seconds,
            self.processor_seconds + other.processor_seconds,
            max(self.peak_kib, other.peak_kib),
        )


@dataclass(frozen=True)
class Measured:
    """What a scenario used, and what crossed the wire meanwhile."""

    used: Used
    crossed: Crossed


class CommandFailed(Exception):
    """A command ended with another exit code than 0; the message has its output."""


class Spawner:
    """Runs commands in a small process of its own, see `tests.bench.spawner`."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_SPAWNER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, commands: Iterable[Command]) -> Used:
        """Runs commands in turn; raises CommandFailed."""
        used = Used()
        for command in commands:
            used += self._one(command)
        return used

    def said(self) -> str:
        """Returns what the last command wrote."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()

    def _one(self, command: Command) -> Used:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {
            "arguments": command.arguments,
            "folder": str(command.folder),
            "environment": dict(command.environment),
            "output": str(self._output),
        }
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if answer.pop("code"):
            raise CommandFailed(f"$ {' '.join(command.arguments)}\n{self.said()}")
        return Used(**answer)


@contextmanager
def spawning(folder: Path) -> Iterator[Spawner]:
    """Keeps a spawner for the length of a ``with`` block; its output goes to a file there."""
    spawner = Spawner(folder / "output.txt")
    try:
        yield spawner
    finally:
        spawner.close()
