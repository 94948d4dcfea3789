"""A `sopor watch` process of a test: what it tells, and waiting for it.

with watching(terminal, "--auto") as watch:
    terminal.replace("petstore.yaml", "old", "new")
    watch.wait("pushed")
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Thread
from typing import Any

from tests.support.terminal import Terminal
from tests.support.world import Device

_KEPT = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START", "LANG", "PATH", "PYTHONPATH")
_PATIENCE_SECONDS = 120


class Watching:
    """A running watch; nothing here depends on how long something takes."""

    def __init__(self, terminal: Terminal, options: str = "") -> None:
        self.terminal = terminal
        self.told: list[dict[str, Any]] = []
        self._news = Condition()
        self._ended = False
        # Under nohup the tests, and what they start, ignore a hang-up.
        before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        try:
            self.process = terminal.start(f"sopor watch --json {options}")
        finally:
            signal.signal(signal.SIGHUP, before)
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.told.append(json.loads(line))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def all(self, event: str, **about: Any) -> list[dict[str, Any]]:
        """Returns what it told so far of an event."""
        return [
            item for item in self.told if item["event"] == event and about.items() <= item.items()
        ]

    def wait(self, event: str, count: int = 1, **about: Any) -> dict[str, Any]:
        """Waits until it has told of an event so many times; returns the last one."""
        with self._news:
            come = self._news.wait_for(
                lambda: self._ended or len(self.all(event, **about)) >= count, _PATIENCE_SECONDS
            )
            found = self.all(event, **about)
        if not come or len(found) < count:
            raise AssertionError(f"no {event} {about} among {self.told}: {self._errors()}")
        return found[count - 1]

    def _errors(self) -> str:
        if not self._ended or self.process.stderr is None:
            return ""
        return self.process.stderr.read()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends it as a service manager does; returns the exit code."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Waits for its end; returns the exit code."""
        code = self.process.wait(_PATIENCE_SECONDS)
        self._thread.join(_PATIENCE_SECONDS)
        return code

    def close(self) -> None:
        """Kills it if it runs, and closes its streams."""
        self.process.kill()
        self.ended()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@contextmanager
def watching(terminal: Terminal, options: str = "") -> Iterator[Watching]:
    """Runs a watch for the length of a ``with`` block, from when it listens to the server."""
    watch = Watching(terminal, options)
    try:
        watch.wait("started")
        yield watch
    finally:
        watch.close()


def terminal_of(device: Device, project: str) -> Terminal:
    """Returns a terminal in a working copy of a device that was made through the library."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {"HOME": str(device.folder), "SOPOR_HOME": str(device.home), "TZ": "UTC"}
    return Terminal(device.folder / project, environment)
