"""States against plain dictionaries: applying, comparing, roots, snapshots."""

from __future__ import annotations

import hmac
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sopor.crypto.content_ids import ContentIds
from sopor.model.document import DocumentId
from sopor.model.state import State
from sopor_core.errors import VerificationError
from sopor_core.ids import Cid

KEY = b"k" * 32
IDS = ContentIds(KEY)
names = st.sampled_from([DocumentId(f"req_{number}") for number in range(40)])
cids = st.sampled_from([Cid(sha256(bytes([number])).digest()) for number in range(5)])
deltas = st.dictionaries(names, st.none() | cids, max_size=12)


def plain(steps: list[dict[DocumentId, Cid | None]]) -> dict[DocumentId, Cid]:
    result: dict[DocumentId, Cid] = {}
    for step in steps:
        for key, cid in step.items():
            if cid is None:
                result.pop(key, None)
            else:
                result[key] = cid
    return result


def mac(*parts: bytes) -> bytes:
    return hmac.digest(KEY, b"".join(parts), "sha256")


def root_by_hand(state: dict[DocumentId, Cid]) -> bytes:
    """Follows SPEC section 5 word by word."""
    nodes = []
    for bucket in range(256):
        entries = sorted(
            (key.encode(), cid)
            for key, cid in state.items()
            if sha256(key.encode()).digest()[0] == bucket
        )
        joined = b"".join(len(key).to_bytes(2, "big") + key + cid for key, cid in entries)
        nodes.append(mac(b"bucket\0", bytes([bucket]), joined) if entries else bytes(32))
    return mac(b"state\0", *nodes)


def fold(steps: list[dict[DocumentId, Cid | None]]) -> State:
    state = State()
    for step in steps:
        state = state.apply(step)
    return state


@given(st.lists(deltas, max_size=6))
def test_a_state_is_the_fold_of_its_deltas(steps: list[dict[DocumentId, Cid | None]]) -> None:
    state = fold(steps)
    assert dict(state) == plain(steps)
    assert len(state) == len(plain(steps))
    assert state.root(IDS) == root_by_hand(plain(steps))


@given(st.lists(deltas, max_size=4), st.lists(deltas, max_size=4))
def test_a_difference_leads_from_one_state_to_the_other(
    one: list[dict[DocumentId, Cid | None]], other: list[dict[DocumentId, Cid | None]]
) -> None:
    left, right = fold(one), fold(other)
    delta = left.difference(right)
    assert left.apply(delta) == right
    assert left.is_minimal(delta)
    assert (left.root(IDS) == right.root(IDS)) == (dict(left) == dict(right))


@given(st.lists(deltas, max_size=6), deltas)
def test_a_snapshot_reads_back_and_goes_on(
    steps: list[dict[DocumentId, Cid | None]], further: dict[DocumentId, Cid | None]
) -> None:
    state = fold(steps)
    read = State.from_snapshot(state.to_snapshot(IDS))
    assert read.root(IDS) == state.root(IDS)
    assert read.apply(further).root(IDS) == state.apply(further).root(IDS)
    assert dict(read) == dict(state)


def test_applying_leaves_the_state_before_as_it_was() -> None:
    before = fold([{DocumentId("a"): Cid(bytes(32))}])
    before.apply({DocumentId("a"): None})
    assert dict(before) == {DocumentId("a"): Cid(bytes(32))}


@pytest.mark.parametrize("cut", [1, 40, 9000])
def test_a_cut_snapshot_is_refused(cut: int) -> None:
    data = fold([{DocumentId("a"): Cid(bytes(32))}]).to_snapshot(IDS)
    with pytest.raises(VerificationError, match="state"):
        State.from_snapshot(data[:-cut])
