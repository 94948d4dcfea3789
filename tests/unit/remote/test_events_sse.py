"""The parser of streams: the same events however the bytes are cut, and never more than allowed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sopor.remote.events.sse import Comment, Frame, Retry, SseParser, Told
from sopor_core.errors import VerificationError

LIMIT = 1000


def parsed(*pieces: bytes, limit: int = LIMIT) -> list[Frame]:
    parser = SseParser(limit)
    return [frame for piece in pieces for frame in parser.feed(piece)]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: a\n\n", [Told("message", b"a", "")]),
        (b"event: news\nid: 7\ndata: a\n\n", [Told("news", b"a", "7")]),
        (b"data:a\ndata: b\ndata\ndata:  c\n\n", [Told("message", b"a\nb\n\n c", "")]),
        (b"data: a\r\n\r\ndata: b\r\r", [Told("message", b"a", ""), Told("message", b"b", "")]),
        (b"\xef\xbb\xbfdata: a\n\n", [Told("message", b"a", "")]),
        (b"\n\xef\xbb\xbfdata: a\n\n", []),
        (b": ready\n:\n", [Comment("ready"), Comment("")]),
        (b"retry: 1500\nretry: soon\nretry: -1\n", [Retry(1500)]),
        (b"retry: " + b"9" * 50 + b"\n", [Retry(999_999_999)]),
        (
            b"id: 1\ndata: a\n\ndata: b\n\n",
            [Told("message", b"a", "1"), Told("message", b"b", "1")],
        ),
        (b"id: 1\nid: 2\0\ndata: a\n\n", [Told("message", b"a", "1")]),
        (b"event: news\n\ndata: a\n\n", [Told("message", b"a", "")]),
        (b"whatever: x\nnothing\ndata: a\n\n", [Told("message", b"a", "")]),
        (b"data: cut off\nid: 3", []),
        (b"data: \xff\xfe\n\n", [Told("message", b"\xff\xfe", "")]),
    ],
)
def test_what_the_standard_says(stream: bytes, expected: list[Frame]) -> None:
    assert parsed(stream) == expected


_LINES = st.sampled_from(
    [b"data: a", b"data: ", b"data", b"event: news", b"id: x", b": hm", b"retry: 5", b"", b"", b"x"]
)
_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(
    lines=st.lists(st.tuples(_LINES, _ENDS), max_size=30),
    bom=st.booleans(),
    cuts=st.lists(st.integers(0, 400), max_size=20),
)
def test_any_cutting_gives_the_same_events(
    lines: Sequence[tuple[bytes, bytes]], bom: bool, cuts: list[int]
) -> None:
    stream = (b"\xef\xbb\xbf" if bom else b"") + b"".join(line + end for line, end in lines)
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(places)]
    single = [stream[at : at + 1] for at in range(len(stream))]
    assert parsed(*pieces) == parsed(stream) == parsed(*single)


@given(st.binary(max_size=300))
def test_any_bytes_are_taken_or_refused(stream: bytes) -> None:
    pieces = [stream[at : at + 3] for at in range(0, 300, 3)]
    assert outcome(stream) == outcome(*pieces)


def outcome(*pieces: bytes) -> list[Frame] | str:
    try:
        return parsed(*pieces, limit=100)
    except VerificationError as error:
        return error.layer


@pytest.mark.parametrize(
    "stream",
    [
        b"data: " + b"a" * LIMIT,
        b":" * (LIMIT + 1),
        b"data: aaaaaaaaaa\n" * 100,
        b"event: \xff\n",
        b"event: " + b"n" * 900 + b"\n" + b"event: " + b"n" * 1100 + b"\n",
    ],
)
def test_too_much_or_no_text_is_refused(stream: bytes) -> None:
    with pytest.raises(VerificationError, match="wire: the stream of events"):
        parsed(*(stream[at : at + 64] for at in range(0, len(stream), 64)))


def test_an_endless_line_is_not_kept() -> None:
    parser = SseParser(LIMIT)
    for _ in range(LIMIT // 4):
        assert list(parser.feed(b"aaaa")) == []
    with pytest.raises(VerificationError, match="line longer than allowed"):
        list(parser.feed(b"a"))
    assert sum(map(len, parser._pieces)) <= LIMIT
