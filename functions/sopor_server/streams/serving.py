"""Serves the function `events` by uvicorn, on a socket that listens already."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
from contextlib import suppress
from pathlib import Path

import uvicorn
from functions_framework.aio import create_asgi_app
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

_SOURCE = Path(__file__).parents[1] / "entry.py"
HEADER_SECONDS = 20.0
_IDLE_SECONDS = 75
_STUCK_MILLISECONDS = 90_000
_GRACE_SECONDS = 5
_OTHER_CONNECTIONS = 500
_MOST_FILES = 65_536


class ImpatientProtocol(H11Protocol):
    """Cuts off connections on which the headers of a request take too long."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for a request."""
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        """Reads on, and waits no longer once a request is read."""
        if self._deadline is None and not self._is_answering():
            self._expect()
        super().data_received(data)
        if self._is_answering():
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits no longer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _expect(self) -> None:
        self._deadline = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def serve(listening: socket.socket, streams: int, supervisor: int) -> None:
    """Serves until SIGTERM or SIGINT, or until the descriptor ``supervisor`` is at its end."""
    _allow_files(streams)
    _give_up_on_the_stuck(listening)
    config = uvicorn.Config(
        create_asgi_app("events", str(_SOURCE), "http"),  # type: ignore[no-untyped-call]
        http=ImpatientProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        limit_concurrency=streams + _OTHER_CONNECTIONS,
        backlog=2048,
    )
    server = uvicorn.Server(config)

    def end(*_: object) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        # For signals before the server looks at them itself; and it raises once more what ended it.
        signal.signal(number, end)
    asyncio.run(_serve(server, listening, supervisor))


async def _serve(server: uvicorn.Server, listening: socket.socket, supervisor: int) -> None:
    def end() -> None:
        asyncio.get_running_loop().remove_reader(supervisor)
        os.kill(os.getpid(), signal.SIGTERM)

    asyncio.get_running_loop().add_reader(supervisor, end)
    await server.serve(sockets=[listening])


def _allow_files(streams: int) -> None:
    """Lets the process hold a connection for each stream; many systems begin with 1024 files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(max(soft, streams + 2 * _OTHER_CONNECTIONS), _MOST_FILES)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _give_up_on_the_stuck(listening: socket.socket) -> None:
    """Lets the system end connections whose other side is gone or takes nothing any more."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _STUCK_MILLISECONDS)
