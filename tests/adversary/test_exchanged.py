"""Each stored byte string in the place of each other one: refused by name (P4).

First as the server can do it; then as somebody could who may sign entries: what is sealed opens in
no other place than its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import permutations
from random import randbytes

import pytest

from sopor.crypto.account import AccountKeys
from sopor.crypto.epochs import open_epochs, unlock_scope
from sopor.crypto.keys import EpochSecret, ProjectKeys
from sopor.crypto.labels import open_branch_label, open_organization_label, open_project_label
from sopor.crypto.pack import OpenedPack, PackHeader
from sopor.crypto.pack.layout import HEADER_BYTES
from sopor.crypto.wraps import HOME, WrapContext
from sopor.errors import VerificationError
from sopor.organization import managing
from sopor_core.membership import (
    Epoch,
    Genesis,
    MembershipEntry,
    MembershipLog,
    OrgSet,
    ProjectNew,
    Scope,
)
from sopor_core.push_entry import PushEntry
from tests.adversary.company import PROJECT, Company, membership
from tests.adversary.loot import epochs_of
from tests.adversary.mutating import HONEST, Answered
from tests.adversary.reading import Reader
from tests.adversary.scene import Scene, asleep
from tests.adversary.test_mutations import hoard_of, pull_trial


@pytest.mark.parametrize("kind", ["members", "entries", "packs"])
def test_every_stored_string_in_the_place_of_every_other_is_refused(
    company: Company, scene: Scene, kind: str
) -> None:
    """Others are entries and packs of the same and of other projects, organizations and epochs."""
    device = asleep(company.asleep_carol, randbytes(4).hex())
    with Reader.of(device, PROJECT) as reader:
        trial = pull_trial(company, scene, reader, knows=2)
        others = hoard_of(company, scene, len(company.before), 2).others
        assert len(set(others)) > 50
        taken = 0
        for at in range(len(getattr(trial.hoard, kind))):
            true = getattr(trial.hoard, kind)[at]
            for other in set(others) - {true}:
                answer = Answered.honest(trial.hoard, trial.head, trial.ends)
                getattr(answer, kind)[at] = other
                answer.stored = list(answer.packs)
                taken += trial.show(answer, answer.body()) == HONEST
        assert taken == 0


@dataclass(frozen=True)
class Sealed:
    """Something sealed, and how it is opened in its place."""

    name: str
    data: bytes
    open: Callable[[bytes], object]


def in_members(log: MembershipLog, entry: MembershipEntry, keys: AccountKeys) -> Iterator[Sealed]:
    """Yields what Ada can open of a membership entry."""
    me = keys.identity.account
    for scope, epoch in epochs_of(entry):
        place = f"of {scope.short}, epoch {epoch.number}"
        bound = HOME if scope == log.home else log.org
        context = WrapContext(bound, scope, epoch.number, me)
        unwrap = partial(keys.unwrap, context=context, commitment=epoch.commitment)
        yield Sealed(f"the wrap {place}", epoch.wraps[me], unwrap)
        if epoch.number > 1:
            known = unlock_scope(log, scope, me, keys).secret(epoch.number)
            previous = partial(open_previous, known, scope, log.epochs(scope), epoch)
            yield Sealed(f"the previous secret {place}", epoch.previous, previous)
    body = entry.body
    home = unlock_scope(log, log.home, me, keys)
    if isinstance(body, Genesis):
        yield Sealed("the first name", body.label, partial(open_organization_label, home, 1))
    if isinstance(body, OrgSet) and body.label is not None:
        opens = partial(open_organization_label, home, body.label.epoch)
        yield Sealed("the new name", body.label.sealed, opens)
    if isinstance(body, ProjectNew):
        opens = partial(open_project_label, unlock_scope(log, body.project, me, keys), 1)
        yield Sealed(f"the name of {body.project.short}", body.label, opens)


def open_previous(
    secret: EpochSecret, scope: Scope, epochs: Sequence[Epoch], epoch: Epoch, data: bytes
) -> object:
    before = epochs[epoch.number - 2]
    return open_epochs(secret, scope, [before, replace(epoch, previous=data)])


def in_pushes(company: Company, keys: ProjectKeys) -> Iterator[Sealed]:
    """Yields the sealed names of branches."""
    for parts in company.pushed:
        entry = PushEntry.parse(parts[0].data)
        for op in entry.ops:
            if op.label is not None:
                opens = partial(open_branch_label, keys, entry.epoch, op.branch)
                yield Sealed(f"the branch {op.branch.short}", op.label, opens)


def test_nothing_sealed_opens_in_another_place(company: Company) -> None:
    """A second project has keys and a name of its own; all epochs of all scopes are there."""
    ada = asleep(company.ada, randbytes(4).hex())
    managing.create_project(ada.team(), "second")
    managing.rotate(ada.team(), [])
    entries, keys = membership(ada), ada.account().keys
    log = MembershipLog.replay(company.org, entries)
    project = unlock_scope(log, company.project, keys.identity.account, keys)
    sealed = [
        thing
        for entry in map(MembershipEntry.parse, entries)
        for thing in in_members(log, entry, keys)
    ]
    sealed += in_pushes(company, project)
    for thing in sealed:
        thing.open(thing.data)
    assert len(sealed) > 12
    for place, other in permutations(sealed, 2):
        with pytest.raises(VerificationError):
            place.open(other.data)


def test_a_pack_opens_in_no_other_project_and_epoch(company: Company, scene: Scene) -> None:
    ada = asleep(company.ada, randbytes(4).hex())
    with ada.open(PROJECT) as repository:
        keys = repository.context.keys
    for parts in company.pushed:
        for part in parts[1:]:
            opened(keys, part.data)
            header = PackHeader.parse(part.data[:HEADER_BYTES])
            moved = replace(header, epoch=3 - header.epoch).encode() + part.data[HEADER_BYTES:]
            with pytest.raises(VerificationError):
                opened(keys, moved)
    for pack in (*scene.shop.packs[0], *scene.other.packs[0], *scene.his.packs[0]):
        with pytest.raises(VerificationError):
            opened(keys, pack)


def opened(keys: ProjectKeys, data: bytes) -> list[object]:
    """Opens all of a pack, whose hash is as whoever lies says; bases do not matter here."""
    pack = OpenedPack(keys, lambda offset, size: data[offset : offset + size], len(data))
    return [pack.epoch]
