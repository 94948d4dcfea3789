"""What goes over the wire, and what happens when it does not arrive."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from sopor.errors import (
    RateLimited,
    ServerFault,
    ServerRefused,
    ServerUnreachable,
    Weather,
    exit_code,
)
from sopor.remote import ServerAddress, Transport
from sopor.remote.channels import ChannelTo
from sopor.remote.connection import SessionChannel
from sopor.remote.plain import PlainChannel
from sopor.remote.transport import Call
from sopor_core.errors import VerificationError
from sopor_core.wire.routes import Operation
from tests.support.scripted import Scripted, ScriptedServer
from tests.unit.remote.conftest import Clock

WAYS: dict[str, ChannelTo] = {"plain": PlainChannel, "requests": SessionChannel}
ASK = Call(Operation.HEALTH)
SEND = Call(Operation.PUSH, {"project": "p"}, body=b"entry", media_type="a/b", token="token")
OK = Scripted(200, b"fine", "text/plain")


@pytest.fixture(params=WAYS)
def channel(request: pytest.FixtureRequest) -> ChannelTo:
    """Each way to a server in turn."""
    return WAYS[request.param]


def test_a_request_carries_no_header_without_need(
    server: ScriptedServer, transport: Transport
) -> None:
    server.script(OK, Scripted(201))
    assert transport.call(ASK).body == b"fine"
    assert transport.call(SEND).status == 201
    asked, sent = server.seen
    assert set(asked.headers) == {"Host", "User-Agent"}
    assert set(sent.headers) == {
        "Host",
        "User-Agent",
        "Content-Type",
        "Content-Length",
        "Authorization",
    }
    assert asked.headers["User-Agent"] == "sopor/0.1.0"
    assert (sent.method, sent.path, sent.body) == ("POST", "/v1/projects/p/push", b"entry")
    assert sent.headers["Authorization"] == "Bearer token"
    traffic = transport.traffic
    assert (traffic.requests, traffic.sent, traffic.received) == (2, 5, 4)


def test_the_environment_changes_nothing_on_this_machine(
    server: ScriptedServer,
    transport: Transport,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password stolen\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.script(Scripted(201))
    transport.call(SEND)
    assert server.seen[0].headers["Authorization"] == "Bearer token"


def test_other_machines_are_reached_through_the_proxy(
    server: ScriptedServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    address = ServerAddress.parse("http://sopor.invalid", allow_plain_http=True)
    transport = Transport(address, sleep=clock.sleep)
    server.script(OK)
    assert transport.call(ASK).body == b"fine"
    transport.close()
    assert server.seen[0].path == "http://sopor.invalid/v1/health"


def test_no_server_on_this_machine_is_told_at_once(clock: Clock, channel: ChannelTo) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = ServerAddress.parse(f"127.0.0.1:{port}")
    transport = Transport(address, sleep=clock.sleep, channel=channel)
    with pytest.raises(ServerUnreachable) as refused:
        transport.call(ASK)
    assert refused.value.hint == "start it with `sopor serve`"
    assert exit_code(refused.value) == 8
    assert clock.waits == []


def test_a_lost_answer_is_asked_for_again_with_the_same_bytes(
    server: ScriptedServer, transport: Transport, clock: Clock
) -> None:
    server.script(Scripted(drop=True), Scripted(201, b"x", claim=5), Scripted(201))
    assert transport.call(SEND).status == 201
    assert [seen.body for seen in server.seen] == [b"entry"] * 3
    assert len(clock.waits) == 2


def test_what_may_not_be_repeated_is_sent_once(
    server: ScriptedServer, transport: Transport, clock: Clock
) -> None:
    once = Call(Operation.LOGIN, body=b"{}", repeatable=False)
    for answer in (Scripted(drop=True), Scripted(503), Scripted(429)):
        server.script(answer)
        with pytest.raises(Weather):
            transport.call(once)
    assert len(server.seen) == 3
    assert clock.waits == []


def test_a_busy_server_gets_a_few_tries_further_and_further_apart(
    server: ScriptedServer, transport: Transport, clock: Clock
) -> None:
    server.script(*[Scripted(503)] * 9)
    with pytest.raises(ServerFault):
        transport.call(ASK)
    assert len(server.seen) == 5
    assert len(clock.waits) == 4
    assert clock.waits[3] > clock.waits[0]


def test_the_server_says_how_long_to_wait(
    server: ScriptedServer, transport: Transport, clock: Clock
) -> None:
    server.script(Scripted(429, headers={"Retry-After": "7"}), OK)
    assert transport.call(ASK).status == 200
    assert clock.waits == [7.0]
    server.script(Scripted(429, headers={"Retry-After": "3600"}))
    with pytest.raises(RateLimited) as refused:
        transport.call(ASK)
    assert refused.value.retry_after == 3600
    assert clock.waits == [7.0]


def test_an_answer_is_read_no_further_than_allowed(
    server: ScriptedServer, transport: Transport
) -> None:
    server.script(Scripted(200, bytes(11)), Scripted(500, bytes(100_000)))
    for call in (Call(Operation.HEALTH, limit=10), ASK):
        with pytest.raises(VerificationError, match="larger than the") as refused:
            transport.call(call)
        assert refused.value.layer == "wire"


def test_a_compressed_answer_is_refused(server: ScriptedServer, transport: Transport) -> None:
    server.script(Scripted(200, b"x", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(VerificationError, match="compressed"):
        transport.call(ASK)


def test_no_redirect_is_followed(server: ScriptedServer, transport: Transport) -> None:
    server.script(Scripted(307, headers={"Location": "http://127.0.0.1:9/elsewhere"}))
    with pytest.raises(ServerRefused, match="redirect"):
        transport.call(SEND)
    assert len(server.seen) == 1


def test_an_error_names_neither_token_nor_body(
    server: ScriptedServer, transport: Transport
) -> None:
    secret = Call(
        Operation.LOGIN_REFRESH, body=b'{"refresh_token":"hush"}', token="hush", repeatable=False
    )
    for answer in (Scripted(drop=True), Scripted(400, b"{}", "application/problem+json")):
        server.script(answer)
        with pytest.raises((Weather, ServerRefused)) as refused:
            transport.call(secret)
        assert "hush" not in repr([refused.value, refused.value.hint, secret])
