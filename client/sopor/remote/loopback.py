"""Waits on this machine for the browser to come back from an issuer (RFC 8252, section 7.3).

It listens on 127.0.0.1 only, and takes one answer: the one with the state that only the issuer was
told. Everything else that knocks, such as a page that guesses the port, is sent away and changes
nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from threading import Thread
from types import TracebackType
from typing import ClassVar, Self, cast
from urllib.parse import parse_qsl, urlsplit

from sopor.errors import SignOnFailed

_HOST = "127.0.0.1"
_PATH = "/callback"
_IDLE_SECONDS = 10.0
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sopor</title></head>
<body style="font-family: sans-serif; max-width: 32em; margin: 4em auto">
<h1>{title}</h1><p>{text}</p></body></html>
"""
_DONE = _PAGE.format(
    title="Sopor has your answer",
    text="Go on in the terminal. You can close this page.",
)
_DENIED = _PAGE.format(
    title="You are not signed on",
    text="The terminal tells why. You can close this page.",
)
_STRANGE = _PAGE.format(
    title="This is not what Sopor waits for",
    text="Start again from the terminal. You can close this page.",
)


class LoopbackRedirect:
    """Listens for one redirect that has the right state."""

    def __init__(self, state: str, port: int = 0) -> None:
        """Begins to listen on a port, 0 for any; raises SignOnFailed if it is taken."""
        self._answers: Queue[Mapping[str, str]] = Queue()
        try:
            self._server = _Server(port, state, self._answers)
        except OSError as error:
            raise SignOnFailed(
                f"port {port} of this machine, to which the issuer answers, cannot be used "
                f"({error.strerror})",
                hint="end the program that uses it, then try again",
            ) from None
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def uri(self) -> str:
        """The address that the browser is sent back to."""
        return f"http://{_HOST}:{self._server.server_port}{_PATH}"

    def wait(self, seconds: float) -> Mapping[str, str]:
        """Returns what the issuer answered; raises SignOnFailed after so many seconds."""
        try:
            return self._answers.get(timeout=seconds)
        except Empty:
            raise SignOnFailed(
                f"nobody signed on within {seconds:g} seconds",
                hint="try again; --no-browser shows the address to open",
            ) from None

    def close(self) -> None:
        """Ends listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    # Browsers open connections that they never use: nobody waits for those.
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = False

    def __init__(self, port: int, state: str, answers: Queue[Mapping[str, str]]) -> None:
        self.state = state.encode("ascii")
        self.answers = answers
        super().__init__((_HOST, port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing of a connection that broke."""


class _Handler(BaseHTTPRequestHandler):
    timeout: ClassVar[float | None] = _IDLE_SECONDS

    def do_GET(self) -> None:
        """Takes the answer, or sends away."""
        where = urlsplit(self.path)
        if where.path != _PATH:
            self._send(404, _STRANGE)
            return
        server, answer = cast("_Server", self.server), dict(parse_qsl(where.query))
        right_state = hmac.compare_digest(answer.get("state", "").encode(), server.state)
        # Another name for this machine would mean that some page reaches it through its own.
        host = f"{_HOST}:{server.server_port}"
        if not right_state or self.headers.get("Host") != host:
            self._send(400, _STRANGE)
            return
        self._send(200, _DENIED if "error" in answer else _DONE)
        server.answers.put(answer)

    def _send(self, status: int, page: str) -> None:
        data = page.encode("utf-8")
        self.send_response_only(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Says nothing: the code would stand there."""
