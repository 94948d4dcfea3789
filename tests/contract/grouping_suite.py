"""The joining of small packs as stories that every pair of storages must tell alike."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import pytest

from sopor_core.ids import ProjectId, ServerId
from sopor_core.push_entry import PushEntry
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.parts import PartKind
from sopor_server.auth import Caller, ServerIdentity
from sopor_server.service.context import Context
from sopor_server.service.grouping import SMALL
from sopor_server.service.housekeeping import Report
from sopor_server.service.packs import find_pack, read_pack
from sopor_server.service.pull import Since, pull
from sopor_server.throttle import Throttle
from tests.contract.housekeeping_suite import House
from tests.support.story import pack_id

Forget = Callable[[ProjectId], None]
"""Takes from the metadata what a restore to a point before any joining would not have."""


class KilledError(Exception):
    """Ends a run in its middle."""


def context_of(house: House) -> Context:
    """Returns a context of use cases on the storages of a house."""
    return Context(
        store=house.store,
        blobs=house.blobs,
        server=ServerIdentity(ServerId.random(), secrets.token_bytes(32)),
        quota_bytes=0,
        registration_open=True,
        by_address=Throttle(100_000, 0.001),
    )


def caller_of(house: House) -> Caller:
    return Caller(house.home.keys.account, house.home.device.id)


def clone(house: House) -> list[bytes]:
    """Pulls from the start until nothing is left; returns the packs in their order."""
    context, packs = context_of(house), list[bytes]()
    place, members = EMPTY_LOG, 0
    while news := pull(context, caller_of(house), house.project.id, Since(place, members)):
        assert news.parts
        for part in news.parts:
            members += part.kind is PartKind.MEMBERSHIP_ENTRY
            if part.kind is PartKind.PUSH_ENTRY:
                place = PushEntry.parse(part.data).citation
            if part.kind is PartKind.PACK:
                packs.append(part.data)
    return packs


def small_packs(number: int) -> list[bytes]:
    return [b"pack %d " % n * (1 + n % 7) for n in range(number)]


def push(house: House, *packs: bytes) -> None:
    for pack in packs:
        house.put(pack)
        house.push(pack)


def standing(house: House, prefix: str = "packs") -> int:
    return len(list(house.blobs.list(prefix)))


def killed_at(house: House, patch: pytest.MonkeyPatch, number: int) -> None:
    """Lets the storages' calls that change something end the run, before or after they do."""
    numbers = count()

    def watch(owner: object, name: str) -> None:
        call: Callable[..., Any] = getattr(owner, name)

        def killing(*arguments: Any) -> Any:
            place = next(numbers)
            if place == number // 2 and number % 2 == 0:
                raise KilledError
            result = call(*arguments)
            if place == number // 2:
                raise KilledError
            return result

        patch.setattr(owner, name, killing)

    for name in ("compose", "put", "delete"):
        watch(house.blobs, name)
    for name in ("add_group", "clear_groups"):
        watch(house.store, name)


