"""Listens in on a connection: a proxy that passes bytes on untouched and keeps a copy of them.

with recording_proxy(server.url) as wire:
    ...  # a client of wire.url
    assert b"secret" not in wire.sent
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Lock, Thread
from urllib.parse import urlsplit

_CHUNK = 64 * 1024
_REQUEST_LINE = re.compile(rb"(?:GET|POST|PUT|DELETE) /v1/[^ \r\n]* HTTP/1\.1\r\n")


@dataclass(frozen=True)
class Crossed:
    """What crossed the wire: requests, and bytes with all headers."""

    requests: int
    up: int
    down: int


class RecordingProxy:
    """Passes connections on to a server; ``sent`` and ``received`` are the client's view."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._target = (target.hostname or "", target.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.sent = bytearray()
        self.received = bytearray()
        self._lock = Lock()
        self._open: list[socket.socket] = []
        self._deaf: set[socket.socket] = set()
        self._threads = [Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @contextmanager
    def measured(self) -> Iterator[list[Crossed]]:
        """Appends to its list what crossed during the block; the client must be the only one."""
        found: list[Crossed] = []
        up, down = len(self.sent), len(self.received)
        yield found
        requests = len(_REQUEST_LINE.findall(bytes(self.sent[up:])))
        found.append(Crossed(requests, len(self.sent) - up, len(self.received) - down))

    def deafen(self) -> None:
        """Lets the connections that are open now carry nothing any more, without a word."""
        self._deaf.update(self._open)

    def cut(self) -> None:
        """Closes the connections that are open now."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            self._open += [client, server]
            for source, sink, record in (
                (client, server, self.sent),
                (server, client, self.received),
            ):
                pump = Thread(target=self._pump, args=(source, sink, record), daemon=True)
                self._threads.append(pump)
                pump.start()

    def _pump(self, source: socket.socket, sink: socket.socket, record: bytearray) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if source in self._deaf:
                    continue
                with self._lock:
                    record += data
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Ends all connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join()
        for connection in self._open:
            connection.close()


@contextmanager
def recording_proxy(url: str) -> Iterator[RecordingProxy]:
    """Runs a recording proxy for the length of a ``with`` block."""
    proxy = RecordingProxy(url)
    try:
        yield proxy
    finally:
        proxy.close()
