"""A push costs what changed: its storage operations do not grow with the project's history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from sopor_core.ids import BranchId, OpId, ProjectId
from sopor_core.membership import Role
from sopor_core.push_entry import ListedCommit
from sopor_core.wire.events import Cursor, Place
from sopor_server.adapters.sqlite import projects
from sopor_server.auth import Caller
from sopor_server.errors import Behind
from sopor_server.service.branches import change_branches, revert
from sopor_server.service.context import Context
from sopor_server.service.events import poll, standings
from sopor_server.service.pull import Since, pull
from sopor_server.service.push import Push, push
from tests.support.counting import CountingBlobs, CountingStore
from tests.support.stored import Household
from tests.support.story import Project, move


@dataclass(frozen=True)
class Cost:
    reads: int
    writes: int
    blob_reads: int
    blob_writes: int


def cost_of(context: Context, use: Callable[[Context], object]) -> Cost:
    """Counts what a use case asks of the storages."""
    store, blobs = CountingStore(context.store), CountingBlobs(context.blobs)
    use(replace(context, store=store.port, blobs=blobs.port))
    return Cost(store.reads, store.writes, blobs.reads, blobs.writes)


@pytest.fixture(params=[10, 2000])
def long_project(request: pytest.FixtureRequest, home: Household, project: Project) -> Project:
    """A project with a history: a quarter of its entries on branches of their own."""
    for number in range(request.param):
        branch = BranchId.random() if number % 4 == 3 else project.main
        home.push(project, project.entry(home.keys, project.commit(), branch=branch))
    return project


def test_costs_do_not_grow(
    context: Context, caller: Caller, home: Household, long_project: Project
) -> None:
    project = long_project
    pack = b"a pack"
    entry = project.entry(home.keys, project.commit(), packs=[pack])
    request = Push(project.id, entry.encoded, [pack])
    assert cost_of(context, lambda counted: push(counted, caller, request)) == Cost(3, 3, 0, 1)
    project.took(entry)

    # The loser pays for what it lacks as well: the entry and its pack.
    late = replace(entry, op=OpId.random()).sign(home.keys.signing)
    lost = cost_of(context, lambda counted: lose(counted, caller, late.encoded, project))
    assert lost == Cost(5, 0, 1, 0)

    again = cost_of(context, lambda counted: push(counted, caller, request))
    assert again == Cost(4, 0, 0, 0)

    head = project.branches[project.main]
    created = project.entry(home.keys, ops=(move(BranchId.random(), None, head),))
    request = Push(project.id, created.encoded)
    assert cost_of(context, lambda counted: change_branches(counted, caller, request)) == Cost(
        3, 3, 0, 0
    )
    project.took(created)

    parent = head.parents[0]
    known = context.store.commits(project.id, [parent])[parent]
    back = replace(project.commit(root=known.root), same=parent)
    reverted = project.entry(home.keys, back)
    request = Push(project.id, reverted.encoded)
    assert cost_of(context, lambda counted: revert(counted, caller, request)) == Cost(3, 3, 0, 0)
    project.took(reverted)

    newest = Since(project.head, home.org.head.seq)
    assert cost_of(context, lambda counted: pull(counted, caller, project.id, newest)) == Cost(
        2, 0, 0, 0
    )
    one_behind = Since(created.citation, home.org.head.seq)
    assert cost_of(context, lambda counted: pull(counted, caller, project.id, one_behind)) == Cost(
        4, 0, 0, 0
    )


def lose(context: Context, caller: Caller, entry: bytes, project: Project) -> None:
    with pytest.raises(Behind):
        push(context, caller, Push(project.id, entry))


def ask(
    context: Context,
    caller: Caller,
    projects: list[ProjectId] | None,
    places: dict[ProjectId, Place],
) -> None:
    poll(context, caller, standings(context, caller, projects), Cursor(places))


def test_a_poll_that_finds_nothing_reads_each_project_and_organization_once(
    context: Context, caller: Caller, home: Household
) -> None:
    projects = [home.new_project() for _ in range(5)]
    others = Household.found(context.store)
    projects.append(others.new_project({home.keys: Role.EDITOR}))
    newest = {home.org.id: home.org.head.seq, others.org.id: others.org.head.seq}
    places = {project.id: Place(0, newest[project.org]) for project in projects}
    one = projects[0].id
    assert cost_of(context, lambda counted: ask(counted, caller, [one], {one: places[one]})) == (
        Cost(2, 0, 0, 0)
    )
    assert cost_of(context, lambda counted: ask(counted, caller, [*places], places)) == (
        Cost(6 + 2, 0, 0, 0)
    )
    assert cost_of(context, lambda counted: ask(counted, caller, None, places)) == (
        Cost(6 + 2, 0, 0, 0)
    )
    projects[0].members = home.org.head
    home.push(projects[0])
    assert cost_of(context, lambda counted: ask(counted, caller, [one], {one: places[one]})) == (
        Cost(4, 0, 0, 0)
    )


def test_a_push_makes_no_commits_that_it_does_not_ask_for(
    context: Context,
    caller: Caller,
    home: Household,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those of the newest commits come along with the project, but as they are stored."""
    for _ in range(70):
        home.push(project, project.entry(home.keys, project.commit()))
    made: list[bytes] = []
    make = projects._commit

    def counted(commit: bytes, parents: bytes, root: bytes) -> ListedCommit:
        made.append(commit)
        return make(commit, parents, root)

    monkeypatch.setattr(projects, "_commit", counted)
    entry = project.entry(home.keys, project.commit())
    push(context, caller, Push(project.id, entry.encoded))
    assert len(made) <= 2
    found = context.store.project(project.id, commits=64)
    assert found is not None
    assert len(found.known) == len(dict(found.known)) == 64
