"""A pull whose answer lies is refused by name, and nothing on the device changes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from sopor.errors import ForkError, RollbackError, VerificationError
from sopor.repository import Repository
from sopor_core import canonical
from sopor_core.encoding import b64encode
from sopor_core.errors import Layer
from sopor_core.wire.parts import Part, PartKind, join_parts
from tests.adversary.scene import (
    ZEROS,
    Scene,
    assert_refused,
    edit,
)
from tests.support.evil import (
    Parts,
    Snapshot,
    control_of,
    groups,
    in_pulls,
    instead_of_pulls,
    regrouped,
    taken_apart,
    with_control,
)
from tests.support.tampering import Exchange, Tamper

Change = Callable[[Scene, Parts], Sequence[Part]]


def entries(order: Callable[[list[Parts]], list[Parts]]) -> Change:
    """Shows the entries 4, 5 and 6 in another way."""
    return lambda _scene, parts: regrouped(parts, order(groups(parts)))


def control(**changes: Any) -> Change:
    """Says something else of the ends of the logs."""
    return lambda _scene, parts: with_control(parts, **changes)


def forged(**changes: Any) -> Change:
    """Shows entry 4 with other fields, the signature as it was."""

    def change(_scene: Scene, parts: Parts) -> Parts:
        first, *rest = groups(parts)
        return regrouped(parts, [[forge(first[0], **changes), *first[1:]], *rest])

    return change


def forge(part: Part, **changes: Any) -> Part:
    body = json.loads(part.data) | changes
    return Part(part.kind, canonical.encode(body))


def other_packs(scene: Scene, parts: Parts) -> Parts:
    """Shows the pack of entry 3 in place of that of entry 6."""
    *rest, last = groups(parts)
    return regrouped(parts, [*rest, [last[0], *scene.shop.group(3)[1:]]])


def renumbered(_scene: Scene, parts: Parts) -> Parts:
    """Leaves entry 5 out, and makes entry 6 the fifth."""
    fourth, fifth, sixth = groups(parts)
    moved = forge(sixth[0], seq=5, prev=json.loads(fifth[0].data)["prev"])
    return regrouped(parts, [fourth, [moved, *sixth[1:]]])


def other_project(scene: Scene, parts: Parts) -> Parts:
    return regrouped(parts, [scene.other.group(4), *groups(parts)[1:]])


def old_entry(scene: Scene, parts: Parts) -> Parts:
    return regrouped(parts, [scene.shop.group(2), *groups(parts)])


def other_signature(scene: Scene, parts: Parts) -> Parts:
    first, *rest = groups(parts)
    signature = json.loads(scene.shop.entry(2))["sig"]
    return regrouped(parts, [[forge(first[0], sig=signature), *first[1:]], *rest])


def bobs_membership(scene: Scene, parts: Parts) -> Parts:
    added = scene.his.members(2)
    assert added
    return [parts[0], *added, *parts[1:]]


CHAIN, WIRE = Layer.CHAIN, Layer.WIRE
LIES: dict[str, tuple[Change, type[VerificationError], tuple[Layer, ...]]] = {
    "the last entry is left out": (entries(lambda e: e[:-1]), VerificationError, (WIRE,)),
    "all entries are left out": (entries(lambda _: []), VerificationError, (WIRE,)),
    "an entry in the middle is left out": (
        entries(lambda e: [e[0], e[2]]),
        VerificationError,
        (CHAIN,),
    ),
    "the first entry is left out": (entries(lambda e: e[1:]), VerificationError, (CHAIN,)),
    "an entry is left out and the next renumbered": (
        renumbered,
        VerificationError,
        (Layer.SIGNATURE,),
    ),
    "an entry is replayed": (
        entries(lambda e: [e[0], e[0], *e[1:]]),
        VerificationError,
        (CHAIN,),
    ),
    "the last entry is replayed": (entries(lambda e: [*e, e[-1]]), VerificationError, (CHAIN,)),
    "an old entry is replayed": (old_entry, VerificationError, (CHAIN,)),
    "entries are exchanged": (
        entries(lambda e: [e[1], e[0], e[2]]),
        VerificationError,
        (CHAIN,),
    ),
    "an entry of another project": (other_project, VerificationError, (CHAIN,)),
    "another time": (forged(time=1), VerificationError, (Layer.SIGNATURE,)),
    "another operation": (forged(op=b64encode(bytes(16))), VerificationError, (Layer.SIGNATURE,)),
    "another epoch": (forged(epoch=2), VerificationError, (Layer.SIGNATURE, Layer.EPOCH)),
    "another actor": (forged(actor=b64encode(bytes(16))), VerificationError, (Layer.ROLE,)),
    "another membership": (forged(members=[2, ZEROS]), ForkError, ()),
    "another past": (forged(prev=ZEROS), ForkError, ()),
    "the signature of another entry": (other_signature, VerificationError, (Layer.SIGNATURE,)),
    "a field more": (forged(extra=1), VerificationError, (Layer.PARSE,)),
    "no control part": (lambda _scene, parts: parts[1:], VerificationError, (WIRE,)),
    "two control parts": (lambda _scene, parts: [parts[0], *parts], VerificationError, (WIRE,)),
    "an end before the pin": (control(head=[2, ZEROS]), RollbackError, ()),
    "an end before the entries": (control(head=[5, ZEROS]), RollbackError, ()),
    "another end": (control(head=[6, ZEROS]), ForkError, ()),
    "an end that does not come": (control(head=[7, ZEROS]), VerificationError, (WIRE,)),
    "a membership before the pin": (control(members=[1, ZEROS]), RollbackError, ()),
    "more membership than comes": (control(members=[9, ZEROS]), VerificationError, (WIRE,)),
    "no ends": (
        lambda _scene, parts: [Part(PartKind.CONTROL, b"{}"), *parts[1:]],
        RollbackError,
        (),
    ),
    "another membership log goes on": (
        bobs_membership,
        VerificationError,
        (CHAIN, Layer.MEMBERSHIP),
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_pull_that_lies_is_refused(scene: Scene, behind: Repository, lie: str) -> None:
    change, kind, layers = LIES[lie]
    scene.evil.tamper = in_pulls(lambda parts: change(scene, parts))
    assert_refused(behind, behind.pull, kind, *layers)
    assert_refused(behind, behind.sync, kind, *layers)
    assert len(behind.log()) == 3


def test_another_membership_head_is_a_fork(scene: Scene, behind: Repository) -> None:
    def other_hash(parts: Parts) -> Parts:
        seq, _hash = control_of(parts)["members"]
        return with_control(parts, members=[seq, ZEROS])

    scene.evil.tamper = in_pulls(other_hash)
    assert_refused(behind, behind.pull, ForkError)


def test_more_without_an_end_is_refused(scene: Scene, behind: Repository) -> None:
    scene.evil.tamper = in_pulls(lambda parts: with_control(parts[:1], more=True))
    assert_refused(behind, behind.pull, VerificationError, Layer.WIRE)


def test_a_pack_that_came_wrong_is_asked_for_by_its_name(scene: Scene, behind: Repository) -> None:
    """Packs are known by their hash: a wrong one counts for nothing, the right one is fetched."""
    scene.evil.tamper = in_pulls(lambda parts: other_packs(scene, parts))
    assert behind.fetch().entries == 3
    assert any("/packs/" in asked for asked in scene.evil.asked())
    assert behind.fsck().clean


def test_a_body_that_is_cut_off_is_refused(scene: Scene, behind: Repository) -> None:
    def cut(length: int) -> Tamper:
        def tamper(exchange: Exchange) -> Exchange:
            if "/pull?" not in exchange.path:
                return exchange
            return replace(exchange, body=exchange.body[:length])

        return tamper

    whole = len(pulled(scene, behind))
    for length in [1, 4, 5, 50, *random.Random(1).sample(range(whole), 25), whole - 1]:
        scene.evil.tamper = cut(length)
        assert_refused(behind, behind.pull, VerificationError, Layer.WIRE)


def pulled(scene: Scene, behind: Repository) -> bytes:
    """Returns the honest answer to the device that is behind."""
    taken: list[bytes] = []

    def take(exchange: Exchange) -> Exchange | None:
        if "/pull?" not in exchange.path:
            return exchange
        taken.append(exchange.body)
        return replace(exchange, status=204, media_type=None, body=b"")

    scene.evil.tamper = take
    behind.fetch()
    return taken[0]


def test_to_hide_what_is_new_cannot_be_noticed_and_loses_nothing(
    scene: Scene, behind: Repository
) -> None:
    """A server can always say that there is nothing new: until a device tells of more (P2)."""
    before = Snapshot.of(behind)
    scene.evil.tamper = instead_of_pulls(204)
    assert behind.fetch().entries == 0
    assert Snapshot.of(behind) == before


def test_a_lie_in_the_answer_to_a_late_push_is_refused(scene: Scene, behind: Repository) -> None:
    """Who pushes too late gets what it lacks with the refusal; that is verified as any pull."""
    edit(behind, "req_2", name="Late")
    behind.commit("Late")

    def tamper(exchange: Exchange) -> Exchange:
        if "/push" not in exchange.path or exchange.status != 409:
            return exchange
        parts = taken_apart(exchange.body)
        return replace(exchange, body=join_parts(regrouped(parts, groups(parts)[1:])))

    scene.evil.tamper = tamper
    assert_refused(behind, behind.push, VerificationError, Layer.CHAIN)


def test_in_the_end_the_honest_server_is_believed(scene: Scene, behind: Repository) -> None:
    behind.pull()
    assert behind.log()[0].id == scene.newest.log("main")[0].id
    assert behind.fsck().clean
