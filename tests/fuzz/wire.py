"""Targets for what a server sends: parts, JSON, problem documents, events."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from sopor.remote import listings
from sopor.remote.answers import HeadsMoved, parse_answer, parse_conflict, parse_entries
from sopor.remote.events.messages import parse_poll, parse_told
from sopor.remote.events.sse import Frame, SseParser, Told
from sopor.remote.problems import Problem, error_of
from sopor.remote.session import parse_grant
from sopor_core.encoding import b64encode
from sopor_core.errors import Layer, SoporError, VerificationError
from sopor_core.ids import ProjectId
from sopor_core.wire.deflated import join_answer, split_answer
from sopor_core.wire.events import Cursor
from sopor_core.wire.parts import Part, PartKind, join_parts, split_parts
from sopor_core.wire.problems import MEANINGS, Code
from tests.fuzz.examples import good
from tests.fuzz.target import Target, canonical_reader

_PROJECT = ProjectId(bytes(16))
_ID, _HASH = b64encode(bytes(16)), b64encode(bytes(32))
_STREAM_LIMIT = 4096
_INFLATED_LIMIT = 1 << 20


def refused_or_read(parse: Callable[[bytes], object], data: bytes) -> bool:
    """Reads input; to refuse it as the verification of everything received does is fine."""
    try:
        parse(data)
    except VerificationError:
        return False
    return True


def split_and_join(data: bytes) -> bool:
    """Takes an answer apart; it has to survive being put together as a server does it."""
    try:
        parts = list(split_answer(data, _INFLATED_LIMIT))
    except VerificationError:
        return False
    entries = [part for part in parts if part.kind in (2, 3)]
    again = list(split_answer(join_answer(parts), _INFLATED_LIMIT))
    assert [part for part in again if part.kind in (2, 3)] == entries
    assert sorted(part.data for part in again) == sorted(part.data for part in parts)
    return True


def read_problem(data: bytes) -> None:
    """Reads a problem document, and says what it means for whoever asked."""
    problem = Problem.parse(data[0] * 2 if data else 500, data[1:])
    error = error_of(problem, "https://example.com", retry_after=1.0)
    assert isinstance(error, SoporError)
    shown = f"{error.message} {error.hint}"
    assert all(c.isprintable() for c in shown), "a server prints control characters"


def read_stream(data: bytes) -> bool:
    """Reads a stream whole and cut in pieces, which must tell the same."""
    taken = False
    whole, pieces = _frames([data]), _frames([data[at : at + 3] for at in range(0, len(data), 3)])
    assert whole == pieces
    for frame in whole[0]:
        if isinstance(frame, Told):
            taken |= _told(frame)
    return taken


def _told(told: Told) -> bool:
    return refused_or_read(lambda _: parse_told(told, [_PROJECT]), b"")


def _frames(pieces: list[bytes]) -> tuple[list[Frame], bool]:
    """Returns what was told until the end, or until the parser refused to go on."""
    parser, found = SseParser(_STREAM_LIMIT), list[Frame]()
    try:
        for piece in pieces:
            found.extend(parser.feed(piece))
    except VerificationError:
        return found, True
    return found, False


def read_told(data: bytes) -> bool:
    """Reads the data of an event of each name that is known."""
    names = ("news", "presence", "bye")
    taken = [_told(Told(name, data, f"{_PROJECT.b64}.1.1")) for name in names]
    return any(taken)


def _cursor(data: bytes) -> Cursor:
    try:
        return Cursor.parse(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise VerificationError(Layer.WIRE, "not text") from None


def _answers() -> list[bytes]:
    """Returns a pull as the server answers it, with compressed entries and without."""
    control = {"head": [1, _HASH], "members": [1, _HASH], "more": False}
    problem = {"code": "log-moved", "detail": "it moved", "status": 409}
    members = [each.encode() for each in good("push")[0]["membership"]]
    entry = good("push")[0]["log"][0].encode()
    parts = [
        *(Part(PartKind.MEMBERSHIP_ENTRY, each) for each in members),
        Part(PartKind.PUSH_ENTRY, entry),
        Part(PartKind.PACK, b"SOPK"),
    ]
    first = Part(PartKind.CONTROL, json.dumps(control).encode())
    lost = Part(PartKind.CONTROL, json.dumps({**control, "problem": problem}).encode())
    return [
        join_answer([first, *parts]),
        join_parts([first, *parts]),
        join_answer([lost, *parts[:2]]),
        join_answer(parts[:2]),
        join_parts([first]),
    ]


def _problems() -> list[bytes]:
    documents = (
        {"code": str(code), "detail": "why", "hint": "what to do", "request_id": "0123456789ab"}
        for code in Code
    )
    statuses = (MEANINGS[code].status for code in Code)
    return [
        bytes([status // 2]) + json.dumps({**each, "status": status}).encode()
        for each, status in zip(documents, statuses, strict=True)
    ]


def _events() -> list[bytes]:
    parts = b64encode(join_parts([Part(PartKind.CONTROL, b'{"more":false}')]))
    note = {"account": _ID, "device": _ID, "sealed": _ID, "expires": 1}
    news = {"event": "news", "project": _ID, "seq": 1, "members": 1, "parts": parts}
    return [
        json.dumps(news).encode(),
        json.dumps({"project": _ID, "presence": [note]}).encode(),
        json.dumps({"reason": "quiet", "wait": 3}).encode(),
    ]


def _stream() -> bytes:
    news, presence, bye = _events()
    at = f"id: {_PROJECT.b64}.1.1\n".encode()
    return (
        b"retry: 1000\n\n: ready\n\nevent: news\n" + at + b"data: " + news + b"\n\n"
        b"event: presence\r\ndata: " + presence + b"\r\n\r\nevent: bye\rdata: " + bye + b"\r\r"
    )


def _listings() -> dict[str, tuple[Callable[[bytes], object], bytes]]:
    """Returns the readers of JSON answers, each with one that it takes."""
    unlocked = good("unlocking")[0]
    session = {
        "record": unlocked["record"],
        "credentials": unlocked["credentials"],
        "organizations": [_HASH],
    }
    place, device = [1, _HASH], {"id": _ID, "name": "a laptop", "created": 1, "last_used": 2}
    project = {"project": _ID, "organization": _HASH, "head": place, "seq": 1, "bytes": 1}
    branch = {"branch": _ID, "head": _HASH, "label": _HASH, "epoch": 1}
    meta = {
        "server": _ID,
        "version": "1",
        "protocol_min": 1,
        "protocol_max": 1,
        "max_inline_bytes": 1,
        "max_pack_bytes": 1,
        "time": 1,
        "events": {"modes": ["poll", "stream"], "url": None, "port": 1, "quiet": 3},
    }
    organization = {"organization": _HASH, "kind": "team", "head": place, "deleted": False}
    rows: dict[str, tuple[Callable[[bytes], object], object]] = {
        "meta": (listings.parse_meta, meta),
        "account": (listings.parse_account, session),
        "devices": (listings.parse_devices, {"devices": [{**device, "current": True}]}),
        "projects": (
            listings.parse_projects,
            {"projects": [{**project, "updated": 1, "status": "active"}]},
        ),
        "organizations": (listings.parse_organizations, {"organizations": [organization]}),
        "heads": (listings.parse_heads, {"members": place, "projects": {_ID: place}}),
        "branches": (listings.parse_branches, {"seq": 1, "branches": [branch]}),
        "moved": (HeadsMoved.parse, {"heads": {_ID: place}}),
        "grant": (
            lambda body: parse_grant(listings.fields_of(body)),
            {"access_token": "a", "expires_in": 900},
        ),
    }
    return {name: (parse, json.dumps(value).encode()) for name, (parse, value) in rows.items()}


def wire() -> dict[str, Target]:
    """Returns the targets by name."""
    answers, events = _answers(), _events()
    poll = {"cursor": f"{_ID}.1.1", "events": [json.loads(events[0])], "more": False, "wait": 3}
    cursors = [b"", f"{_ID}.1.2".encode(), f"{_ID}.0.0,{b64encode(b'1' * 16)}.7.12".encode()]
    return {
        "parts": canonical_reader(lambda data: list(split_parts(data)), join_parts, answers),
        "answer": Target(split_and_join, answers),
        "answer.pull": Target(partial(refused_or_read, parse_answer), answers),
        "answer.conflict": Target(partial(refused_or_read, partial(parse_conflict, 409)), answers),
        "answer.entries": Target(partial(refused_or_read, parse_entries), answers),
        "problem": Target(read_problem, _problems()),
        "events.stream": Target(read_stream, [_stream()]),
        "events.told": Target(read_told, events),
        "events.poll": Target(
            partial(refused_or_read, lambda data: parse_poll(data, [_PROJECT], "")),
            [json.dumps(poll).encode()],
        ),
        "cursor": canonical_reader(_cursor, lambda cursor: str(cursor).encode(), cursors),
        **{
            f"json.{name}": Target(partial(refused_or_read, parse), [value])
            for name, (parse, value) in _listings().items()
        },
    }
