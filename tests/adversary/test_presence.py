"""Notes of presence that a server, a member or a former member forges, moves or replays (SPEC 14).

None of them is shown, none changes anything, and who is truly there is shown beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from secrets import token_hex

import pytest

from sopor.account import Account
from sopor.crypto.keys import EpochSecret, ProjectKeys
from sopor.crypto.presence import Desk, Note, seal_note
from sopor.moments import now
from sopor.repository import Repository
from sopor.repository.connection import Connection
from sopor.repository.presence import Teller
from sopor_core.encoding import b64encode
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import DeviceId, ProjectId
from tests.adversary.company import PROJECT, Company
from tests.adversary.scene import asleep
from tests.support.evil import Snapshot
from tests.support.tampering import Exchange
from tests.support.world import Device

MINUTE = 60 * 1000


@dataclass(frozen=True)
class Desks:
    """Carol and Vic are at work on main; Ada looks. Nothing of the company is changed."""

    company: Company
    ada: Repository
    carol: Repository
    vic: Repository

    def shown(self) -> list[tuple[str, str]]:
        """Returns who is shown to Ada, by login and branch."""
        return [(one.by, one.branch) for one in self.ada.presence()]

    @property
    def truth(self) -> list[tuple[str, str]]:
        return sorted((account(who).login, "main") for who in (self.carol, self.vic))

    def show(self, change: Callable[[list[dict[str, object]]], list[dict[str, object]]]) -> None:
        """Has the server answer other notes from now on."""

        def tamper(exchange: Exchange) -> Exchange:
            if exchange.method != "GET" or not exchange.path.endswith("/presence"):
                return exchange
            return exchange.with_json({"presence": change(exchange.json["presence"])})

        self.company.evil.tamper = tamper

    def add(self, desk: Desk, sealed: bytes) -> None:
        """Has the server show one more note, before those that there are."""
        more = {
            "account": desk.account.b64,
            "device": desk.device.b64,
            "sealed": b64encode(sealed),
            "expires": now() + MINUTE,
        }
        self.show(lambda notes: [more, *notes])


def account(repository: Repository) -> Account:
    return Connection.of(repository.context).account


def desk_of(repository: Repository) -> Desk:
    who = account(repository)
    return Desk(repository.context.project, who.identity.account, who.device)


def sealed_by(repository: Repository, desk: Desk, **change: int) -> bytes:
    """Returns a note for a desk as whoever has this working copy can make it."""
    note = Note("spoofed", "laptop", since=0, time=now() + change.get("later", 0))
    keys = repository.context.keys
    return seal_note(keys, change.get("epoch", keys.newest), desk, note, account(repository).keys)


@pytest.fixture
def desks(company: Company) -> Iterator[Desks]:
    def opened(device: Device) -> Repository:
        repository = asleep(device, token_hex(4)).open(PROJECT)
        repository.pull()
        return repository

    with opened(company.ada) as ada, opened(company.carol) as carol, opened(company.vic) as vic:
        for repository in (carol, vic):
            Teller(repository.context).tell("main")
        yield Desks(company, ada, carol, vic)
        company.evil.honest()
        for repository in (carol, vic):
            Teller(repository.context).end()


def check(desks: Desks) -> None:
    """Asserts that Ada is shown the truth, and that nothing of hers changes by it."""
    before = Snapshot.of(desks.ada)
    assert desks.shown() == desks.truth
    assert Snapshot.of(desks.ada) == before


def test_the_truth_is_shown(desks: Desks) -> None:
    check(desks)
    assert len(desks.truth) == 2


def test_another_member_forges_no_note(desks: Desks) -> None:
    """Carol has the project's key, but not Vic's: a viewer's place is safe from an editor."""
    for desk in (
        desk_of(desks.vic),
        replace(desk_of(desks.vic), device=DeviceId.random()),
        desk_of(desks.ada),
    ):
        desks.add(desk, sealed_by(desks.carol, desk))
        check(desks)


