"""Pushes until they land, in whatever process."""

from __future__ import annotations

from sopor_core.ids import CommitId, StateRoot
from sopor_core.push_entry import Citation, ListedCommit, PushEntry
from sopor_server.ports.errors import LogMoved, MembershipMoved
from sopor_server.ports.metadata import MetadataStore
from sopor_server.ports.records import Branch, PushAppend
from tests.contract.opening import ALL, Opener
from tests.support.story import TIME, Keys, Project, move


def read_log(store: MetadataStore, project: Project) -> list[PushEntry]:
    """Returns the whole push log."""
    return [PushEntry.parse(data) for data in store.push_entries(project.id, 0, 10_000, ALL)]


def push_until_landed(
    store: MetadataStore, keys: Keys, project: Project, count: int
) -> list[CommitId]:
    """Pushes commits one by one, each until it wins; returns their ids."""
    landed: list[CommitId] = []
    while len(landed) < count:
        found = store.project(project.id)
        assert found is not None
        branch = found.branches.get(project.main)
        commit = ListedCommit(
            CommitId.random(), (branch.head.id,) if branch else (), StateRoot.random()
        )
        entry = project.entry(
            keys,
            commit,
            seq=found.head.seq + 1,
            prev=found.head.hash,
            members=_membership(store, project),
            ops=(move(project.main, branch.head if branch else None, commit),),
        )
        changes = {project.main: Branch(commit, b"label", 1)}
        try:
            store.append_push(PushAppend(entry, project.org, changes, TIME))
        except (LogMoved, MembershipMoved):
            continue
        landed.append(commit.id)
    return landed


def _membership(store: MetadataStore, project: Project) -> Citation:
    found = store.organization(project.org)
    assert found is not None
    return found.head


def push_in_process(opener: Opener, login: str, project: Project, count: int) -> list[CommitId]:
    """Does `push_until_landed` with a store and keys of its own; stores check no signatures."""
    store = opener()
    try:
        return push_until_landed(store, Keys(login), project, count)
    finally:
        store.close()
