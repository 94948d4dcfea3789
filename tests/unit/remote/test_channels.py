"""The ways to a server: which one is taken, when a connection is kept, whose certificates count."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from sopor.errors import ServerUnreachable
from sopor.remote import ServerAddress, Timeouts, Transport
from sopor.remote.channels import ChannelTo
from sopor.remote.connection import SessionChannel
from sopor.remote.plain import PlainChannel
from sopor.remote.retries import Retries
from sopor.remote.transport import Call
from sopor.remote.ways import channel_to
from sopor_core.wire.routes import Operation
from tests.support.google import HOST, certificate
from tests.support.scripted import Scripted, scripted_server
from tests.unit.remote.conftest import Clock

ASK = Call(Operation.HEALTH)
OK = Scripted(200, b"fine", "text/plain")
WAYS: dict[str, ChannelTo] = {"plain": PlainChannel, "requests": SessionChannel}


@pytest.fixture(params=WAYS)
def channel(request: pytest.FixtureRequest) -> ChannelTo:
    """Each way to a server in turn."""
    return WAYS[request.param]


class TerseServer:
    """Hangs up without a word after some answers, as servers do that wait no longer."""

    def __init__(self, answers: int) -> None:
        self.answers = answers
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.connections = 0
        self.ended = Event()

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.connections += 1
                with connection, connection.makefile("rb") as lines:
                    for _ in range(self.answers):
                        while lines.readline().strip():
                            pass
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")
                self.ended.set()


@contextmanager
def terse_server(answers: int) -> Iterator[TerseServer]:
    """Runs such a server for the length of a ``with`` block."""
    server = TerseServer(answers)
    thread = Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.socket.shutdown(socket.SHUT_RDWR)
        server.socket.close()
        thread.join()


def test_a_connection_is_kept_until_the_server_ends_it(clock: Clock, channel: ChannelTo) -> None:
    with terse_server(answers=2) as server:
        transport = Transport(ServerAddress.parse(server.url), sleep=clock.sleep, channel=channel)
        for number in range(1, 6):
            assert transport.call(ASK).body == b"fine"
            if number % 2 == 0:
                assert server.ended.wait(10)
                server.ended.clear()
        transport.close()
    assert server.connections == 3
    assert clock.waits == []


def test_a_certificate_has_to_be_from_an_authority_that_is_trusted(
    clock: Clock, channel: ChannelTo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def local(host: str, *more: Any, **named: Any) -> object:
        return known("127.0.0.1" if host == HOST else host, *more, **named)

    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    known = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", local)
    with scripted_server() as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority = certificate(tmp_path)
        context.load_cert_chain(authority)
        server.http.socket = context.wrap_socket(server.http.socket, server_side=True)
        address = ServerAddress.parse(f"https://{HOST}:{server.http.server_port}")
        server.script(OK, OK)
        for bundle, trusted in ((authority, True), (None, False)):
            monkeypatch.setenv("SSL_CERT_FILE", str(bundle or ""))
            transport = Transport(address, retries=Retries(0), sleep=clock.sleep, channel=channel)
            if trusted:
                assert transport.call(ASK).body == b"fine"
            else:
                with pytest.raises(ServerUnreachable, match="its certificate"):
                    transport.call(ASK)
            transport.close()


def test_requests_is_for_those_who_need_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    here, there = map(ServerAddress.parse, ("127.0.0.1:1", "https://sopor.invalid"))
    foreign = ServerAddress.parse("https://s\u00f6por.invalid")
    assert isinstance(channel_to(there, Timeouts()), PlainChannel)
    assert isinstance(channel_to(foreign, Timeouts()), SessionChannel)
    monkeypatch.setenv("no_proxy", "example.com")
    assert isinstance(channel_to(there, Timeouts()), PlainChannel)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert isinstance(channel_to(there, Timeouts()), SessionChannel)
    assert isinstance(channel_to(here, Timeouts()), PlainChannel)