def test_a_note_is_not_moved_to_another_device_or_person(desks: Desks) -> None:
    def at_another_device(notes: list[dict[str, object]]) -> list[dict[str, object]]:
        return [*notes, *({**note, "device": DeviceId.random().b64} for note in notes)]

    desks.show(at_another_device)
    check(desks)

    def swapped(notes: list[dict[str, object]]) -> list[dict[str, object]]:
        one, other = notes
        crossed = [{**one, "sealed": other["sealed"]}, {**other, "sealed": one["sealed"]}]
        exchanged = [{**one, "account": other["account"]}, {**one, "device": other["device"]}]
        return crossed + exchanged

    desks.show(swapped)
    assert desks.shown() == []
    desks.show(lambda notes: swapped(notes) + notes)
    check(desks)


def test_a_note_is_not_moved_to_another_project_or_epoch(desks: Desks) -> None:
    context, desk = desks.vic.context, desk_of(desks.vic)
    elsewhere = replace(desk, project=ProjectId.random())
    secrets = {epoch: context.keys.secret(epoch) for epoch in (1, 2)}
    keys, signer = ProjectKeys(elsewhere.project, secrets), account(desks.vic).keys
    note = Note("spoofed", "laptop", since=0, time=now())
    desks.add(desk, seal_note(keys, 2, elsewhere, note, signer))
    check(desks)
    # What was sealed before the removal is not said to be of the present epoch, nor a later one.
    old = sealed_by(desks.vic, desk, epoch=1)
    for epoch in (1, 2, 3):
        desks.add(desk, epoch.to_bytes(4, "big") + old[4:])
        check(desks)


def test_an_old_note_is_not_played_again(desks: Desks) -> None:
    for later in (-6 * MINUTE, 6 * MINUTE):
        desks.add(desk_of(desks.vic), sealed_by(desks.vic, desk_of(desks.vic), later=later))
        check(desks)


def test_a_note_with_a_changed_bit_is_not_shown(desks: Desks) -> None:
    desk = desk_of(desks.vic)
    sealed = sealed_by(desks.vic, desk)
    for place in (0, 3, 4, 15, 16, 100, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[place] ^= 1
        desks.add(desk, bytes(changed))
        check(desks)
    for damaged in (b"", sealed[:3], sealed[:40], sealed[:-1], sealed + b"\0"):
        desks.add(desk, damaged)
        check(desks)


def test_who_was_removed_is_not_shown(desks: Desks) -> None:
    """Bob has all keys of before, and the server on his side."""
    with asleep(desks.company.bob, "present").open(PROJECT) as bob:
        desk = desk_of(bob)
        desks.add(desk, sealed_by(bob, desk))
        check(desks)
        secrets = {1: bob.context.keys.secret(1), 2: EpochSecret.random()}
        guessed = ProjectKeys(desk.project, secrets)
        note = Note("spoofed", "laptop", since=0, time=now())
        desks.add(desk, seal_note(guessed, 2, desk, note, account(bob).keys))
        check(desks)
        # Nor does the present key help him that a member gave away.
        leaked = desks.carol.context.keys
        desks.add(desk, seal_note(leaked, leaked.newest, desk, note, account(bob).keys))
        check(desks)


def test_who_joined_or_was_rekeyed_since_is_looked_up(company: Company) -> None:
    """Ada's device of before the removal learns of the new epoch by the first note of it."""
    with (
        asleep(company.asleep_ada, "looks").open(PROJECT) as ada,
        asleep(company.carol, "tells").open(PROJECT) as carol,
    ):
        teller = Teller(carol.context)
        teller.tell("main")
        assert ada.context.keys.newest == 1
        assert [one.branch for one in ada.presence()] == ["main"]
        assert ada.context.keys.newest == 2
        teller.end()


@pytest.mark.parametrize(
    "notes",
    [
        [{"account": "x"}],
        [{"account": "x", "device": "y", "sealed": "z", "expires": 1}],
        ["text"],
        [{}] * 201,
    ],
)
def test_answers_out_of_shape_are_refused(desks: Desks, notes: list[dict[str, object]]) -> None:
    desks.show(lambda _: notes)
    with pytest.raises(VerificationError) as refused:
        desks.ada.presence()
    assert refused.value.layer in {Layer.WIRE, Layer.PARSE}
