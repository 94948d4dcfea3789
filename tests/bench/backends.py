"""Servers for measuring events: `sopor-server` on SQLite, and the functions on emulators.

Each gives the address for clients and the process that holds the streams.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import emulators
from tests.support.functions import cloud_environment, running_function
from tests.support.server import running_server

_SETTINGS = {"SOPOR_LOGIN_RATE": "100000", "SOPOR_REQUEST_RATE": "1000000", "SOPOR_LOG": "warning"}


@dataclass
class Backend:
    """A running server: its address, and the process that serves streams."""

    url: str
    streaming: int


@contextmanager
def sqlite(folder: Path, **settings: str) -> Iterator[Backend]:
    """Runs `sopor-server`, whose second process serves streams."""
    with running_server(folder / "data", **_SETTINGS, **settings) as server:
        yield Backend(server.url, _newest_child(server.process.pid))


@contextmanager
def google(folder: Path, **settings: str) -> Iterator[Backend]:
    """Runs the functions `api` and `events` on Google's emulator of Firestore and on fake-gcs.

    Raises:
        MissingError: an emulator is not on this machine.
    """
    with ExitStack() as stack:
        addresses = []
        for command in (emulators.firestore_command, emulators.storage_command):
            port = emulators.unused_port()
            log = folder / f"{command.__name__}.log"
            running = emulators.running(command(port), port, log)
            addresses.append(stack.enter_context(running))
        port = emulators.unused_port()
        there = {"SOPOR_EVENTS_URL": f"http://127.0.0.1:{port}"}
        shared = cloud_environment(*addresses) | _SETTINGS | settings | there
        environment = shared | {"FUNCTION_USE_ASGI": "true"}
        events = running_function("events", environment, folder / "events.log", port)
        serving = stack.enter_context(events)
        api = stack.enter_context(running_function("api", shared, folder / "api.log"))
        yield Backend(api.url, _newest_child(serving.process.pid))


BACKENDS: dict[str, Callable[[Path], AbstractContextManager[Backend]]] = {
    "SQLite and files": sqlite,
    "Firestore and Cloud Storage, on emulators": google,
}


def _newest_child(process: int) -> int:
    """Returns the process that another one started last, or the latter if it started none."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()
    return max(map(int, children), default=process)


def resident_mib(process: int) -> float:
    """Returns how much memory a process holds now, in MiB."""
    pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
