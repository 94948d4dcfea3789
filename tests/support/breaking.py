"""A proxy between clients and a server that breaks streams of events in every way that it may.

with breaking_proxy(server.url, seed=1) as proxy:
    ...  # clients of proxy.url
    assert proxy.faults.total() > 100

It reads the streams and sends their events late, twice, once more long after, in another order, in
small pieces; cuts connections between events, within one and before the headers; and refuses
requests. Other requests it passes on, though it cuts some. What it changes nothing of is each
event by itself: lies are for `tests/adversary`.
"""

from __future__ import annotations

import json
import random
import socket
import struct
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from urllib.parse import urlsplit

from sopor_core.wire.events import STREAM_TYPE
from tests.support.serving import serving

_FIRST_SHARE = 0.04
"""How many streams are refused or cut before anything comes; clients wait longer after these."""
_SHARE = 0.7
"""How many of the events are broken."""
_OTHER_SHARE = 0.01
_HELD_SECONDS = 0.03
_KEPT = 8
_RESET = struct.pack("ii", 1, 0)
_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class BreakingProxy:
    """Passes requests on to a server, and breaks what it may."""

    def __init__(self, url: str, seed: int) -> None:
        self._target = urlsplit(url).netloc
        self._events = ""
        self._drawn = random.Random(seed)
        self._lock = Lock()
        self.faults: Counter[str] = Counter()
        self.is_breaking = True
        self.streams = 0
        self.most_streams = 0
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def draw(self, share: float, *faults: str) -> str:
        """Returns a fault that is to happen now, or the empty text."""
        with self._lock:
            if not self.is_breaking or self._drawn.random() >= share:
                return ""
            fault = self._drawn.choice(faults)
            self.faults[fault] += 1
            return fault

    def below(self, most: int) -> int:
        """Returns a random number from 0 to below ``most``."""
        with self._lock:
            return self._drawn.randrange(most)

    def count(self, change: int) -> None:
        """Notes that a stream begins or ends."""
        with self._lock:
            self.streams += change
            self.most_streams = max(self.most_streams, self.streams)

    def target(self, *, stream: bool) -> str:
        """Returns where a request goes."""
        return self._events if stream and self._events else self._target

    def rewritten(self, body: bytes) -> bytes:
        """Returns what the server says of itself, with the proxy as the place of streams."""
        meta = json.loads(body)
        host = self._target.rpartition(":")[0]
        self._events = f"{host}:{meta['events']['port']}"
        meta["events"]["port"] = self.http.server_port
        return json.dumps(meta).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(_Handler):
            pass

        Handler.proxy = proxy
        return Handler


class _Cut(Exception):
    """Says that the connection to the client ends here."""


class _Handler(BaseHTTPRequestHandler):
    """Handles one connection of a client."""

    proxy: BreakingProxy
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        """Passes one request on."""
        self.close_connection = True
        is_stream = STREAM_TYPE in self.headers.get("Accept", "")
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        upstream = HTTPConnection(self.proxy.target(stream=is_stream), timeout=120)
        try:
            self._refuse_some(is_stream)
            upstream.request(self.command, self.path, body or None, dict(self.headers.items()))
            answer = upstream.getresponse()
            if is_stream and answer.status == 200:
                self._stream(upstream, answer)
            else:
                self._pass_on(answer)
        except _Cut:
            self._reset()
        except (OSError, HTTPException):
            return
        finally:
            _end(upstream)

    do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Says nothing."""

    def _refuse_some(self, is_stream: bool) -> None:
        share = _FIRST_SHARE if is_stream else _OTHER_SHARE
        if self.command != "GET":
            return
        fault = self.proxy.draw(share, "cut before the headers", "refused")
        if fault == "refused":
            self.send_error(503)
        if fault:
            raise _Cut

    def _reset(self) -> None:
        """Closes with a reset, as machines that go away do, or in order."""
        if self.proxy.below(2):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.connection.close()

    def _pass_on(self, answer: HTTPResponse) -> None:
        body = answer.read()
        if self.path == "/v1/meta" and answer.status == 200:
            body = self.proxy.rewritten(body)
        self._head(answer)
        if answer.status not in {204, 304}:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET" and self.proxy.draw(_OTHER_SHARE, "cut within an answer"):
            self.wfile.write(body[: self.proxy.below(len(body) + 1)])
            raise _Cut
        self.wfile.write(body)

    def _head(self, answer: HTTPResponse) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, value)

    # --------------------------------------------------------------------------------- streams

    def _stream(self, upstream: HTTPConnection, answer: HTTPResponse) -> None:
        self._head(answer)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        blocks: SimpleQueue[bytes] = SimpleQueue()
        reader = Thread(target=_read, args=(answer, blocks), daemon=True)
        reader.start()
        self.proxy.count(1)
        try:
            self._relay(blocks)
        finally:
            self.proxy.count(-1)
            _end(upstream)
            reader.join()

    def _relay(self, blocks: SimpleQueue[bytes]) -> None:
        """Sends events on until the stream ends; the empty one is its end."""
        before: deque[bytes] = deque(maxlen=_KEPT)
        held: list[bytes] = []
        while True:
            try:
                block = blocks.get(timeout=_HELD_SECONDS if held else None)
            except Empty:
                self._send(held.pop(0))
                continue
            if not block:
                self._send(*held)
                self.wfile.write(b"0\r\n\r\n")
                return
            if not block.startswith(b"id:"):
                self._send(block)
                continue
            self._break(block, held, before)
            before.append(block)

    def _break(self, block: bytes, held: list[bytes], before: deque[bytes]) -> None:
        """Sends an event in one of many ways."""
        kinds = ("cut before an event", "cut within an event", "cut after an event")
        others = ("held back", "twice", "an old one again", "in another order", "in small pieces")
        fault = self.proxy.draw(_SHARE, *kinds, *others)
        if fault in {"held back", "in another order"}:
            held.append(block)
            if fault == "in another order":
                held.reverse()
            return
        if fault == "cut before an event":
            raise _Cut
        if fault == "cut within an event":
            self._send(block[: self.proxy.below(len(block))])
            raise _Cut
        if fault == "an old one again" and before:
            self._send(before[self.proxy.below(len(before))])
        if fault == "in small pieces":
            size = 1 + self.proxy.below(len(block))
            self._send(*(block[at : at + size] for at in range(0, len(block), size)))
        else:
            self._send(*[block] * (2 if fault == "twice" else 1))
        # What was held back comes after what came later.
        while held:
            self._send(held.pop(0))
        if fault == "cut after an event":
            raise _Cut

    def _send(self, *pieces: bytes) -> None:
        for piece in pieces:
            if piece:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))


def _read(answer: HTTPResponse, blocks: SimpleQueue[bytes]) -> None:
    """Reads a stream and gives its events one by one, in the end an empty one."""
    kept = b""
    with suppress(OSError, HTTPException, ValueError, AttributeError):
        while piece := answer.read1(65536):
            *whole, kept = (kept + piece).split(b"\n\n")
            for block in whole:
                blocks.put(block + b"\n\n")
    blocks.put(b"")


def _end(connection: HTTPConnection) -> None:
    """Ends a connection that another thread may be reading."""
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextmanager
def breaking_proxy(url: str, seed: int) -> Iterator[BreakingProxy]:
    """Runs a breaking proxy for the length of a ``with`` block."""
    proxy = BreakingProxy(url, seed)
    with serving(proxy.http):
        yield proxy
