"""Events that lie: a pull tells the truth, or the true error, and nothing else comes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from sopor.errors import ForkError, RollbackError, VerificationError
from sopor.repository import Repository
from sopor.repository.events import Live, LiveState, Pushed
from sopor_core import canonical
from sopor_core.encoding import b64decode, b64encode
from sopor_core.wire.parts import Part, PartKind, join_parts
from tests.adversary.scene import Scene
from tests.support.evil import (
    Parts,
    Snapshot,
    groups,
    in_pulls,
    regrouped,
    taken_apart,
    with_control,
)
from tests.support.tampering import Exchange, Tamper

Change = Callable[[Parts], Sequence[Part]]
_POLLS = "/v1/events?"


def polls_only(exchange: Exchange) -> Exchange:
    """Says that the server has no streams: who stands before it sees polls alone."""
    if exchange.path != "/v1/meta":
        return exchange
    return exchange.with_json({**exchange.json, "events": {"modes": ["poll"], "quiet": 0}})


def in_events(change: Change) -> Tamper:
    """Alters the parts of what polls bring."""

    def tamper(exchange: Exchange) -> Exchange:
        if not exchange.path.startswith(_POLLS) or exchange.status != 200:
            return polls_only(exchange)
        answer = exchange.json
        for event in answer["events"]:
            parts = taken_apart(b64decode(event["parts"]))
            event["parts"] = b64encode(join_parts(change(parts)))
        return exchange.with_json(answer)

    return tamper


def both(*tampers: Tamper) -> Tamper:
    """Alters an answer in several ways, one after the other."""

    def tamper(exchange: Exchange) -> Exchange | None:
        found: Exchange | None = exchange
        for each in tampers:
            found = each(found) if found is not None else None
        return found

    return tamper


def until_rest(repository: Repository) -> list[int]:
    """Listens until nothing is new any more; returns the numbers of the entries that came."""
    found = []
    with repository.events() as events:
        for event in events:
            if isinstance(event, Pushed):
                found.append(event.seq)
            if isinstance(event, Live) and event.state is LiveState.POLLING:
                break
    return found


def forged(parts: Parts) -> Parts:
    first, *rest = groups(parts)
    entry = json.loads(first[0].data) | {"time": 1}
    return regrouped(
        parts, [[Part(PartKind.PUSH_ENTRY, canonical.encode(entry)), *first[1:]], *rest]
    )


def bent_packs(parts: Parts) -> Parts:
    return [
        replace(part, data=part.data[:-1] + bytes([part.data[-1] ^ 1]))
        if part.kind is PartKind.PACK
        else part
        for part in parts
    ]


def without(first: int, last: int) -> Change:
    return lambda parts: regrouped(parts, groups(parts)[:first] + groups(parts)[last:])


def backwards(parts: Parts) -> Parts:
    return regrouped(parts, groups(parts)[::-1])


def twice(parts: Parts) -> Parts:
    return regrouped(parts, [group for group in groups(parts) for _ in range(2)])


def control(**changes: Any) -> Change:
    return lambda parts: with_control(parts, **changes)


LIES: dict[str, Change] = {
    "the first entry is missing": without(0, 1),
    "the last entry is missing": without(2, 9),
    "all are missing": without(0, 9),
    "entries come backwards": backwards,
    "entries come twice": twice,
    "an entry is forged": forged,
    "packs are bent": bent_packs,
    "the log ends elsewhere": control(head=[99, b64encode(b"x" * 32)]),
    "the log ends before": control(head=[1, b64encode(b"x" * 32)]),
    "the members are fewer": control(members=[0, b64encode(bytes(32))]),
    "the members are others": control(members=[1, b64encode(b"x" * 32)]),
    "more is announced": control(more=True),
    "nothing is left but packs": lambda parts: [parts[0], *bent_packs(parts)[2:3]],
}


def newest(scene: Scene) -> list[int]:
    """Returns the numbers that a clone behind lacks."""
    return list(range(4, scene.newest.context.store.log.pin.seq + 1))


def test_honest_events_bring_what_is_new(scene: Scene, behind: Repository) -> None:
    scene.evil.tamper = polls_only
    assert until_rest(behind) == newest(scene)
    assert behind.fsck().clean


@pytest.mark.parametrize("lie", LIES)
def test_lies_in_events_alone_end_in_the_truth_or_in_an_error(
    scene: Scene, behind: Repository, lie: str
) -> None:
    scene.evil.tamper = in_events(LIES[lie])
    try:
        found = until_rest(behind)
    except VerificationError:
        found = []
    refs, truth = behind.context.store.refs, scene.newest.context.store
    if found:
        assert found == newest(scene)
    if behind.context.store.log.pin.seq == truth.log.pin.seq:
        assert refs.remotes() == truth.refs.remotes()
    assert behind.fsck().clean
    scene.evil.tamper = polls_only
    until_rest(behind)
    assert behind.context.store.log.pin == truth.log.pin


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (forged, VerificationError),
        (control(head=[1, b64encode(b"x" * 32)]), RollbackError),
        (without(0, 1), VerificationError),
    ],
)
def test_where_pulls_lie_as_well_their_error_is_the_end_and_nothing_changes(
    scene: Scene, behind: Repository, change: Change, error: type[VerificationError]
) -> None:
    scene.evil.tamper = both(in_events(change), in_pulls(change))
    before = Snapshot.of(behind)
    with pytest.raises(error):
        until_rest(behind)
    assert Snapshot.of(behind) == before


def test_another_history_in_a_known_place_is_a_fork(scene: Scene, behind: Repository) -> None:
    known = behind.context.store.log.entry(3)
    assert known is not None
    other = canonical.encode(json.loads(known.encoded) | {"time": 1})
    scene.evil.tamper = in_events(
        lambda parts: regrouped(parts, [[Part(PartKind.PUSH_ENTRY, other)], *groups(parts)])
    )
    with pytest.raises(ForkError):
        until_rest(behind)


def test_a_place_for_streams_where_no_token_may_go(scene: Scene, behind: Repository) -> None:
    def elsewhere(exchange: Exchange) -> Exchange:
        if exchange.path != "/v1/meta":
            return exchange
        events = {"modes": ["poll", "stream"], "url": "http://events.example.com", "quiet": 0}
        return exchange.with_json({**exchange.json, "events": events})

    scene.evil.tamper = elsewhere
    with pytest.raises(VerificationError, match="no access token may go"):
        until_rest(behind)
