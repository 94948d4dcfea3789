"""A hostile server made of an honest one: a proxy that alters what comes back.

with tampering_proxy(server.url) as proxy:
    proxy.tamper = lambda exchange: replace(exchange, body=b"...")
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.support.serving import serving

_PASSED_ON = ("Content-Type", "Authorization", "Range")


@dataclass(frozen=True)
class Exchange:
    """One request, and the honest server's answer to it."""

    method: str
    path: str
    sent: bytes
    status: int
    media_type: str | None
    body: bytes
    location: str | None = None

    @property
    def json(self) -> Any:
        """The answer's JSON."""
        return json.loads(self.body)

    def with_json(self, value: object) -> Exchange:
        """Returns the exchange with another JSON answer."""
        return replace(self, body=json.dumps(value).encode())


Tamper = Callable[[Exchange], "Exchange | None"]
"""Alters an answer; None loses it, after the honest server has done what it was asked."""


class TamperingProxy:
    """Passes everything on to an honest server; ``tamper`` alters the answers.

    ``rewrite`` replaces parts of the paths that are passed on.
    """

    def __init__(self, url: str) -> None:
        self.target = urlsplit(url).netloc
        self.tamper: Tamper = lambda exchange: exchange
        self.exchanges: list[Exchange] = []
        self.rewrite: dict[str, str] = {}
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def honest(self) -> None:
        """Stops tampering."""
        self.tamper = lambda exchange: exchange

    def asked(self) -> list[str]:
        """Returns what was asked so far, as ``METHOD path``."""
        return [f"{exchange.method} {exchange.path}" for exchange in self.exchanges]

    def _forward(self, method: str, path: str, sent: bytes, headers: dict[str, str]) -> Exchange:
        connection = HTTPConnection(self.target, timeout=60)
        target = path
        for old, new in self.rewrite.items():
            target = target.replace(old, new)
        try:
            connection.request(method, target, sent or None, headers)
            answer = connection.getresponse()
            body, media_type = answer.read(), answer.getheader("Content-Type")
            return Exchange(method, path, sent, answer.status, media_type, body)
        finally:
            connection.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # headers and body are two writes

            def handle_any(self) -> None:
                sent = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = {name: self.headers[name] for name in _PASSED_ON if self.headers[name]}
                exchange = proxy._forward(self.command, self.path, sent, headers)
                proxy.exchanges.append(exchange)
                answer = proxy.tamper(exchange)
                if answer is None:
                    self.close_connection = True
                    return
                self.send_response_only(answer.status)
                if answer.media_type:
                    self.send_header("Content-Type", answer.media_type)
                if answer.location is not None:
                    self.send_header("Location", answer.location)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                """Says nothing."""

        return Handler


@contextmanager
def tampering_proxy(url: str) -> Iterator[TamperingProxy]:
    """Runs a proxy for the length of a ``with`` block."""
    proxy = TamperingProxy(url)
    with serving(proxy.http):
        yield proxy
