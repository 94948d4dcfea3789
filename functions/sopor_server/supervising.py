"""Runs the parts of a server, each in a process of its own, and ends them together."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from types import FrameType

_HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ORDERLY = {0, -signal.SIGINT, -signal.SIGTERM}
Part = Callable[[int], object]
"""Serves until SIGTERM; is given a descriptor that is at its end when this process is gone."""


def supervise(parts: Mapping[str, Part]) -> int:
    """Runs the parts until SIGTERM or SIGINT, or until one of them ends by itself.

    The others are ended then, and stderr tells which it was. Returns the exit code, 1 for that.
    """
    supervisor = _Supervisor()
    for name, part in parts.items():
        supervisor.start(name, part)
    return supervisor.wait()


class _Supervisor:
    def __init__(self) -> None:
        self._asked = False
        self._running: dict[int, str] = {}
        self._told: set[int] = set()
        # Nobody writes: what the parts read ends with the process that holds the other end.
        self._end, self._held = os.pipe()
        for number in _HANDLED:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._pass_on)

    def start(self, name: str, part: Part) -> None:
        """Starts a part; in its process this does not return."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        # A signal meanwhile waits: it is for a process that knows its part.
        signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
        pid = os.fork()
        if pid == 0:
            os.close(self._held)
            for number in _HANDLED:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
            part(self._end)
            sys.exit(0)
        self._running[pid] = name
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)

    def wait(self) -> int:
        """Returns when all parts have ended."""
        failed = False
        while self._running:
            pid, status = os.wait()
            name = self._running.pop(pid, None)
            code = os.waitstatus_to_exitcode(status)
            ending = self._asked or failed
            if name is not None and not (ending and code in _ORDERLY):
                failed = True
                sys.stderr.write(f"sopor-server: the process for {name} ended with {code}\n")
            self._end_all()
        return 1 if failed else 0

    def _pass_on(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True
        self._end_all()

    def _end_all(self) -> None:
        """Asks each once: who is asked again while it clears up may die of it."""
        for pid in self._running.keys() - self._told:
            self._told.add(pid)
            os.kill(pid, signal.SIGTERM)
