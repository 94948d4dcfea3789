"""HTTP/1.1 by the standard library: what pushes and pulls go over.

Knows no proxy. Names and authorities are checked as `requests` does: those of `certifi`, or of the
environment's own.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import weakref
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from io import BytesIO
from urllib.parse import urlsplit

from sopor.remote.address import ServerAddress
from sopor.remote.channels import Incoming, LimitOf, Outgoing, own_authorities
from sopor.remote.exchange import NoAnswer, Timeouts, read_at_most
from sopor_core import __version__

_USER_AGENT = f"sopor/{__version__}"
_PIECE_BYTES = 64 * 1024


class PlainChannel:
    """A `Channel` to a server that no proxy stands before."""

    def __init__(self, address: ServerAddress, timeouts: Timeouts) -> None:
        """Takes where to; connects with the first exchange."""
        parts = urlsplit(address.url)
        self._tls = parts.scheme == "https"
        self._host, self._port, self._base = parts.hostname or "", parts.port, parts.path
        self._loopback = address.loopback
        self._timeouts = timeouts
        self._context: ssl.SSLContext | None = None
        # What is in use is not in here, so that threads do not share a connection.
        self._idle: list[HTTPConnection] = []
        # Who forgets to close a repository leaves no connection behind, as with `requests`.
        weakref.finalize(self, _close_all, self._idle)

    def exchange(self, request: Outgoing, limit_of: LimitOf) -> Incoming:
        """Sends a request once and returns the whole answer; raises as `Channel` says."""
        connection: HTTPConnection | None = None
        try:
            connection = self._connected()
            _send(connection, self._base, request)
            answer = _receive(connection.getresponse(), limit_of)
        except (HTTPException, OSError, ValueError) as error:
            _close(connection)
            raise NoAnswer(error) from None
        except BaseException:
            _close(connection)
            raise
        if connection.sock is None:  # the server wants it closed
            _close(connection)
        else:
            self._idle.append(connection)
        return answer

    def _connected(self) -> HTTPConnection:
        while self._idle:
            kept = self._idle.pop()
            if not _was_dropped(kept.sock):
                return kept
            kept.close()
        made = self._new()
        made.connect()
        # From here on each piece that is sent or received has the time of reading.
        made.sock.settimeout(self._timeouts.read)
        return made

    def _new(self) -> HTTPConnection:
        wait = self._timeouts.connect
        if not self._tls:
            return HTTPConnection(self._host, self._port, timeout=wait, blocksize=_PIECE_BYTES)
        self._context = self._context or _tls_context(self._loopback)
        return HTTPSConnection(
            self._host, self._port, timeout=wait, blocksize=_PIECE_BYTES, context=self._context
        )

    def close(self) -> None:
        """Closes the connections; the next exchange opens another one."""
        _close_all(self._idle)


def _close_all(idle: list[HTTPConnection]) -> None:
    while idle:
        idle.pop().close()


def _send(connection: HTTPConnection, base: str, request: Outgoing) -> None:
    body = request.body
    connection.putrequest(request.method, base + request.path, skip_accept_encoding=True)
    connection.putheader("User-Agent", _USER_AGENT)
    for name, value in request.headers.items():
        connection.putheader(name, value)
    if body is not None or request.method != "GET":
        connection.putheader("Content-Length", str(len(body or b"")))
    # A short body goes out with the headers, a long one piece by piece: the time limit holds for
    # each sending, and on a slow line a long one could never be sent at once.
    short = body is None or len(body) <= _PIECE_BYTES
    connection.endheaders(body if short else BytesIO(body or b""))


def _receive(response: HTTPResponse, limit_of: LimitOf) -> Incoming:
    with response:
        headers = {name.lower(): value for name, value in response.getheaders()}
        body = read_at_most(headers, response.read, limit_of(response.status))
        if response.length:
            raise IncompleteRead(b"", response.length)
        return Incoming(response.status, headers, body)


def _close(connection: HTTPConnection | None) -> None:
    if connection is not None:
        connection.close()


def _was_dropped(sock: socket.socket) -> bool:
    """Tells whether the server has closed an idle connection: then there is something to read."""
    if not hasattr(select, "poll"):
        return bool(select.select([sock], [], [], 0)[0])
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def _tls_context(loopback: bool) -> ssl.SSLContext:
    own = None if loopback else own_authorities()
    if own is None:
        import certifi

        own = certifi.where()
    folder = os.path.isdir(own)  # noqa: PTH112 (pathlib is not needed otherwise)
    context = ssl.create_default_context(
        cafile=None if folder else own, capath=own if folder else None
    )
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
