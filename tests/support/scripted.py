"""A web server that answers what a test scripts, and remembers what it was asked.

with scripted_server() as server:
    server.script(Scripted(503), Scripted(200, b"{}"))
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.serving import serving


@dataclass(frozen=True)
class Scripted:
    """One answer; ``drop`` closes the connection instead, ``claim`` lies about its length.

    ``pieces`` are sent in place of a body, each as a chunk; with ``drop`` the end never comes.
    """

    status: int = 200
    body: bytes = b""
    media_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    claim: int | None = None
    pieces: Iterable[bytes] | None = None


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class ScriptedServer:
    """Answers in the order of the script, whatever is asked."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.answers: deque[Scripted] = deque()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def script(self, *answers: Scripted) -> None:
        """Adds answers to the script."""
        self.answers.extend(answers)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                server.seen.append(Seen(self.command, self.path, dict(self.headers.items()), body))
                answer = server.answers.popleft() if server.answers else Scripted(500)
                if answer.drop and answer.pieces is None:
                    self.close_connection = True
                    return
                self.send_response_only(answer.status)
                if answer.media_type:
                    self.send_header("Content-Type", answer.media_type)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.pieces is not None:
                    self.send_pieces(answer.pieces, whole=not answer.drop)
                    return
                length = len(answer.body) if answer.claim is None else answer.claim
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(answer.body)
                self.close_connection = self.close_connection or answer.claim is not None

            def send_pieces(self, pieces: Iterable[bytes], *, whole: bool) -> None:
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.close_connection = True
                with suppress(ConnectionError):
                    for piece in pieces:
                        self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                    if whole:
                        self.wfile.write(b"0\r\n\r\n")

            do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                """Says nothing."""

        return Handler


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    """Runs a scripted server for the length of a ``with`` block."""
    server = ScriptedServer()
    with serving(server.http):
        yield server
