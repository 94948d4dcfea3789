"""The connection of the feed: like a transport's, but that another thread can cut it at any time.

No redirect is followed and nothing is retried here: `sopor.remote.events.plan` decides that.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Lock

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import ConnectionPool, HTTPConnectionPool
from urllib3.exceptions import HTTPError, ReadTimeoutError

from sopor.errors import ServerUnreachable
from sopor.remote.address import ServerAddress
from sopor.remote.connection import lean_session
from sopor.remote.events.failures import Silence
from sopor.remote.exchange import NoAnswer, Timeouts

NETWORK_ERRORS = (requests.RequestException, HTTPError, OSError)
_Note = Callable[[socket.socket], None]


class Line:
    """A connection to one address, which `close` ends for good whoever waits on it."""

    def __init__(self, address: ServerAddress, timeouts: Timeouts) -> None:
        """Takes where to; connects with the first request."""
        self.address = address
        self._timeouts = timeouts
        self._lock = Lock()
        self._sockets: list[socket.socket] = []
        self._closed = False
        self._session = lean_session(address)
        for prefix in ("http://", "https://"):
            self._session.mount(prefix, _Noting(self._note))

    def get(self, path: str, headers: Mapping[str, str]) -> requests.Response:
        """Asks for something and returns when the answer's headers are there.

        Raises:
            ServerUnreachable: they do not come.
        """
        try:
            return self._session.get(
                self.address.url + path,
                headers=dict(headers),
                timeout=(self._timeouts.connect, self._timeouts.read),
                allow_redirects=False,
                stream=True,
            )
        except NETWORK_ERRORS as error:
            raise self.unreachable(error) from None

    def unreachable(self, error: Exception) -> ServerUnreachable:
        """Returns what a failure of the network means."""
        failure = NoAnswer(error)
        silent = isinstance(error, (requests.ReadTimeout, ReadTimeoutError, TimeoutError))
        return (Silence if silent else ServerUnreachable)(
            f"{self.address} cannot be reached ({failure.reason})", hint=failure.hint
        )

    def _note(self, sock: socket.socket) -> None:
        with self._lock:
            self._sockets.append(sock)
            closed = self._closed
        if closed:
            self._cut(sock)

    def close(self) -> None:
        """Ends the connection; for any thread, and as often as one likes."""
        with self._lock:
            self._closed = True
            sockets, self._sockets = self._sockets, []
        for sock in sockets:
            self._cut(sock)
        self._session.close()

    @staticmethod
    def _cut(sock: socket.socket) -> None:
        # Closing alone would leave a thread waiting that reads from it.
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Noting(HTTPAdapter):
    """Tells of each socket that it opens."""

    def __init__(self, note: _Note) -> None:
        self._note = note
        self._noted: ConnectionPool | None = None
        super().__init__(pool_connections=1, pool_maxsize=1)

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,
        proxies: Mapping[str, str] | None = None,
        cert: tuple[str, str] | str | None = None,
    ) -> ConnectionPool:
        pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
        if isinstance(pool, HTTPConnectionPool) and pool is not self._noted:
            self._noted = pool
            pool.ConnectionCls = _noting(pool.ConnectionCls, self._note)
        return pool


def _noting(kind: type, note: _Note) -> type:
    """Returns a class of connections that tell of their socket when it is connected."""

    class Noting(kind):  # type: ignore[misc]
        def connect(self) -> None:
            super().connect()
            note(self.sock)

    return Noting
