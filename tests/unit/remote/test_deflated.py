"""Answers whose entries are compressed together: what comes out, and what is refused."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sopor.remote.answers import MAX_ANSWER_BYTES, parse_answer, parse_conflict, parse_entries
from sopor_core.errors import VerificationError
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire import deflated
from sopor_core.wire.deflated import ENTRY_KINDS, join_answer, split_answer
from sopor_core.wire.parts import Part, PartKind, join_parts, split_parts

CONTROL = Part(
    PartKind.CONTROL,
    json.dumps({"head": EMPTY_LOG.to_json(), "members": EMPTY_LOG.to_json()}).encode(),
)
ENTRIES = [Part(PartKind.PUSH_ENTRY, b'{"same":"words","seq":%d}' % seq) for seq in range(20)]
MEMBER = Part(PartKind.MEMBERSHIP_ENTRY, b'{"same":"words"}' * 9)
PACK = Part(PartKind.PACK, b"sealed")


def packed(data: bytes, size: int | None = None) -> Part:
    """A compressed part of these bytes, which may claim another size."""
    claimed = len(data) if size is None else size
    return Part(PartKind.DEFLATED, claimed.to_bytes(4, "big") + zlib.compress(data))


def test_entries_of_an_answer_are_compressed_together() -> None:
    answer = [CONTROL, MEMBER]
    for entry in ENTRIES:
        answer += [entry, PACK]
    body = join_answer(answer)
    kinds = [part.kind for part in split_parts(body)]
    assert kinds == [PartKind.CONTROL, PartKind.DEFLATED, *[PartKind.PACK] * len(ENTRIES)]
    assert len(body) < len(join_parts(answer)) / 2
    found = parse_answer(body)
    assert found.membership_entries == (MEMBER.data,)
    assert found.entries == tuple(entry.data for entry in ENTRIES)
    assert found.packs == {sha256(b"sealed").digest(): b"sealed"}


def test_answers_that_would_grow_stay_as_they_are() -> None:
    for answer in ([], [CONTROL], [CONTROL, PACK], [Part(PartKind.PUSH_ENTRY, b"{}")]):
        assert join_answer(answer) == join_parts(answer)


_PARTS = st.lists(
    st.builds(
        Part,
        st.sampled_from([PartKind.MEMBERSHIP_ENTRY, PartKind.PUSH_ENTRY, PartKind.PACK]),
        st.binary(max_size=4).map(lambda data: data * 20),
    ),
    max_size=30,
)


@given(_PARTS)
def test_nothing_is_lost_and_each_kind_keeps_its_order(parts: list[Part]) -> None:
    body = join_answer([CONTROL, *parts])
    found = list(split_answer(body, MAX_ANSWER_BYTES))
    assert found[0] == CONTROL
    for kinds in (ENTRY_KINDS, {PartKind.PACK}):
        of_kind = [part for part in parts if part.kind in kinds]
        assert [part for part in found[1:] if part.kind in kinds] == of_kind
    assert len(body) <= len(join_parts([CONTROL, *parts]))


def test_every_reader_of_answers_takes_them() -> None:
    whole = join_parts([MEMBER, MEMBER])
    assert parse_entries(join_parts([packed(whole)])) == (MEMBER.data, MEMBER.data)
    told = {"head": EMPTY_LOG.to_json(), "members": EMPTY_LOG.to_json()}
    problem = {"code": "log-moved", "title": "t", "status": 409, "detail": "d"}
    first = Part(PartKind.CONTROL, json.dumps({**told, "problem": problem}).encode())
    moved = parse_conflict(409, join_parts([first, packed(join_parts(ENTRIES))]))
    assert getattr(moved, "answer").entries == tuple(entry.data for entry in ENTRIES)  # noqa: B009


_INNER = join_parts(ENTRIES)
_STREAM = zlib.compress(_INNER)
_SIZE = len(_INNER).to_bytes(4, "big")


def _odd() -> Iterator[tuple[str, Part]]:
    nested = join_parts([packed(_INNER)])
    yield "nothing at all", Part(PartKind.DEFLATED, b"")
    yield "no whole length", Part(PartKind.DEFLATED, b"\0\0\0")
    yield "no stream", Part(PartKind.DEFLATED, bytes(4))
    yield "no zlib", Part(PartKind.DEFLATED, _SIZE + b"\0" + _STREAM[1:])
    yield "a raw stream", Part(PartKind.DEFLATED, _SIZE + _STREAM[2:-4])
    yield "a cut stream", Part(PartKind.DEFLATED, _SIZE + _STREAM[:-1])
    yield "a stream cut early", Part(PartKind.DEFLATED, _SIZE + _STREAM[:20])
    yield "another checksum", Part(PartKind.DEFLATED, _SIZE + _STREAM[:-1] + b"\0")
    yield "a byte behind", Part(PartKind.DEFLATED, _SIZE + _STREAM + b"\0")
    yield "two streams", Part(PartKind.DEFLATED, _SIZE + _STREAM + _STREAM)
    yield "a dictionary", Part(PartKind.DEFLATED, _SIZE + b"\x78\xbb\0\0\0\1" + _STREAM[2:])
    yield "less than it claims", packed(_INNER, len(_INNER) + 1)
    yield "more than it claims", packed(_INNER, len(_INNER) - 1)
    yield "nothing where it claims something", packed(b"", 1)
    yield "a control part", packed(join_parts([CONTROL]))
    yield "a pack", packed(join_parts([*ENTRIES, PACK]))
    yield "another of its kind", packed(nested)
    yield "a cut part", packed(_INNER[:-1])
    yield "a part of no kind", packed(b"\x09" + _INNER[1:])


@pytest.mark.parametrize(("name", "part"), list(_odd()))
def test_what_is_odd_is_refused(name: str, part: Part) -> None:
    with pytest.raises(VerificationError) as refused:
        parse_answer(join_parts([CONTROL, part]))
    assert refused.value.layer == "wire"


def test_an_empty_sequence_is_one() -> None:
    assert parse_answer(join_parts([CONTROL, packed(b"")])).entries == ()


def test_a_compressed_part_keeps_to_the_order_of_answers() -> None:
    odd = [
        [packed(_INNER), CONTROL],
        [CONTROL, packed(join_parts([*ENTRIES, MEMBER]))],
        [CONTROL, packed(_INNER), MEMBER],
        [CONTROL, PACK, packed(_INNER)],
    ]
    for parts in odd:
        with pytest.raises(VerificationError) as refused:
            parse_answer(join_parts(parts))
        assert refused.value.layer == "wire"


def test_a_bomb_is_refused_before_it_is_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zlib.compress(bytes(MAX_ANSWER_BYTES + 1), 9)
    assert len(bomb) < 64 * 1024
    honest = Part(PartKind.DEFLATED, (MAX_ANSWER_BYTES + 1).to_bytes(4, "big") + bomb)
    lying = Part(PartKind.DEFLATED, (100).to_bytes(4, "big") + bomb)
    with pytest.raises(VerificationError, match="does not hold what it claims"):
        parse_answer(join_parts([CONTROL, lying]))
    monkeypatch.setattr(zlib, "decompressobj", None)
    with pytest.raises(VerificationError, match="claims 33554433 bytes"):
        parse_answer(join_parts([CONTROL, honest]))


def test_all_compressed_parts_share_one_limit() -> None:
    whole = join_parts([CONTROL, packed(_INNER), packed(_INNER)])
    assert len(list(split_answer(whole, 2 * len(_INNER)))) == 1 + 2 * len(ENTRIES)
    with pytest.raises(VerificationError, match="a compressed part claims"):
        list(split_answer(whole, 2 * len(_INNER) - 1))


def test_parts_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deflated, "MAX_PARTS", 30)
    empty = Part(PartKind.PUSH_ENTRY, b"")
    assert len(parse_answer(join_parts([CONTROL, packed(join_parts([empty] * 29))])).entries) == 29
    for parts in ([packed(join_parts([empty] * 30))], [empty] * 30):
        with pytest.raises(VerificationError, match="more than 30 parts"):
            parse_answer(join_parts([CONTROL, *parts]))


@given(st.binary(max_size=200), st.integers(min_value=0, max_value=300))
def test_any_bytes_are_read_or_refused(noise: bytes, at: int) -> None:
    body = bytearray(join_parts([CONTROL, packed(_INNER), PACK]))
    body[at : at + len(noise)] = noise
    refused: list[str] = []
    try:
        parse_answer(bytes(body))
    except VerificationError as error:
        refused.append(error.layer)
    assert set(refused) <= {"wire", "parse", "canonical"}