class GroupingStories:
    """Subclasses give the fixtures `house` and `forget`."""

    def test_small_packs_are_joined_and_stand_alone_no_more_in_the_end(self, house: House) -> None:
        packs = small_packs(70)
        push(house, *packs)
        assert house.keep(0.9).joined == 0
        assert house.keep(1.1).joined == 64
        assert (standing(house), standing(house, "groups")) == (70, 2)
        assert clone(house) == packs
        for day in (2, 5, 9):
            report = house.keep(day)
            assert (report.joined, report.cleared) == (0, 0)
            assert (standing(house), standing(house, "groups")) == (70, 2)
        assert house.keep(9.2).cleared == 64
        assert (standing(house), standing(house, "groups")) == (6, 2)
        assert clone(house) == packs
        assert house.keep(40, everything=True) == Report(looked_at=6)
        assert clone(house) == packs

    def test_a_pack_in_a_group_is_found_by_itself(self, house: House) -> None:
        packs = small_packs(32)
        push(house, *packs)
        house.keep(1.1)
        house.keep(9.2)
        assert standing(house) == 0
        context = context_of(house)
        for pack in packs:
            id_ = pack_id(pack)
            assert find_pack(context, caller_of(house), house.project.id, id_) == len(pack)
            assert read_pack(context, house.project.id, id_, 0, len(pack)) == pack
            assert read_pack(context, house.project.id, id_, 2, 5) == pack[2:5]

    def test_large_and_young_packs_stand_by_themselves(self, house: House) -> None:
        packs = small_packs(31)
        large = secrets.token_bytes(SMALL)
        push(house, *packs[:20], large, *packs[20:])
        assert house.keep(1.1).joined == 0
        push(house, b"the 32nd")
        assert house.keep(1.1).joined == 32
        house.keep(9.2)
        assert [blob.size for blob in house.blobs.list("packs")] == [SMALL]
        assert clone(house) == [*packs[:20], large, *packs[20:], b"the 32nd"]

    def test_packs_of_one_entry_are_joined_as_far_as_there_is_room(self, house: House) -> None:
        packs = small_packs(45)
        for start in range(0, 45, 5):
            for pack in packs[start : start + 5]:
                house.put(pack)
            house.push(*packs[start : start + 5])
        assert house.keep(1.1).joined == 32
        house.keep(9.2)
        assert (standing(house), standing(house, "groups")) == (13, 1)
        assert clone(house) == packs

    def test_a_pack_that_is_listed_again_later_is_found_in_its_first_group(
        self, house: House
    ) -> None:
        packs = small_packs(70)
        push(house, *packs[:32])
        house.keep(1.1)
        push(house, *packs[32:50])
        house.push(packs[3])
        push(house, *packs[50:])
        house.keep(1.2)
        house.keep(9.4)
        assert standing(house) == 6
        assert clone(house) == [*packs[:50], packs[3], *packs[50:]]

    def test_a_restore_to_before_the_joining_finds_all_packs(
        self, house: House, forget: Forget
    ) -> None:
        packs = small_packs(70)
        push(house, *packs)
        house.keep(1.1)
        for day in (3, 6, 8.9):
            house.keep(day)
        forget(house.project.id)
        for blob in list(house.blobs.list("groups")):
            house.blobs.delete(blob.key)
        assert clone(house) == packs
        # The joining begins anew, and so do the days for which nothing is taken away.
        assert house.keep(9).joined == 64
        assert house.keep(16.9).cleared == 0
        assert clone(house) == packs
        assert house.keep(17.1).cleared == 64
        assert clone(house) == packs

    def test_groups_of_a_lost_history_are_removed_in_two_steps(
        self, house: House, forget: Forget
    ) -> None:
        packs = small_packs(33)
        push(house, *packs)
        assert house.keep(1.1).joined == 32
        forget(house.project.id)
        # The first pack is lost, so that another group is made than before.
        house.blobs.delete(next(b.key for b in house.blobs.list("packs") if _is(b.key, packs[0])))
        assert house.keep(2).joined == 32
        assert standing(house, "groups") == 2
        assert standing(house, "lost-groups") == 1
        assert house.keep(7.9).freed == 0
        assert house.keep(8.1).freed == sum(map(len, packs[:32]))
        assert (standing(house, "groups"), standing(house, "lost-groups")) == (1, 0)
        assert clone(house) == packs[1:]

    def test_a_run_may_be_killed_anywhere(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        packs = small_packs(70)
        push(house, *packs)
        for day, alone in ((1.1, 70), (9.9, 6)):
            for number in count():
                done = False
                with monkeypatch.context() as patch, suppress(KilledError):
                    killed_at(house, patch, number)
                    house.keep(day)
                    done = True
                assert clone(house) == packs
                if done:
                    break
            assert number > 3
            assert standing(house) == alone
            assert standing(house, "groups") == 2
        assert clone(house) == packs
        assert house.keep(20, everything=True) == Report(looked_at=6)

    def test_no_pack_is_deleted_while_its_group_is_missing_or_damaged(self, house: House) -> None:
        packs = small_packs(64)
        push(house, *packs)
        house.keep(1.1)
        first, second = sorted(blob.key for blob in house.blobs.list("groups"))
        house.blobs.delete(first)
        assert clone(house) == packs
        assert house.keep(9.2).cleared == 0
        assert standing(house, "groups") == 2
        damaged = bytes(len(house.blobs.get(second)))
        house.blobs.delete(second)
        house.blobs.put(second, damaged)
        assert house.keep(9.3).cleared == 32
        assert standing(house) == 32
        assert clone(house) == packs


def _is(key: str, pack: bytes) -> bool:
    return key.endswith(f"/{pack_id(pack).hex()}")
