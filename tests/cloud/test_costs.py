"""What Google bills for pushes and pulls, counted in the requests that reach the emulators."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sopor.repository import Repository
from sopor_core.ids import BranchId, OpId
from sopor_core.push_entry import PushEntry
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.parts import PartKind
from sopor_server.auth import Caller
from sopor_server.errors import Behind
from sopor_server.service.branches import change_branches
from sopor_server.service.context import Context
from sopor_server.service.grouping import DAY, Grouping
from sopor_server.service.pull import Since, pull
from sopor_server.service.push import Push, push
from tests.support.inside import served
from tests.support.stored import Household
from tests.support.story import Project, move
from tests.support.watched import WatchedCloud
from tests.support.weather import Billed
from tests.support.workload import workload
from tests.support.world import World

PUSH = Billed(reads=3, writes=3, class_a=1)
NOTHING_NEW = Billed(reads=2)


def cost_of(cloud: WatchedCloud, use: Callable[[Context], object]) -> Billed:
    before = cloud.billed
    use(cloud.context())
    return cloud.billed - before


@pytest.mark.parametrize("entries", [0, 10, 150])
def test_a_push_costs_the_same_after_any_history(
    cloud: WatchedCloud, home: Household, caller: Caller, project: Project, entries: int
) -> None:
    for number in range(entries):
        branch = BranchId.random() if number % 4 == 3 else project.main
        home.push(project, project.entry(home.keys, project.commit(), branch=branch))
    pack = b"a pack"
    entry = project.entry(home.keys, project.commit(), packs=[pack])
    request = Push(project.id, entry.encoded, [pack])
    assert cost_of(cloud, lambda context: push(context, caller, request)) == PUSH
    assert project.head.seq == entries
    project.took(entry)

    again = cost_of(cloud, lambda context: push(context, caller, request))
    assert again == Billed(reads=4)

    head = project.branches[project.main]
    created = project.entry(home.keys, ops=(move(BranchId.random(), None, head),))
    request = Push(project.id, created.encoded)
    moved = cost_of(cloud, lambda context: change_branches(context, caller, request))
    assert moved == Billed(reads=3, writes=3)
    project.took(created)

    newest = Since(project.head, home.org.head.seq)
    nothing = cost_of(cloud, lambda context: pull(context, caller, project.id, newest))
    assert nothing == NOTHING_NEW
    behind = Since(entry.citation, home.org.head.seq)
    one = cost_of(cloud, lambda context: pull(context, caller, project.id, behind))
    assert one == Billed(reads=4)


def test_who_loses_a_race_pays_for_what_it_lacks(
    cloud: WatchedCloud, home: Household, caller: Caller, project: Project
) -> None:
    pack = b"a pack"
    entry = project.entry(home.keys, project.commit(), packs=[pack])
    late = replace(entry, op=OpId.random()).sign(home.keys.signing)
    push(cloud.context(), caller, Push(project.id, entry.encoded, [pack]))

    def lose(context: Context) -> None:
        with pytest.raises(Behind):
            push(context, caller, Push(project.id, late.encoded, [pack]))

    # Head, organization, device, whether it landed, the entry; its pack.
    assert cost_of(cloud, lose) == Billed(reads=5, class_b=1)


def test_a_size_is_written_once_in_a_while_without_a_further_write(
    cloud: WatchedCloud, home: Household, caller: Caller, project: Project
) -> None:
    """Other processes learn what a project takes from the pin that a push writes anyway."""
    other = cloud.another_store()
    for number in range(3):
        pack = bytes([number]) * 600_000
        entry = project.entry(home.keys, project.commit(), packs=[pack])
        request = Push(project.id, entry.encoded, [pack])
        assert cost_of(cloud, lambda c, r=request: push(c, caller, r)) == PUSH  # type: ignore[misc]
        project.took(entry)
        seen = other.organization(home.org.id)
        known = cloud.store.organization(home.org.id)
        assert seen is not None
        assert known is not None
        assert known.bytes > 600_000 * (number + 1)
        assert 0 <= known.bytes - seen.bytes < 1024 * 1024


@pytest.mark.parametrize("documents", [10, 10_000])
def test_pushes_and_pulls_of_clients_keep_to_the_budget(
    cloud: WatchedCloud, tmp_path: Path, documents: int
) -> None:
    work = workload()
    with served(cloud.context()) as server:
        laptop = World(server, tmp_path).device("ada")
        work.write(laptop.folder / "project", documents)
        with laptop.start("project", {}) as repository:
            repository.commit("Import")
            repository.push()
            for number in (1, 2):
                assert edit_and_push(cloud, repository, number) == PUSH
            before = cloud.billed
            repository.pull()
            assert cloud.billed - before == NOTHING_NEW


def edit_and_push(cloud: WatchedCloud, repository: Repository, number: int) -> Billed:
    workload().edit_one(repository.root, number)
    repository.commit("Edit one")
    before = cloud.billed
    repository.push()
    return cloud.billed - before


def test_pushes_to_other_projects_of_the_organization_do_not_disturb(
    cloud: WatchedCloud, home: Household, project: Project
) -> None:
    """The pin of the organization writes nothing, so what others read of it stays true."""
    other = home.new_project()
    project.members = other.members
    cloud.store.project(other.id)
    cloud.store.organization(home.org.id)
    elsewhere = replace(home, store=cloud.another_store())
    for _ in range(3):
        elsewhere.push(project)
    before = cloud.billed
    home.push(other)
    assert cloud.billed - before == Billed(writes=3)


def test_joined_packs_cost_a_clone_less_and_others_nothing(
    cloud: WatchedCloud, home: Household, caller: Caller, project: Project
) -> None:
    def push_one(number: int) -> PushEntry:
        pack = b"pack %d" % number
        entry = project.entry(home.keys, project.commit(), packs=[pack])
        push(cloud.context(), caller, Push(project.id, entry.encoded, [pack]))
        project.took(entry)
        return entry

    entries = [push_one(number) for number in range(66)]

    def clone(context: Context) -> None:
        news = pull(context, caller, project.id, Since(EMPTY_LOG, 0))
        assert news is not None
        assert not news.more
        assert sum(part.kind is PartKind.PACK for part in news.parts) == 66

    alone = cost_of(cloud, clone)
    assert alone.class_b == 66
    later = time.time_ns() // 1_000_000 + DAY + 1
    assert Grouping(cloud.store, cloud.blobs, later, 8).run() == (64, 0)
    # Two groups, and their notes in the metadata.
    assert cost_of(cloud, clone) == replace(alone, reads=alone.reads + 2, class_b=4)

    newest = Since(project.head, home.org.head.seq)
    nothing = cost_of(cloud, lambda context: pull(context, caller, project.id, newest))
    assert nothing == NOTHING_NEW
    behind = Since(entries[-2].citation, home.org.head.seq)
    one = cost_of(cloud, lambda context: pull(context, caller, project.id, behind))
    assert one == Billed(reads=4, class_b=1)
    pack = b"one more"
    entry = project.entry(home.keys, project.commit(), packs=[pack])
    request = Push(project.id, entry.encoded, [pack])
    assert cost_of(cloud, lambda context: push(context, caller, request)) == PUSH
