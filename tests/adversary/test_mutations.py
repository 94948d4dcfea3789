"""Two random changes of what a server stores or answers: a named layer refuses, or nothing lies.

`make adversary` tries 100,000 of them and prints who refused how many.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from random import Random
from unittest.mock import patch

import pytest

from sopor.account import read_kit
from sopor.crypto.account import derive_login
from sopor_core import canonical
from sopor_core.errors import Layer
from sopor_core.push_entry import PushEntry
from tests.adversary.company import PROJECT, Company, forged_push
from tests.adversary.mutating import HONEST, Hoard, LoginTrial, MembersTrial, PullTrial
from tests.adversary.reading import Reader
from tests.adversary.scene import Held, Scene, asleep
from tests.support.evil import Parts
from tests.support.world import PASSWORD, Device

TRIES = int(os.environ.get("SOPOR_MUTATIONS", "2000"))
SEED = 20240229


def hoard_of(company: Company, scene: Scene, members: int, pushed: int) -> Hoard:
    """Returns what is true after so many entries; the rest and all foreign things are others."""
    bobs: Parts = forged_push(
        asleep(company.bob, f"mutates-{Random().randbytes(4).hex()}"), "Bob was never here"
    )
    helds: tuple[Held, ...] = (scene.shop, scene.other, scene.his)
    foreign = [data for held in helds for data in (*held.entries, *held.membership)]
    foreign += [pack for held in helds for packs in held.packs for pack in packs]
    own = [part.data for parts in company.pushed for part in parts]
    return Hoard(
        members=company.after[members:],
        entries=tuple(parts[0].data for parts in company.pushed[pushed:]),
        packs=tuple(part.data for parts in company.pushed[pushed:] for part in parts[1:]),
        others=(*foreign, *own, *company.after, *(part.data for part in bobs)),
    )


def pull_trial(company: Company, scene: Scene, reader: Reader, *, knows: int) -> PullTrial:
    """Returns a trial of a device that knows the first so many pushes, and the members then."""
    members = len(company.before) if knows else 0
    hoard = hoard_of(company, scene, members, knows)
    head = PushEntry.parse(company.pushed[-1][0].data).citation
    trial = PullTrial(reader, hoard, head, company.ends_after, knows_nothing=not knows)
    trial.learn()
    return trial


def login_trial(company: Company, device: Device, other: Device) -> LoginTrial:
    """Returns a trial of somebody who logs in on a new device."""
    account, theirs = device.account().remote.account(), other.account().remote.account()
    kit = read_kit(device.folder / "kit.txt")
    login = account.record.login
    assert kit.secret_key is not None
    keys = derive_login(PASSWORD, kit.secret_key, login, account.credentials.kdf)
    record, credentials, *others = (
        canonical.encode(each.to_json())
        for each in (account.record, account.credentials, theirs.record, theirs.credentials)
    )
    return LoginTrial(keys, login, record, credentials, (record, credentials, *others))


@pytest.fixture(autouse=True)
def _nothing_to_sync() -> Iterator[None]:
    """Nothing here outlives its transaction, so no disk is waited for."""
    with patch("os.fsync"):
        yield


def tell(what: str, counts: Counter[str]) -> None:
    """Prints who refused how many."""
    layers = ", ".join(f"{layer} {count}" for layer, count in counts.most_common())
    print(f"\n{counts.total():,} mutations of {what}: {layers}")


def check(counts: Counter[str], tries: int) -> None:
    """Every one was refused by a layer that SPEC names, or was no lie; most were refused."""
    assert counts.keys() <= {*map(str, Layer), HONEST}
    assert counts.total() == tries
    assert counts[HONEST] < tries / 3


def test_mutated_answers_to_a_pull_are_refused(company: Company, scene: Scene) -> None:
    drawn = Random(SEED)
    with Reader.of(asleep(company.asleep_carol, "mutated"), PROJECT) as reader:
        trial = pull_trial(company, scene, reader, knows=2)
        counts = Counter(trial.run(drawn) for _ in range(TRIES // 2))
    tell("answers to a pull", counts)
    check(counts, TRIES // 2)
    assert counts.keys() >= {"wire", "canonical", "parse", "chain", "signature", "pack", "fork"}


def test_mutated_answers_to_a_clone_are_refused(company: Company, scene: Scene) -> None:
    drawn = Random(SEED + 1)
    with Reader.of(asleep(company.asleep_carol, "cloned"), PROJECT) as reader:
        trial = pull_trial(company, scene, reader, knows=0)
        counts = Counter(trial.run(drawn) for _ in range(TRIES // 10))
    tell("answers to a clone", counts)
    check(counts, TRIES // 10)


def test_mutated_logs_of_the_members_are_refused(company: Company, scene: Scene) -> None:
    drawn = Random(SEED + 2)
    trial = MembersTrial(company.org, hoard_of(company, scene, 0, 0))
    counts = Counter(trial.run(drawn) for _ in range(TRIES // 5))
    tell("membership logs", counts)
    check(counts, TRIES // 5)


def test_mutated_records_of_an_account_are_refused(company: Company) -> None:
    drawn = Random(SEED + 3)
    trial = login_trial(company, company.bob, company.vic)
    counts = Counter(trial.run(drawn) for _ in range(TRIES // 5))
    tell("records of an account", counts)
    check(counts, TRIES // 5)
