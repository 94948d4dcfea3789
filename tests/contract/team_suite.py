"""The part of the contract of metadata that teams need: cuts, deletions, new keys."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from sopor_core.ids import NO_ENTRY, AccountId, EntryHash, ProjectId
from sopor_core.limits import MIB
from sopor_core.membership import MembershipLog, Role, Status
from sopor_core.push_entry import Citation
from sopor_server.ports.errors import CredentialsMoved, HeadsMoved, LogMoved, MembershipMoved
from sopor_server.ports.metadata import MetadataStore
from tests.contract.opening import ALL, Opener, Suite
from tests.contract.pushing import push_in_process, read_log
from tests.contract.racing import in_processes, in_threads
from tests.support.stored import Household, device_of, new_keys
from tests.support.story import TIME, Keys, Project
from tests.support.teams import Code

EMPTY = Citation(0, NO_ENTRY)


class TeamContract(Suite):
    """Cuts of push logs, deleted projects, new keys of an account."""

    def test_a_cut_holds_where_nothing_was_pushed_since(
        self, store: MetadataStore, home: Household
    ) -> None:
        guest = new_keys()
        project, empty = home.new_project({guest: Role.EDITOR}), home.new_project()
        project.members = home.org.head
        home.push(project)
        heads = {project.id: project.head, empty.id: EMPTY}
        assert store.heads([project.id, ProjectId.random(), empty.id]) == heads
        assert store.heads([]) == {}
        entry = home.team.entry(home.keys, home.team.remove(guest.account, heads))
        home.grow(home.append_of(entry, heads))
        assert store.organization(home.org.id) == replace(home.org, bytes=home.stored())
        assert guest.account not in home.org.members
        assert store.heads(heads) == heads

    @pytest.mark.parametrize("odd", ["behind", "ahead", "another", "unknown"])
    def test_a_cut_behind_which_something_was_pushed_is_refused(
        self, store: MetadataStore, home: Household, odd: str
    ) -> None:
        project, other = home.new_project(), home.new_project()
        project.members = other.members
        home.push(project)
        cuts = {
            "behind": {project.id: EMPTY},
            "ahead": {project.id: Citation(2, EntryHash.random())},
            "another": {project.id: Citation(1, EntryHash.random())},
            "unknown": {project.id: project.head, ProjectId.random(): EMPTY},
        }
        heads = {other.id: other.head, **cuts[odd]}
        wrong = home.append_of(home.team.entry(home.keys, home.team.rotate([project.id])), heads)
        before = store.organization(home.org.id)
        with pytest.raises(HeadsMoved):
            store.append_membership(wrong)
        assert store.organization(home.org.id) == before
        assert list(store.membership_entries(home.org.id, home.org.head.seq, ALL)) == []
        present = store.heads([project.id, other.id])
        body = home.team.rotate([project.id, other.id], present)
        home.grow(home.append_of(home.team.entry(home.keys, body), present))

    def test_a_head_that_moved_is_told_after_a_log_that_moved(
        self, store: MetadataStore, home: Household
    ) -> None:
        project = home.new_project()
        heads = {project.id: Citation(5, EntryHash.random())}
        late = home.append_of(home.team.entry(home.keys, home.team.rotate([project.id])), heads)
        home.grow()
        with pytest.raises(LogMoved):
            store.append_membership(late)

    def test_a_cut_again_is_success_whatever_was_pushed_since(
        self, store: MetadataStore, home: Household
    ) -> None:
        project = home.new_project()
        heads = {project.id: project.head}
        body = home.team.rotate([project.id], heads)
        cut = home.grow(home.append_of(home.team.entry(home.keys, body), heads))
        project.members = home.org.head
        home.push(project, project.entry(home.keys, project.commit(), epoch=2))
        store.append_membership(cut)
        assert store.organization(home.org.id) == replace(home.org, bytes=home.stored())

    def test_of_a_push_and_a_cut_at_once_one_wins(
        self, store: MetadataStore, home: Household
    ) -> None:
        project = home.new_project()
        for _ in range(12):
            project.members = home.org.head
            heads = {project.id: project.head}
            body = home.team.rotate([project.id], heads)
            cut = home.append_of(home.team.entry(home.keys, body), heads)
            entry = project.entry(home.keys, project.commit())
            push = home.appending(project, entry)
            cutting, pushing = in_threads(
                [partial(store.append_membership, cut), partial(store.append_push, push)]
            )
            if cutting is None:
                assert isinstance(pushing, MembershipMoved)
                home.took(cut)
            else:
                assert isinstance(cutting, HeadsMoved)
                assert pushing is None
                project.took(entry)
            assert store.heads([project.id]) == {project.id: project.head}

    def test_in_processes_no_push_comes_between_a_cut_and_its_entry(
        self, opener: Opener, store: MetadataStore, home: Household
    ) -> None:
        project = home.new_project()
        outcomes = in_processes(
            [
                (push_in_process, opener, home.keys.login, project, 20),
                (push_in_process, opener, home.keys.login, project, 20),
                (rotate_in_process, opener, home.keys, home.team.entries, project, 5),
            ]
        )
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
        entries = list(store.membership_entries(home.org.id, 0, ALL))
        log = MembershipLog.replay(home.org.id, entries)
        assert len(log.cuts(project.id)) == 5
        pushed = read_log(store, project)
        assert len(pushed) == 40
        for entry in pushed:
            log.check_citation(entry.members)
            log.check_cut(project.id, entry.citation, entry.members.seq)

    def test_an_entry_may_be_long(self, store: MetadataStore, home: Household) -> None:
        """Up to 3 MiB here: Firestore's emulator takes 4 MiB a request, Firestore itself 10."""
        guest = new_keys()
        entry = home.team.entry(home.keys, home.team.invite(Code()))
        long = replace(home.append_of(entry), entry=bytes(3 * MIB))
        long = replace(long, state=replace(long.state, members=frozenset({guest.account})))
        store.append_membership(long)
        store.append_membership(long)
        assert list(store.membership_entries(home.org.id, 1, 1)) == [long.entry]
        assert store.organization(home.org.id) == long.state

    def test_deleted_projects_are_neither_listed_nor_counted(
        self, store: MetadataStore, home: Household
    ) -> None:
        project, other = home.new_project(), home.new_project()
        project.members = other.members
        home.push(project)
        size = len(home.push(other).encoded)
        home.act(home.team.status(project.id, Status.DELETED))
        assert store.organization(home.org.id) == replace(home.org, bytes=size)
        assert home.org.projects == {other.id}
        assert [summary.id for summary in store.projects(home.keys.account)] == [other.id]
        kept = store.project(project.id)
        assert kept is not None
        assert kept.head == project.head

    def test_deleted_projects_are_told_until_they_are_erased(
        self, store: MetadataStore, home: Household
    ) -> None:
        project, other = home.new_project(), home.new_project()
        home.act(home.team.status(project.id, Status.DELETED))
        assert project.id not in store.deleted_projects(TIME)
        assert project.id in store.deleted_projects(TIME + 1)
        assert other.id not in store.deleted_projects(TIME + 1)
        for which in (project.id, project.id, other.id, ProjectId.random()):
            store.erased(which)
        assert project.id not in store.deleted_projects(TIME + 1)
        home.act(home.team.delete())
        assert project.id not in store.deleted_projects(TIME + 1)
        assert other.id in store.deleted_projects(TIME + 1)
        assert store.organization(home.org.id) == home.org
        assert not home.org.projects
        assert home.org.members == {home.keys.account}

    def test_new_keys_revoke_every_other_device(
        self, store: MetadataStore, home: Household
    ) -> None:
        neighbour = Household.found(store)
        others = [device_of(home.keys) for _ in range(3)]
        for device in others:
            store.put_device(device)
        account = home.keys.account
        store.replace_keys(account, 2, b"record 2", b"second", home.device.id)
        found = store.account(account)
        assert found is not None
        assert (found.n, found.record, found.credentials) == (2, b"record 2", b"second")
        assert (found.login, found.organizations) == (home.keys.login, (home.org.id,))
        assert list(store.devices(account)) == [home.device]
        revoked = [store.device(device.id) for device in others]
        assert revoked == [replace(device, revoked=True) for device in others]
        assert list(store.devices(neighbour.keys.account)) == [neighbour.device]

    def test_new_keys_come_in_order_and_the_same_again_are_success(
        self, store: MetadataStore, home: Household
    ) -> None:
        account = home.keys.account
        store.replace_keys(account, 2, b"record 2", b"second", home.device.id)
        store.put_device(device_of(home.keys))
        store.replace_keys(account, 2, b"record 2", b"second", home.device.id)
        assert list(store.devices(account)) == [home.device]
        store.put_device(device_of(home.keys))
        for n, record, data in (
            (2, b"another", b"second"),
            (2, b"record 2", b"another"),
            (4, b"record 4", b"fourth"),
            (1, b"record 1", b"first"),
        ):
            with pytest.raises(CredentialsMoved):
                store.replace_keys(account, n, record, data, home.device.id)
        with pytest.raises(CredentialsMoved):
            store.replace_keys(AccountId.random(), 2, b"record 2", b"second", home.device.id)
        found = store.account(account)
        assert found is not None
        assert (found.n, found.record, found.credentials) == (2, b"record 2", b"second")
        assert len(store.devices(account)) == 2


def rotate_in_process(
    opener: Opener, keys: Keys, entries: list[bytes], project: Project, count: int
) -> int:
    """Makes new epochs of a project, each as often as it takes; returns how often it took."""
    store = opener()
    home = Household.resumed(store, keys, entries)
    tries = 0
    while home.org.head.seq < len(entries) + count:
        tries += 1
        heads = store.heads([project.id])
        body = home.team.rotate([project.id], heads)
        append = home.append_of(home.team.entry(keys, body), heads)
        try:
            home.grow(append)
        except HeadsMoved:
            continue
    store.close()
    return tries
