"""What Firestore's limits on documents and names would refuse is kept all the same."""

from __future__ import annotations

import pytest

from sopor_core.ids import BranchId, CommitId
from sopor_core.limits import MAX_ENTRY_BYTES, MAX_OPS
from sopor_core.push_entry import MAX_LABEL_BYTES, BranchOp
from sopor_server.adapters.firestore.branches import MOST_IN_HEAD, read_branches
from tests.support.stored import Household
from tests.support.story import Keys, Project, move
from tests.support.watched import WatchedCloud

ALL = 2**40


@pytest.mark.parametrize("commits", [4000, 2800])
def test_the_longest_entries_come_back_whole(
    cloud: WatchedCloud, home: Household, project: Project, commits: int
) -> None:
    parents = [CommitId.random() for _ in range(8 if commits < 4000 else 1)]
    chain = [project.commit(*parents) for _ in range(commits)]
    before = cloud.billed
    entry = home.push(project, project.entry(home.keys, *chain))
    cost = cloud.billed - before
    is_long = len(entry.encoded) > 1024 * 1024
    assert is_long == (commits < 4000)
    assert len(entry.encoded) <= MAX_ENTRY_BYTES
    assert cost.writes == (4 if is_long else 3)
    after = home.push(project)
    log = [entry.encoded, after.encoded]
    assert list(cloud.store.push_entries(project.id, 0, 9, ALL)) == log
    assert list(cloud.store.push_entries(project.id, 0, 9, 1)) == log[:1]
    last = chain[-1]
    assert cloud.store.commits(project.id, [last.id])[last.id] == last


def test_branches_beyond_what_a_document_holds(
    cloud: WatchedCloud, home: Household, project: Project
) -> None:
    head = home.push(project).commits[-1]
    label = bytes(MAX_LABEL_BYTES)
    created = 0
    costs: list[int] = []

    def change(*ops: BranchOp) -> None:
        before = cloud.billed
        home.push(project, project.entry(home.keys, ops=ops))
        costs.append((cloud.billed - before).writes)

    while created * len(label) < 2.3 * MOST_IN_HEAD:
        ops = [BranchOp(BranchId.random(), None, head.id, label) for _ in range(MAX_OPS)]
        change(*ops)
        created += MAX_OPS
    branches = list(project.branches)
    change(*(move(branch, head, None) for branch in branches[1:40]))
    change(BranchOp(branches[1], None, head.id, b"again"))
    found = cloud.another_store().project(project.id)
    assert found is not None
    assert {name: value.head.id for name, value in found.branches.items()} == {
        name: commit.id for name, commit in project.branches.items()
    }
    assert found.branches[branches[1]].label == b"again"
    assert found.branches[branches[-1]].label == label
    # Two of the many pushes wrote pages; the others cost what every push costs.
    assert sorted(costs)[:-2] == [3] * (len(costs) - 2)
    assert max(costs) <= 5


def test_a_reader_of_pages_that_are_replaced_reads_again(
    cloud: WatchedCloud, home: Household, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sopor_server.adapters.firestore.branches.MOST_IN_HEAD", 400)
    head = home.push(project).commits[-1]

    def create() -> None:
        ops = (move(BranchId.random(), None, head),)
        home.push(project, project.entry(home.keys, ops=ops))

    for _ in range(8):
        create()
    old = cloud.store._projects._read(project.id)
    assert old is not None
    assert old.fields["pages"]
    while cloud.store._projects._read(project.id).fields["pages"] == old.fields["pages"]:  # type: ignore[union-attr]
        create()
    assert read_branches(cloud.store._database, old) is None
    found = cloud.another_store().project(project.id)
    assert found is not None
    assert found.branches.keys() == project.branches.keys()


@pytest.mark.parametrize("login", [".", "..", "__dunder__", "a/b", "/", "ä" * 800, "x" * 1600])
def test_logins_that_would_be_no_names_of_documents(cloud: WatchedCloud, login: str) -> None:
    home = Household.found(cloud.store, Keys(login))
    found = cloud.store.account_by_login(login)
    assert found is not None
    assert found.id == home.keys.account
