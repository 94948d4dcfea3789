"""Starts real server processes on the loopback interface.

    with running_server(tmp_path / "data", SOPOR_QUOTA_BYTES="1000") as server:
        requests.get(server.url + "/v1/meta")

A fixture for one server per test session is three lines, see `tests/api/conftest.py`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_READY = "listening on "


@dataclass
class RunningServer:
    """A server process: its address, its data folder, and the file that takes its stderr."""

    url: str
    data: Path
    log: Path
    process: subprocess.Popen[str]

    def stop(self) -> int:
        """Asks the server to end, as a service manager does; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def kill(self) -> None:
        """Ends the server and its workers at once, as a loss of power does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self._ended()

    def _ended(self) -> int:
        code = self.process.wait(timeout=60)
        if self.process.stdout:
            self.process.stdout.close()
        return code


def start_server(data: Path, port: int = 0, **settings: str) -> RunningServer:
    """Starts a server and returns when it listens; ``settings`` are environment variables."""
    log = data.with_name(f"{data.name}.log")
    environment = {name: value for name, value in os.environ.items() if name[:6] != "SOPOR_"}
    command = [sys.executable, "-m", "sopor_server", "--port", str(port), "--data", str(data)]
    with log.open("a", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            command,
            env={**environment, **settings},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith(_READY):
        process.wait(timeout=60)
        process.stdout.close()
        raise AssertionError(f"the server did not start: {log.read_text(encoding='utf-8')}")
    return RunningServer(line.removeprefix(_READY).strip(), data, log, process)


@contextmanager
def running_server(data: Path, **settings: str) -> Iterator[RunningServer]:
    """Runs a server for the length of a ``with`` block."""
    server = start_server(data, 0, **settings)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.send_signal(signal.SIGINT)
            server._ended()
