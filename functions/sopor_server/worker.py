"""A gunicorn worker with threads that waits for nobody forever.

A request holds a thread from its first byte on, not earlier: connections that send nothing wait in
the main loop. Clients that dribble their headers or bodies could hold all threads; here each phase
has its time, and who is late is cut off.
"""

from __future__ import annotations

import os
import select
import selectors
import signal
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from types import FrameType

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADER_SECONDS = 20.0
BODY_SECONDS = 60.0
ANSWER_SECONDS = 600.0
SLOWEST_BYTES_A_SECOND = 16 * 1024
supervisor: int | None = None
"""A descriptor that is at its end when the process that started the server is gone."""


class ImpatientWorker(ThreadWorker):  # type: ignore[misc]
    """Cuts off connections whose headers, body or answer take too long."""

    wsgi: WSGIApplication

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **named)
        self._deadlines: dict[socket.socket, float] = {}
        self._quitting = False

    def load_wsgi(self) -> None:
        """Loads the application and notes when it has answered."""
        super().load_wsgi()
        self._application = self.wsgi
        self.wsgi = self._answer

    def init_signals(self) -> None:
        """Leaves SIGINT to the parent: a terminal sends it to both, and the parent SIGQUIT then."""
        super().init_signals()
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """Ends without waiting for anybody.

        Only flags are set here: the thread that a signal interrupts may hold a lock, so that a
        handler which takes one could wait for itself.
        """
        self._quitting = True
        self.handle_exit(sig, frame)

    def enqueue_req(self, conn: Any) -> None:  # noqa: ANN401
        """Gives a connection to a thread, a new one only when it has sent something."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + HEADER_SECONDS
        self.pending_conns.append(conn)
        readable = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, readable)

    def handle(self, conn: Any) -> Any:  # noqa: ANN401
        """Reads and answers the next request of a connection."""
        self._allow(conn.sock, HEADER_SECONDS)
        try:
            return super().handle(conn)
        finally:
            self._deadlines.pop(conn.sock, None)

    def handle_request(self, req: Any, conn: Any) -> Any:  # noqa: ANN401
        """Answers a request whose headers are read; the body is still to come."""
        lengths = [int(value) for name, value in req.headers if name.upper() == "CONTENT-LENGTH"]
        length = min(sum(lengths), ANSWER_SECONDS * SLOWEST_BYTES_A_SECOND)
        self._allow(conn.sock, BODY_SECONDS + length / SLOWEST_BYTES_A_SECOND)
        return super().handle_request(req, conn)

    def notify(self) -> None:
        """Runs about once a second: cuts off who is late, and everybody when quitting."""
        super().notify()
        if supervisor is not None and select.select([supervisor], [], [], 0)[0]:
            os.kill(self.ppid, signal.SIGTERM)
        now = time.monotonic()
        if not self.alive:
            self._forget(self.pending_conns)
        if self._quitting:
            self._forget(self.keepalived_conns)
            now = float("inf")
        for connection, deadline in list(self._deadlines.items()):
            if deadline < now:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer: Iterable[bytes] = self._application(environ, start_response)
        self._allow(environ["gunicorn.socket"], ANSWER_SECONDS)
        return answer

    def _forget(self, connections: Iterable[Any]) -> None:
        for connection in connections:
            connection.timeout = 0.0

    def _allow(self, connection: socket.socket, seconds: float) -> None:
        self._deadlines[connection] = time.monotonic() + seconds
