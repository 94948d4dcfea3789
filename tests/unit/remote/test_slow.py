"""Lines that are slow but alive: how long all of a body takes is nobody's business."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from threading import Thread

import pytest

from sopor.remote import Remote, ServerAddress, Session, Timeouts, Traffic, Transport
from sopor.remote.channels import ChannelTo
from sopor.remote.connection import SessionChannel
from sopor.remote.direct import Direct, UploadAddress
from sopor.remote.plain import PlainChannel
from sopor.remote.retries import Retries
from sopor.remote.session import MemoryTokens
from sopor_core.ids import DeviceId, PackId, ProjectId
from sopor_core.limits import MIB

BODY = bytes(8 * MIB)
PATIENCE = Timeouts(connect=0.5, read=30.0)


class SlowServer:
    """Reads a few kilobytes at a time, so that all of a body takes longer than the patience."""

    def __init__(self) -> None:
        self.socket = socket.socket()
        # Set before connections come, so that the system takes little of a body by itself.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen()
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.got = 0

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                with connection, suppress(OSError):
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(4096)
        left = len(BODY) - len(data.partition(b"\r\n\r\n")[2])
        assert f"content-length: {len(BODY)}".encode() in data.lower()
        while left > 0:
            # Half of it slowly: longer than the patience, while each piece is fast enough.
            if left > len(BODY) // 2:
                time.sleep(0.03)
            left -= len(connection.recv(min(left, 128 * 1024))) or left
        self.got = len(BODY)
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def slow() -> Iterator[SlowServer]:
    server = SlowServer()
    thread = Thread(target=server.serve)
    thread.start()
    yield server
    server.socket.shutdown(socket.SHUT_RDWR)
    server.socket.close()
    thread.join()


def test_a_large_pack_goes_over_a_slow_line(slow: SlowServer) -> None:
    direct = Direct(ServerAddress.parse(slow.url), Traffic(), PATIENCE, Retries(times=1))
    direct.put(UploadAddress(f"{slow.url}/pack", {}), BODY)
    direct.close()
    assert slow.got == len(BODY)


@pytest.mark.parametrize("channel", [PlainChannel, SessionChannel])
def test_so_does_what_goes_through_the_server(
    slow: SlowServer, monkeypatch: pytest.MonkeyPatch, channel: ChannelTo
) -> None:
    monkeypatch.setattr("sopor.remote.remote.MAX_SERVED_BYTES", len(BODY))
    address = ServerAddress.parse(slow.url)
    transport = Transport(address, timeouts=PATIENCE, retries=Retries(times=1), channel=channel)
    tokens = MemoryTokens()
    tokens.save("good-token", 1_000_000)
    session = Session(transport, DeviceId(bytes(16)), "refresh", tokens, lambda: 0)
    pack = PackId(sha256(BODY).digest())
    Remote(transport, session).put_pack(ProjectId(bytes(16)), pack, BODY)
    transport.close()
    assert slow.got == len(BODY)
