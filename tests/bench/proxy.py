"""Counts what crosses the wire, alike for every peer: a TCP proxy in a process of its own.

Bytes are those of the connection with all headers, as the client sees it; requests are the request
lines of HTTP/1.x among them. Peers that do not speak HTTP have no requests. The counts are in a
file that both processes map, so that reading them costs the measured ones nothing.
"""

from __future__ import annotations

import mmap
import re
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread

_COUNTS = struct.Struct("=QQQ")
_CHUNK = 256 * 1024
_METHODS = rb"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)"
_REQUEST = re.compile(_METHODS + rb" /[^ \r\n]* HTTP/1\.[01]\r\n")
_LONGEST_REQUEST_LINE = 8192
_QUIET_SECONDS = 0.01


@dataclass(frozen=True)
class Crossed:
    """What crossed the wire: requests, bytes up and bytes down."""

    requests: int = 0
    up: int = 0
    down: int = 0

    @property
    def both(self) -> int:
        """The bytes of both ways."""
        return self.up + self.down

    def __sub__(self, other: Crossed) -> Crossed:
        return Crossed(self.requests - other.requests, self.up - other.up, self.down - other.down)


class CountingProxy:
    """The bench's end of a proxy: where it listens, and what crossed it so far."""

    def __init__(self, port: int, counts: mmap.mmap) -> None:
        self.port = port
        self._counts = counts

    @property
    def url(self) -> str:
        """The address for clients that speak HTTP."""
        return f"http://127.0.0.1:{self.port}"

    def crossed(self) -> Crossed:
        """Returns what crossed so far, once nothing crosses any more."""
        seen = self._now()
        while True:
            time.sleep(_QUIET_SECONDS)
            now = self._now()
            if now == seen:
                return now
            seen = now

    def _now(self) -> Crossed:
        return Crossed(*_COUNTS.unpack_from(self._counts))


@contextmanager
def counting_proxy(port: int, folder: Path) -> Iterator[CountingProxy]:
    """Runs a proxy before a port of this machine for the length of a ``with`` block."""
    path = folder / f"crossed-{port}"
    path.write_bytes(bytes(_COUNTS.size))
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, str(port), str(path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        with path.open("r+b") as file, mmap.mmap(file.fileno(), _COUNTS.size) as counts:
            yield CountingProxy(int(process.stdout.readline()), counts)
    finally:
        process.terminate()
        process.wait(timeout=60)
        process.stdout.close()


class _Proxy:
    """The proxy's own end."""

    def __init__(self, target: int, counts: mmap.mmap) -> None:
        self._target = target
        self._counts = counts
        self._lock = Lock()
        self._crossed = [0, 0, 0]

    def serve(self, listener: socket.socket) -> None:
        """Serves until the process is ended."""
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", self._target))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Thread(target=self._up, args=(client, server), daemon=True).start()
            Thread(target=self._down, args=(server, client), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        tail = b""
        for data in _pumped(client, server):
            text = tail + data
            found = list(_REQUEST.finditer(text))
            self._count(len(found), len(data), 0)
            rest = text[found[-1].end() :] if found else text
            tail = rest[-_LONGEST_REQUEST_LINE:]

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        for data in _pumped(server, client):
            self._count(0, 0, len(data))

    def _count(self, *more: int) -> None:
        with self._lock:
            self._crossed = [count + each for count, each in zip(self._crossed, more, strict=True)]
            _COUNTS.pack_into(self._counts, 0, *self._crossed)


def _pumped(source: socket.socket, sink: socket.socket) -> Iterator[bytes]:
    """Passes data on until the source ends, and yields it."""
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
            yield data
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def main(port: str, path: str) -> None:
    """Prints the port that it listens on, and serves."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    with Path(path).open("r+b") as file, mmap.mmap(file.fileno(), _COUNTS.size) as counts:
        print(listener.getsockname()[1], flush=True)
        _Proxy(int(port), counts).serve(listener)


if __name__ == "__main__":
    main(*sys.argv[1:])
