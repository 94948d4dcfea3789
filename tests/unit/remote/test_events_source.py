"""What is asked of a server for events, and what a hostile one gets with its answers."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from itertools import repeat
from threading import Event, Thread
from typing import Any

import pytest

from sopor.errors import (
    NotFound,
    RateLimited,
    ServerFault,
    ServerRefused,
    ServerUnreachable,
    SessionExpired,
    SoporError,
)
from sopor.remote import Remote, ServerAddress, Timeouts
from sopor.remote.events.failures import NoStream, Silence
from sopor.remote.events.messages import (
    MAX_LINE_BYTES,
    Beat,
    Farewell,
    Message,
    News,
    Notes,
    Pace,
)
from sopor.remote.events.offer import Offer
from sopor.remote.events.source import EventSource
from sopor.remote.presence import RemoteNote
from sopor_core.encoding import b64encode
from sopor_core.errors import VerificationError
from sopor_core.ids import AccountId, DeviceId, ProjectId
from sopor_core.wire.events import Bye, Cursor, Place
from sopor_core.wire.parts import Part, PartKind, join_parts
from tests.support.scripted import Scripted, ScriptedServer, scripted_server

PROJECT = ProjectId(bytes(16))
OTHER = ProjectId(b"o" * 16)
AFTER = Cursor({PROJECT: Place(3, 1)})
STREAM = Scripted(media_type="text/event-stream; charset=utf-8")
JSON = Scripted(media_type="application/json")
EMPTY = {"head": [0, b64encode(bytes(32))], "members": [0, b64encode(bytes(32))], "more": False}
SHORT = Timeouts(connect=5.0, read=0.2)


def parts(control: dict[str, Any] | None = None, *more: Part) -> str:
    text = json.dumps(control or EMPTY).encode()
    return b64encode(join_parts([Part(PartKind.CONTROL, text), *more]))


def news(**changes: Any) -> dict[str, Any]:
    return {"project": PROJECT.b64, "seq": 3, "members": 1, "parts": parts()} | changes


def told(event: str, data: object, cursor: str = str(AFTER)) -> bytes:
    text = data if isinstance(data, str) else json.dumps(data)
    return f"event: {event}\nid: {cursor}\ndata: {text}\n\n".encode()


def streamed(*pieces: bytes) -> Scripted:
    return replace(STREAM, pieces=pieces)


def polled(**changes: Any) -> Scripted:
    body = {"cursor": str(AFTER), "events": [], "more": False, "wait": 5} | changes
    return replace(JSON, body=json.dumps(body).encode(), headers={"ETag": '"t1"'})


@pytest.fixture
def source(remote: Remote) -> Iterator[EventSource]:
    made = EventSource(remote)
    yield made
    made.close()


def messages(source: EventSource) -> list[Message]:
    with source.stream(AFTER) as stream:
        return list(stream)


# --------------------------------------------------------------------------------------- streams


def test_a_stream_gives_messages_as_they_come(server: ScriptedServer, source: EventSource) -> None:
    server.script(
        streamed(
            b"retry: 1500\n\n: ready\n\n" + told("news", news())[:40],
            told("news", news())[40:],
            told("presence", {"project": PROJECT.b64, "presence": []}),
            told("tomorrow", "what nobody knows today"),
            told("bye", {"reason": "quiet", "wait": 7}),
            told("bye", {"reason": "tired"}),
        )
    )
    found = messages(source)
    assert found[:2] == [Pace(1.5), Beat()]
    assert isinstance(found[2], News)
    assert found[3:] == [Notes(PROJECT, ()), Beat(), Farewell(Bye.QUIET, 7.0), Farewell(None, 0.0)]
    (seen,) = server.seen
    assert seen.path == f"/v1/events?projects={PROJECT.b64}&after={AFTER}"
    assert seen.headers["Accept"] == "text/event-stream"
    assert seen.headers["Authorization"] == "Bearer good-token"
    assert "Last-Event-ID" not in seen.headers


def test_who_is_present_is_asked_for_in_streams_only(
    server: ScriptedServer, remote: Remote
) -> None:
    account, device = AccountId.random(), DeviceId.random()
    note = {"account": account.b64, "device": device.b64, "sealed": b64encode(b"x"), "expires": 1}
    event = told("presence", {"project": PROJECT.b64, "presence": [note]})
    server.script(streamed(event), polled())
    source = EventSource(remote, presence=True)
    assert messages(source) == [Notes(PROJECT, (RemoteNote(account, device, b"x"),))]
    source.poll(AFTER)
    source.close()
    paths = [seen.path for seen in server.seen]
    assert [path.endswith("&presence=1") for path in paths] == [True, False]


@pytest.mark.parametrize(
    "event",
    [
        told("news", "{"),
        told("news", [1]),
        told("news", news(parts="*" * 8)),
        told("news", news(parts=b64encode(b"\x01\x00\x00\xff\xff"))),
        told("news", news(parts=b64encode(b"\x09\x00\x00\x00\x00"))),
        told("news", news(parts="")),
        told("news", news(parts=parts({"head": "here"}))),
        told("news", news(parts=parts(None, Part(PartKind.PACK, b"p")))),
        told("news", news(parts=parts(None, Part(PartKind.PUSH_ENTRY, bytes(3 * 1024 * 1024))))),
        told("news", news(project=OTHER.b64)),
        told("news", news(project="?")),
        told("news", news(seq=-1)),
        told("news", news(members=True)),
        told("news", news(), cursor="nowhere"),
        told("news", news(), cursor=",".join([str(AFTER)] * 2)),
        told("news", '{"project":1,"project":2}'),
        told("presence", {"project": OTHER.b64, "presence": []}),
        told("presence", {"project": PROJECT.b64, "presence": [{"account": "x"}]}),
        told("presence", {"project": PROJECT.b64, "presence": [{}] * 201}),
        told("presence", {"project": PROJECT.b64}),
        told("bye", {"reason": 5}),
        told("bye", {"reason": "quiet", "wait": -1}),
        told("bye", "null"),
        b"event: \xff\xff\n",
        b":" * (MAX_LINE_BYTES + 1),
    ],
)
def test_what_is_out_of_shape_is_refused_as_such(
    server: ScriptedServer, source: EventSource, event: bytes
) -> None:
    server.script(streamed(b": ready\n\n", event, told("bye", {"reason": "quiet"})))
    with pytest.raises(VerificationError) as caught:
        messages(source)
    assert caught.value.layer == "wire"


def test_an_endless_line_ends(server: ScriptedServer, source: EventSource) -> None:
    server.script(replace(STREAM, pieces=repeat(b"data: " + b"a" * 1_000_000)))
    with pytest.raises(VerificationError, match="line longer than allowed"):
        messages(source)


def test_an_endless_event_ends(server: ScriptedServer, source: EventSource) -> None:
    server.script(replace(STREAM, pieces=repeat(b"data: " + b"a" * 1_000_000 + b"\n")))
    with pytest.raises(VerificationError, match="event larger than allowed"):
        messages(source)


def test_what_is_cut_off_in_the_middle_is_no_event(
    server: ScriptedServer, source: EventSource
) -> None:
    server.script(streamed(told("news", news())[:-1]))
    assert messages(source) == []
    server.script(replace(STREAM, pieces=[told("news", news())[:-1]], drop=True))
    with pytest.raises(ServerUnreachable, match="the connection broke"):
        messages(source)


@pytest.mark.parametrize(
    "answer",
    [
        Scripted(media_type="text/html", body=b"<h1>log in</h1>"),
        Scripted(body=b"data: a\n\n"),
        replace(STREAM, headers={"Content-Encoding": "gzip"}, body=b"data: a\n\n"),
        Scripted(204),
        Scripted(302, headers={"Location": "/v1/events"}),
        Scripted(307, headers={"Location": "http://127.0.0.1:1/"}),
    ],
)
def test_something_else_than_a_stream_is_told_from_one(
    server: ScriptedServer, source: EventSource, answer: Scripted
) -> None:
    server.script(answer)
    with pytest.raises(NoStream):
        messages(source)
    assert len(server.seen) == 1


def test_a_redirect_is_never_followed(server: ScriptedServer, source: EventSource) -> None:
    with scripted_server() as elsewhere:
        server.script(*[Scripted(307, headers={"Location": elsewhere.url + "/v1/events"})] * 2)
        with pytest.raises(NoStream):
            messages(source)
        with pytest.raises(ServerRefused, match="redirect"):
            source.poll(AFTER)
        assert elsewhere.seen == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Scripted(429, headers={"Retry-After": "9"}), RateLimited),
        (Scripted(503, headers={"Retry-After": "9"}), ServerFault),
        (Scripted(404), NotFound),
        (Scripted(400), ServerRefused),
        (Scripted(drop=True), ServerUnreachable),
    ],
)
def test_refusals_are_errors_of_their_own_and_not_tried_again(
    server: ScriptedServer, source: EventSource, answer: Scripted, expected: type[SoporError]
) -> None:
    for ask in (lambda: source.stream(AFTER), lambda: source.poll(AFTER)):
        server.script(answer)
        with pytest.raises(expected) as caught:
            ask()
        assert getattr(caught.value, "retry_after", None) == (9.0 if answer.headers else None)
    assert len(server.seen) == 2


def test_a_token_that_ended_is_renewed_once(server: ScriptedServer, source: EventSource) -> None:
    fresh = replace(JSON, body=b'{"access_token": "fresh", "expires_in": 900}')
    server.script(Scripted(401), fresh, streamed(b": ready\n\n"))
    assert messages(source) == [Beat()]
    assert server.seen[-1].headers["Authorization"] == "Bearer fresh"
    server.script(Scripted(401), fresh, Scripted(401))
    with pytest.raises(SessionExpired):
        messages(source)


def test_a_revoked_device_asks_for_no_token(server: ScriptedServer, source: EventSource) -> None:
    revoked = b'{"code": "device-revoked", "detail": "gone"}'
    server.script(Scripted(401, revoked, "application/problem+json"))
    with pytest.raises(SessionExpired, match="this device was revoked"):
        messages(source)
    assert len(server.seen) == 1


def _held(pieces: list[bytes], over: Event) -> Iterator[bytes]:
    yield from pieces
    over.wait(30)


@pytest.mark.parametrize("pieces", [[], [b": ready\n\n"]])
def test_silence_is_told_from_a_break(
    server: ScriptedServer, remote: Remote, pieces: list[bytes]
) -> None:
    over = Event()
    server.script(replace(STREAM, pieces=_held(pieces, over)))
    source = EventSource(remote, SHORT)
    with pytest.raises(Silence):
        messages(source)
    over.set()


@pytest.mark.parametrize("close", [False, True])
def test_another_thread_ends_a_stream_at_once(
    server: ScriptedServer, source: EventSource, close: bool
) -> None:
    over, started, ended = Event(), Event(), Event()
    headers = {"Connection": "close"} if close else {}
    server.script(replace(STREAM, headers=headers, pieces=_held([b": ready\n\n"], over)))

    def listen() -> None:
        try:
            with source.stream(AFTER) as stream:
                for _ in stream:
                    started.set()
        except ServerUnreachable:
            pass
        ended.set()

    thread = Thread(target=listen)
    thread.start()
    assert started.wait(30)
    source.close()
    assert ended.wait(30)
    thread.join()
    over.set()
    with pytest.raises(ServerUnreachable):
        source.poll(AFTER)


def test_another_thread_ends_waiting_for_an_answer(source: EventSource) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        source._streams = ServerAddress.parse(f"http://127.0.0.1:{port}")
        ended = Event()

        def listen() -> None:
            with pytest.raises(ServerUnreachable):
                source.stream(AFTER)
            ended.set()

        thread = Thread(target=listen)
        thread.start()
        connection, _ = deaf.accept()
        assert connection.recv(1)
        source.close()
        assert ended.wait(30)
        thread.join()
        connection.close()


# ----------------------------------------------------------------------------------------- polls


def test_a_poll_brings_news_and_a_tag(server: ScriptedServer, source: EventSource) -> None:
    server.script(polled(events=[{"event": "news", **news()}, {"event": "later"}], more=True))
    answer = source.poll(AFTER)
    assert answer is not None
    assert [item.project for item in answer.news] == [PROJECT]
    assert (answer.more, answer.wait, answer.etag) == (True, 5.0, '"t1"')
    assert server.seen[0].headers["Accept"] == "application/json"
    assert "If-None-Match" not in server.seen[0].headers


def test_a_poll_with_a_tag_may_find_nothing(server: ScriptedServer, source: EventSource) -> None:
    server.script(Scripted(304))
    assert source.poll(AFTER, '"t1"') is None
    assert server.seen[0].headers["If-None-Match"] == '"t1"'


@pytest.mark.parametrize(
    "answer",
    [
        replace(JSON, body=b"{"),
        polled(cursor="x"),
        polled(events={}),
        polled(events=[{"event": "news"}]),
        polled(events=[{"event": "news", **news(project=OTHER.b64)}]),
        polled(more=1),
        polled(wait=-1),
    ],
)
def test_polls_out_of_shape_are_refused(
    server: ScriptedServer, source: EventSource, answer: Scripted
) -> None:
    server.script(answer)
    with pytest.raises(VerificationError) as caught:
        source.poll(AFTER)
    assert caught.value.layer == "wire"


def test_a_login_page_is_no_answer_to_a_poll(server: ScriptedServer, source: EventSource) -> None:
    server.script(Scripted(media_type="text/html", body=b"<h1>log in</h1>"))
    with pytest.raises(ServerRefused, match="not as a sopor server"):
        source.poll(AFTER)


# ----------------------------------------------------------------------------------------- where

SERVER = "https://sopor.example.com/base"


def offered(server: str = SERVER, **events: Any) -> Offer:
    body = {"events": {"modes": ["poll", "stream"], "url": None, "port": None, "quiet": 0} | events}
    address = ServerAddress.parse(server, allow_plain_http=True)
    return Offer.parse(json.dumps(body).encode(), address)


@pytest.mark.parametrize(
    ("server", "told", "expected"),
    [
        (SERVER, {}, SERVER),
        (SERVER, {"url": "https://events.example.net"}, "https://events.example.net"),
        (SERVER, {"port": 8443}, "https://sopor.example.com:8443"),
        (SERVER, {"url": "https://e.example.net", "port": 1}, "https://e.example.net"),
        ("http://127.0.0.1:8080", {"port": 8081}, "http://127.0.0.1:8081"),
        ("http://127.0.0.1:8080", {"url": "http://localhost:9"}, "http://localhost:9"),
        ("http://127.0.0.1:8080", {"url": "https://e.example.net"}, "https://e.example.net"),
        ("http://[::1]:8080", {"port": 8081}, "http://[::1]:8081"),
        ("http://lan.example.com", {"port": 8081}, "http://lan.example.com:8081"),
    ],
)
def test_where_streams_are(server: str, told: dict[str, Any], expected: str) -> None:
    assert str(offered(server, **told).streams) == expected


@pytest.mark.parametrize(
    ("server", "told"),
    [
        (SERVER, {"url": "http://events.example.net"}),
        (SERVER, {"url": "http://127.0.0.1:80"}),
        (SERVER, {"url": "https://localhost"}),
        (SERVER, {"url": "events.example.net"}),
        (SERVER, {"url": "ftp://events.example.net"}),
        (SERVER, {"url": "https://me:pass@events.example.net"}),
        (SERVER, {"url": "https://events.example.net/?x=1"}),
        (SERVER, {"url": 5}),
        (SERVER, {"url": "https://" + "e" * 3000}),
        (SERVER, {"port": 0}),
        (SERVER, {"port": True}),
        (SERVER, {"port": "8080"}),
        (SERVER, {"modes": "stream"}),
        ("http://127.0.0.1:8080", {"url": "http://events.example.net"}),
        ("http://lan.example.com", {"url": "http://lan.example.com"}),
    ],
)
def test_where_no_token_may_go(server: str, told: dict[str, Any]) -> None:
    with pytest.raises(VerificationError) as caught:
        offered(server, **told)
    assert caught.value.layer == "wire"


def test_servers_that_tell_less() -> None:
    assert offered(modes=["poll"]) == Offer(polls=True, streams=None)
    assert offered(modes=["poll", "pigeon"]) == Offer(polls=True, streams=None)
    address = ServerAddress.parse(SERVER)
    assert Offer.parse(b"{}", address) == Offer(polls=False, streams=None)
    assert Offer.parse(b'{"events": null}', address) == Offer(polls=False, streams=None)


def test_an_old_server_is_told_as_such(server: ScriptedServer, source: EventSource) -> None:
    server.script(replace(JSON, body=b"{}"))
    with pytest.raises(ServerRefused, match="tells no events"):
        source.offer()


def test_streams_go_to_the_place_that_was_told(server: ScriptedServer, source: EventSource) -> None:
    with scripted_server() as events:
        meta = {"events": {"modes": ["poll", "stream"], "port": events.http.server_port}}
        server.script(replace(JSON, body=json.dumps(meta).encode()), polled())
        events.script(streamed(b": ready\n\n"))
        assert source.offer().streams == ServerAddress.parse(events.url)
        assert messages(source) == [Beat()]
        assert source.poll(AFTER) is not None
        assert [seen.path.partition("?")[0] for seen in server.seen] == ["/v1/meta", "/v1/events"]
        assert len(events.seen) == 1
