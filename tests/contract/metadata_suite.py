"""The contract of `sopor_server.ports.metadata.MetadataStore`, as tests that adapters inherit."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest

from sopor_core.ids import (
    NO_ENTRY,
    AccountId,
    BranchId,
    CommitId,
    DeviceId,
    EntryHash,
    OrgId,
    ProjectId,
    StateRoot,
)
from sopor_core.membership import Role
from sopor_core.membership.roles import ORGANIZATION_ROLES
from sopor_core.push_entry import Citation, ListedPack
from sopor_server.ports.errors import (
    AccountExists,
    ChallengeUsed,
    CommitDiffers,
    CredentialsMoved,
    DeviceTaken,
    LinkMoved,
    LoginTaken,
    LogMoved,
    MembershipMoved,
    ProjectExists,
    SubjectTaken,
)
from sopor_server.ports.metadata import MetadataStore
from sopor_server.ports.records import Link
from tests.contract.group_suite import GroupContract
from tests.contract.opening import ALL, Opener, Suite
from tests.contract.presence_suite import PresenceContract
from tests.contract.pushing import push_in_process, push_until_landed, read_log
from tests.contract.racing import in_processes, in_threads, successes
from tests.contract.team_suite import TeamContract
from tests.support.stored import Household, account_of, device_of, genesis_of, new_keys
from tests.support.story import TIME, Keys, Project, move, pack_id


class AccountContract(Suite):
    """Accounts, devices, challenges."""

    def test_a_fresh_store_answers(self, store: MetadataStore) -> None:
        store.check()

    def test_an_account_is_found_by_id_and_by_login(
        self, store: MetadataStore, home: Household
    ) -> None:
        found = store.account(home.keys.account)
        assert found is not None
        assert found == store.account_by_login(home.keys.login)
        assert (found.id, found.login, found.n) == (home.keys.account, home.keys.login, 1)
        assert found.organizations == (home.org.id,)
        assert store.organization(home.org.id) == home.org
        assert store.device(home.device.id) == home.device

    def test_nobody_else_is_found(self, store: MetadataStore, home: Household) -> None:
        assert store.account(AccountId.random()) is None
        assert store.account_by_login("nobody@example.com") is None

    def test_registering_again_changes_nothing(self, store: MetadataStore, home: Household) -> None:
        again = account_of(home.keys)
        with pytest.raises(AccountExists):
            store.create_account(again, genesis_of(home.keys), device_of(home.keys))
        found = store.account(home.keys.account)
        assert found is not None
        assert found.credentials != again.credentials
        assert found.organizations == (home.org.id,)

    def test_a_taken_login_leaves_nothing_behind(
        self, store: MetadataStore, home: Household
    ) -> None:
        keys = Keys(home.keys.login)
        device, genesis = device_of(keys), genesis_of(keys)
        with pytest.raises(LoginTaken):
            store.create_account(account_of(keys), genesis, device)
        assert store.account(keys.account) is None
        assert store.organization(genesis.state.id) is None
        assert store.device(device.id) is None

    def test_a_taken_device_leaves_nothing_behind(
        self, store: MetadataStore, home: Household
    ) -> None:
        keys = new_keys()
        genesis = genesis_of(keys)
        with pytest.raises(DeviceTaken):
            store.create_account(
                account_of(keys), genesis, replace(device_of(keys), id=home.device.id)
            )
        assert store.account(keys.account) is None
        assert store.account_by_login(keys.login) is None
        assert store.organization(genesis.state.id) is None
        assert store.device(home.device.id) == home.device

    def test_a_taken_organization_leaves_nothing_behind(
        self, store: MetadataStore, home: Household
    ) -> None:
        home.grow()
        keys = new_keys()
        stolen = replace(genesis_of(keys), state=replace(genesis_of(keys).state, id=home.org.id))
        with pytest.raises(LogMoved):
            store.create_account(account_of(keys), stolen, device_of(keys))
        assert store.account(keys.account) is None
        assert store.organization(home.org.id) == home.org

    def test_of_many_who_want_a_login_one_gets_it(self, store: MetadataStore) -> None:
        everybody = [Keys("wanted@example.com") for _ in range(6)]
        calls = [
            partial(store.create_account, account_of(keys), genesis_of(keys), device_of(keys))
            for keys in everybody
        ]
        assert successes(in_threads(calls), LoginTaken) == 1
        found = store.account_by_login("wanted@example.com")
        assert found is not None
        registered = [keys for keys in everybody if store.account(keys.account)]
        assert [keys.account for keys in registered] == [found.id]

    def test_an_account_is_linked_to_one_person_of_an_issuer(
        self, store: MetadataStore, home: Household
    ) -> None:
        person = Link("https://login.example.com", b"p" * 32)
        store.link(home.keys.account, person)
        store.link(home.keys.account, person)
        for found in (store.account(home.keys.account), store.account_by_login(home.keys.login)):
            assert found is not None
            assert found.link == person
        with pytest.raises(LinkMoved):
            store.link(home.keys.account, replace(person, subject=b"q" * 32))
        with pytest.raises(LinkMoved):
            store.link(AccountId.random(), replace(person, subject=b"r" * 32))
        found = store.account(home.keys.account)
        assert found is not None
        assert found.link == person
        assert found.organizations == (home.org.id,)

    def test_a_person_is_linked_to_one_account(self, store: MetadataStore, home: Household) -> None:
        other = Household.found(store)
        person = Link("https://login.example.com", b"p" * 32)
        store.link(home.keys.account, person)
        with pytest.raises(SubjectTaken):
            store.link(other.keys.account, person)
        keys = new_keys()
        linked = replace(account_of(keys), link=person)
        with pytest.raises(SubjectTaken):
            store.create_account(linked, genesis_of(keys), device_of(keys))
        assert store.account(keys.account) is None
        assert store.account_by_login(keys.login) is None
        found = store.account(other.keys.account)
        assert found is not None
        assert found.link is None

    def test_a_link_to_another_issuer_frees_the_former_person(
        self, store: MetadataStore, home: Household
    ) -> None:
        former = Link("https://old.example.com", b"p" * 32)
        present = Link("https://new.example.com", b"q" * 32)
        store.link(home.keys.account, former)
        store.link(home.keys.account, present)
        found = store.account(home.keys.account)
        assert found is not None
        assert found.link == present
        keys = new_keys()
        store.create_account(
            replace(account_of(keys), link=former), genesis_of(keys), device_of(keys)
        )
        found = store.account(keys.account)
        assert found is not None
        assert found.link == former

    def test_an_unlinked_account_and_its_person_are_free(
        self, store: MetadataStore, home: Household
    ) -> None:
        other, person = Household.found(store), Link("https://login.example.com", b"p" * 32)
        store.link(home.keys.account, person)
        assert store.unlink(home.keys.account) is True
        assert store.unlink(home.keys.account) is False
        assert store.unlink(AccountId.random()) is False
        found = store.account(home.keys.account)
        assert found is not None
        assert found.link is None
        assert found.organizations == (home.org.id,)
        store.link(other.keys.account, person)
        another = replace(person, subject=b"q" * 32)
        store.link(home.keys.account, another)
        found = store.account(home.keys.account)
        assert found is not None
        assert found.link == another

    def test_of_many_accounts_one_is_linked_to_a_person(self, store: MetadataStore) -> None:
        everybody = [Household.found(store) for _ in range(4)]
        person = Link("https://login.example.com", b"p" * 32)
        calls = [partial(store.link, each.keys.account, person) for each in everybody]
        assert successes(in_threads(calls), SubjectTaken) == 1
        found = [store.account(each.keys.account) for each in everybody]
        assert [each.link for each in found if each and each.link] == [person]

    def test_credentials_are_replaced_in_order(self, store: MetadataStore, home: Household) -> None:
        store.replace_credentials(home.keys.account, 2, b"second")
        store.replace_credentials(home.keys.account, 2, b"second")
        for n, data in ((2, b"another second"), (4, b"fourth"), (1, b"first")):
            with pytest.raises(CredentialsMoved):
                store.replace_credentials(home.keys.account, n, data)
        found = store.account(home.keys.account)
        assert found is not None
        assert (found.n, found.credentials) == (2, b"second")
        with pytest.raises(CredentialsMoved):
            store.replace_credentials(AccountId.random(), 2, b"second")

    def test_of_many_new_credentials_one_wins(self, store: MetadataStore, home: Household) -> None:
        calls = [
            lambda n=n: store.replace_credentials(home.keys.account, 2, b"%d" % n) for n in range(6)
        ]
        assert successes(in_threads(calls), CredentialsMoved) == 1

    def test_a_device_is_put_and_put_again(self, store: MetadataStore, home: Household) -> None:
        device = device_of(home.keys, created=TIME + 5)
        store.put_device(device)
        renamed = replace(device, name="desktop", created=TIME + 9, last_used=TIME + 9)
        store.put_device(renamed)
        assert store.device(device.id) == replace(renamed, created=TIME + 5)

    def test_a_device_of_somebody_else_stays_theirs(
        self, store: MetadataStore, home: Household
    ) -> None:
        other = Household.found(store)
        with pytest.raises(DeviceTaken):
            store.put_device(replace(device_of(other.keys), id=home.device.id))
        assert store.device(home.device.id) == home.device

    def test_live_devices_are_listed_oldest_first(
        self, store: MetadataStore, home: Household
    ) -> None:
        Household.found(store)
        later = device_of(home.keys, created=TIME + 20)
        earlier = device_of(home.keys, created=TIME + 10)
        for device in (later, earlier):
            store.put_device(device)
        assert list(store.devices(home.keys.account)) == [home.device, earlier, later]
        store.revoke_device(home.keys.account, earlier.id)
        assert list(store.devices(home.keys.account)) == [home.device, later]

    def test_a_revoked_device_is_revoked_for_good(
        self, store: MetadataStore, home: Household
    ) -> None:
        assert store.revoke_device(home.keys.account, home.device.id) is True
        assert store.revoke_device(home.keys.account, home.device.id) is True
        with pytest.raises(DeviceTaken):
            store.put_device(home.device)
        assert store.device(home.device.id) == replace(home.device, revoked=True)

    def test_nobody_revokes_what_is_not_theirs(self, store: MetadataStore, home: Household) -> None:
        other = Household.found(store)
        assert store.revoke_device(other.keys.account, home.device.id) is False
        assert store.revoke_device(home.keys.account, DeviceId.random()) is False
        assert store.device(home.device.id) == home.device

    def test_use_moves_forward_only(self, store: MetadataStore, home: Household) -> None:
        store.touch_device(home.device.id, TIME + 10)
        store.touch_device(home.device.id, TIME + 5)
        store.touch_device(DeviceId.random(), TIME)
        assert store.device(home.device.id) == replace(home.device, last_used=TIME + 10)

    def test_an_unknown_device_is_not_there(self, store: MetadataStore) -> None:
        assert store.device(DeviceId.random()) is None
        assert list(store.devices(AccountId.random())) == []

    def test_a_challenge_is_used_once_while_it_counts(self, store: MetadataStore) -> None:
        store.use_challenge(bytes(32), TIME + 100, TIME)
        for later in (0, 50, 100):
            store.use_challenge(bytes([1, later]) * 16, TIME + 200, TIME + later)
            with pytest.raises(ChallengeUsed):
                store.use_challenge(bytes(32), TIME + 100, TIME + later)

    def test_notes_are_kept_until_they_expire(self, store: MetadataStore) -> None:
        store.use_challenge(bytes(32), TIME + 100, TIME)
        store.drop_expired(TIME + 100)
        with pytest.raises(ChallengeUsed):
            store.use_challenge(bytes(32), TIME + 100, TIME + 100)

    def test_of_many_answers_in_threads_one_counts(self, store: MetadataStore) -> None:
        calls = [lambda: store.use_challenge(bytes(32), TIME + 100, TIME)] * 8
        assert successes(in_threads(calls), ChallengeUsed) == 1

    def test_of_many_answers_in_processes_one_counts(self, opener: Opener) -> None:
        assert sum(in_processes([(use_challenges, opener, 25)] * 4)) == 25


class OrganizationContract(Suite):
    """Organizations and their membership logs."""

    def test_unknown_ones_are_not_there(self, store: MetadataStore) -> None:
        assert store.organization(OrgId.random()) is None
        assert list(store.membership_entries(OrgId.random(), 0, ALL)) == []

    def test_the_state_comes_back_as_it_was_given(
        self, store: MetadataStore, home: Household
    ) -> None:
        for role in ORGANIZATION_ROLES:
            home.admit(new_keys(), role)
        for size in (0, 1, 900_000):
            append = home.entry()
            odd = replace(append.state, state=(bytes(range(256)) * 4000)[:size])
            home.grow(replace(append, state=odd))
            assert store.organization(home.org.id) == odd
        assert len(home.org.members) == 5

    def test_entries_are_read_in_order_and_in_pages(
        self, store: MetadataStore, home: Household
    ) -> None:
        grown = [home.grow().entry for _ in range(4)]
        log = list(store.membership_entries(home.org.id, 0, ALL))
        assert log[1:] == grown
        assert list(store.membership_entries(home.org.id, 2, ALL)) == log[2:]
        assert list(store.membership_entries(home.org.id, 5, ALL)) == []
        assert list(store.membership_entries(home.org.id, 1, 1)) == log[1:2]
        assert list(store.membership_entries(home.org.id, 1, len(log[1]))) == log[1:2]
        assert list(store.membership_entries(home.org.id, 1, len(log[1]) + 1)) == log[1:3]

    def test_an_append_to_another_head_is_refused(
        self, store: MetadataStore, home: Household
    ) -> None:
        late = home.entry()
        home.grow()
        with pytest.raises(LogMoved):
            store.append_membership(late)
        assert store.organization(home.org.id) == home.org
        assert late.project is not None
        assert store.project(late.project) is None

    def test_an_append_to_an_unknown_organization_is_refused(
        self, store: MetadataStore, home: Household
    ) -> None:
        append = home.entry()
        lost = replace(append, state=replace(append.state, id=OrgId.random()))
        with pytest.raises(LogMoved):
            store.append_membership(lost)
        assert store.organization(lost.state.id) is None

    def test_the_same_entry_again_is_success(self, store: MetadataStore, home: Household) -> None:
        first = home.grow()
        store.append_membership(first)
        home.grow()
        store.append_membership(first)
        assert store.organization(home.org.id) == home.org
        assert len(store.membership_entries(home.org.id, 0, ALL)) == 3

    def test_a_taken_project_id_leaves_nothing_behind(
        self, store: MetadataStore, home: Household
    ) -> None:
        other = Household.found(store)
        theirs = other.new_project()
        with pytest.raises(ProjectExists):
            store.append_membership(home.entry(theirs.id))
        assert store.organization(home.org.id) == home.org
        found = store.project(theirs.id)
        assert found is not None
        assert found.organization == other.org.id

    def test_a_new_project_is_empty(self, store: MetadataStore, home: Household) -> None:
        project = home.new_project()
        found = store.project(project.id)
        assert found is not None
        assert (found.id, found.organization) == (project.id, home.org.id)
        assert found.head == Citation(0, NO_ENTRY)
        assert (found.cited, found.bytes, found.updated) == (0, 0, TIME)
        assert dict(found.branches) == {}
        assert dict(found.known) == {}

    def test_members_come_and_go(self, store: MetadataStore, home: Household) -> None:
        guest = Household.found(store)
        home.admit(guest.keys, Role.VIEWER)
        home.new_project()
        found = store.account(guest.keys.account)
        assert found is not None
        assert set(found.organizations) == {guest.org.id, home.org.id}
        assert len(store.projects(guest.keys.account)) == 1
        home.dismiss(guest.keys)
        found = store.account(guest.keys.account)
        assert found is not None
        assert found.organizations == (guest.org.id,)
        assert list(store.projects(guest.keys.account)) == []

    def test_of_many_appends_in_threads_one_wins(
        self, store: MetadataStore, home: Household
    ) -> None:
        calls = [
            lambda append=append: store.append_membership(append)
            for append in [home.entry() for _ in range(6)]
        ]
        assert successes(in_threads(calls), LogMoved) == 1
        assert len(store.membership_entries(home.org.id, 0, ALL)) == 2
        assert len(store.projects(home.keys.account)) == 1


class PushContract(Suite):
    """Projects and their push logs."""

    @pytest.fixture
    def project(self, home: Household) -> Project:
        return home.new_project()

    def test_unknown_ones_are_not_there(self, store: MetadataStore) -> None:
        assert store.project(ProjectId.random()) is None
        assert list(store.push_entries(ProjectId.random(), 0, 9, ALL)) == []
        assert dict(store.commits(ProjectId.random(), [CommitId.random()])) == {}
        assert list(store.projects(AccountId.random())) == []

    def test_a_push_moves_head_branches_commits_and_bytes(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        pack = b"p" * 300
        commits = [project.commit()]
        commits.append(project.commit(commits[0].id))
        entry = project.entry(home.keys, *commits, packs=[pack])
        store.append_push(home.appending(project, entry, TIME + 7))
        found = store.project(project.id)
        assert found is not None
        assert (found.head, found.cited) == (entry.citation, home.org.head.seq)
        assert (found.bytes, found.updated) == (300 + len(entry.encoded), TIME + 7)
        (branch,) = found.branches.values()
        assert (branch.head, branch.label, branch.epoch) == (commits[1], entry.ops[0].label, 1)
        assert list(store.push_entries(project.id, 0, 9, ALL)) == [entry.encoded]
        both = {commit.id: commit for commit in commits}
        assert dict(store.commits(project.id, both)) == both

    def test_projects_and_organizations_add_up(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        other = home.new_project()
        project.members = other.members
        sizes = [len(home.push(which).encoded) for which in (project, other)]
        found = store.organization(home.org.id)
        assert found is not None
        assert found.bytes == sum(sizes)
        summaries = {summary.id: summary for summary in store.projects(home.keys.account)}
        assert [summaries[which.id].bytes for which in (project, other)] == sizes
        assert {summary.organization for summary in summaries.values()} == {home.org.id}
        heads = {which.id: which.head for which in (project, other)}
        assert {which: summary.head for which, summary in summaries.items()} == heads

    def test_the_same_entry_again_is_success_for_good(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        entry = project.entry(home.keys, project.commit(), packs=[b"pack"])
        append = home.appending(project, entry)
        home.push(project, entry)
        store.append_push(append)
        home.push(project)
        project.members = home.grow().state.head
        home.push(project)
        before = store.project(project.id)
        store.append_push(append)
        assert store.project(project.id) == before
        assert len(store.push_entries(project.id, 0, 9, ALL)) == 3

    def test_an_entry_for_another_head_is_refused(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        late = home.appending(project, project.entry(home.keys, project.commit()))
        home.push(project)
        before = store.project(project.id)
        early = project.entry(home.keys, project.commit(), seq=3)
        forked = project.entry(home.keys, project.commit(), prev=EntryHash.random())
        for append in (late, home.appending(project, early), home.appending(project, forked)):
            with pytest.raises(LogMoved):
                store.append_push(append)
            assert store.project(project.id) == before
            listed = [commit.id for commit in append.entry.commits]
            assert dict(store.commits(project.id, listed)) == {}

    def test_an_entry_for_an_unknown_project_is_refused(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        project.id = ProjectId.random()
        with pytest.raises(LogMoved):
            home.push(project)
        assert store.project(project.id) is None

    def test_a_role_that_was_taken_away_counts_at_once(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        entry = project.entry(home.keys, project.commit())
        home.grow()
        before = store.project(project.id)
        with pytest.raises(MembershipMoved):
            store.append_push(home.appending(project, entry))
        assert store.project(project.id) == before
        assert list(store.push_entries(project.id, 0, 9, ALL)) == []

    def test_a_membership_of_another_hash_is_refused(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        cited = Citation(home.org.head.seq, EntryHash.random())
        entry = project.entry(home.keys, project.commit(), members=cited)
        with pytest.raises(MembershipMoved):
            store.append_push(home.appending(project, entry))

    def test_a_commit_keeps_its_first_listing(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        first = project.commit()
        home.push(project, project.entry(home.keys, first))
        changed = replace(first, root=StateRoot.random())
        entry = project.entry(home.keys, changed, branch=BranchId.random())
        try:
            store.append_push(home.appending(project, entry))
        except CommitDiffers:
            assert len(store.push_entries(project.id, 0, 9, ALL)) == 1
        assert dict(store.commits(project.id, [first.id])) == {first.id: first}

    def test_a_commit_may_be_listed_again(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        commit = project.commit()
        home.push(project, project.entry(home.keys, commit))
        home.push(project, project.entry(home.keys, commit, branch=BranchId.random()))
        assert dict(store.commits(project.id, [commit.id])) == {commit.id: commit}

    def test_branches_are_created_moved_and_deleted(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        home.push(project)
        other = BranchId.random()
        home.push(project, project.entry(home.keys, project.commit(), branch=other))
        found = store.project(project.id)
        assert found is not None
        assert found.branches.keys() == {project.main, other}
        gone = move(other, project.branches[other], None)
        home.push(project, project.entry(home.keys, ops=(gone,)))
        found = store.project(project.id)
        assert found is not None
        assert {branch: value.head for branch, value in found.branches.items()} == project.branches
        assert found.branches.keys() == {project.main}

    def test_projects_are_apart(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        other = home.new_project()
        project.members = other.members
        commit = project.commit()
        home.push(project, project.entry(home.keys, commit))
        assert dict(store.commits(other.id, [commit.id])) == {}
        assert list(store.push_entries(other.id, 0, 9, ALL)) == []
        home.push(other, other.entry(home.keys, replace(commit, root=StateRoot.random())))
        assert dict(store.commits(project.id, [commit.id])) == {commit.id: commit}

    def test_a_pack_counts_once_whether_staged_or_listed(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        staged, sent = b"s" * 100, b"n" * 50
        for _ in range(2):
            store.stage_pack(project.id, ListedPack(pack_id(staged), 100), TIME)
        store.stage_pack(ProjectId.random(), ListedPack(pack_id(staged), 100), TIME)
        found = store.project(project.id)
        assert found is not None
        assert found.bytes == 100
        entry = home.push(project, project.entry(home.keys, project.commit(), packs=[staged, sent]))
        store.stage_pack(project.id, ListedPack(pack_id(sent), 50), TIME)
        found = store.project(project.id)
        assert found is not None
        assert found.bytes == 150 + len(entry.encoded)

    def test_packs_that_no_entry_lists_are_told(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        listed, staged, neither = (pack_id(name) for name in (b"l", b"s", b"n"))
        many = [pack_id(b"%d" % number) for number in range(70)]
        assert set(store.unlisted(ProjectId.random(), [listed])) == {listed}
        assert list(store.unlisted(project.id, [])) == []
        home.push(project, project.entry(home.keys, project.commit(), packs=[b"l"]))
        store.stage_pack(project.id, ListedPack(staged, 10), TIME)
        asked = [listed, staged, neither, *many]
        assert set(store.unlisted(project.id, asked)) == {staged, neither, *many}

    def test_a_staged_pack_that_is_gone_counts_no_more(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        staged, listed = ListedPack(pack_id(b"s" * 100), 100), ListedPack(pack_id(b"l"), 1)
        store.stage_pack(project.id, staged, TIME)
        store.stage_pack(project.id, listed, TIME)
        entry = home.push(project, project.entry(home.keys, project.commit(), packs=[b"l"]))
        for _ in range(2):
            store.uncount_pack(project.id, staged)
            store.uncount_pack(project.id, listed)
        store.uncount_pack(ProjectId.random(), staged)
        found = store.project(project.id)
        assert found is not None
        assert found.bytes == 1 + len(entry.encoded)
        store.stage_pack(project.id, staged, TIME)
        found = store.project(project.id)
        assert found is not None
        assert found.bytes == 101 + len(entry.encoded)

    def test_entries_are_read_in_pages(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        log = [home.push(project).encoded for _ in range(5)]
        for after, limit, size, expected in (
            (0, 9, ALL, log),
            (0, 2, ALL, log[:2]),
            (3, 2, ALL, log[3:]),
            (5, 9, ALL, []),
            (9, 9, ALL, []),
            (1, 9, 1, log[1:2]),
            (1, 9, len(log[1]), log[1:2]),
            (1, 9, len(log[1]) + 1, log[1:3]),
        ):
            assert list(store.push_entries(project.id, after, limit, size)) == expected

    def test_commits_come_with_ancestors_where_they_are_wanted(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        chain = [home.push(project).commits[0] for _ in range(6)]
        known = {commit.id: commit for commit in chain}
        unknown = CommitId.random()
        found = dict(store.commits(project.id, [chain[3].id, unknown], ancestors=2))
        assert found.items() <= known.items()
        assert {chain[3].id, chain[2].id} <= found.keys()

    def test_many_commits_are_found_at_once(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        chain = [project.commit()]
        for _ in range(1300):
            chain.append(project.commit(chain[-1].id))
        home.push(project, project.entry(home.keys, *chain))
        assert store.commits(project.id, [commit.id for commit in chain]).items() == {
            (commit.id, commit) for commit in chain
        }

    def test_the_newest_commits_may_come_with_the_project(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        commits = {commit.id: commit for _ in range(5) for commit in home.push(project).commits}
        found = store.project(project.id, commits=3)
        assert found is not None
        assert dict(found.known).items() <= commits.items()

    def test_merges_keep_all_parents(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        parents = [project.commit() for _ in range(3)]
        merge = project.commit(*(commit.id for commit in parents))
        home.push(project, project.entry(home.keys, *parents, merge))
        assert store.commits(project.id, [merge.id])[merge.id] == merge

    def test_every_push_from_threads_lands_once(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        calls = [lambda: push_until_landed(store, home.keys, project, 10)] * 6
        mine = in_threads(calls)
        assert all(isinstance(ids, list) for ids in mine), mine
        self.check_log(store, project, [id_ for ids in mine for id_ in ids])  # type: ignore[union-attr]

    def test_every_push_from_processes_lands_once(
        self, opener: Opener, store: MetadataStore, home: Household, project: Project
    ) -> None:
        calls = [(push_in_process, opener, home.keys.login, project, 15)] * 4
        mine = in_processes(calls)
        assert all(isinstance(ids, list) for ids in mine), mine
        self.check_log(store, project, [id_ for ids in mine for id_ in ids])

    def check_log(self, store: MetadataStore, project: Project, pushed: list[CommitId]) -> None:
        log = read_log(store, project)
        assert [entry.seq for entry in log] == list(range(1, len(pushed) + 1))
        assert all(after.prev == before.hash for before, after in pairwise(log))
        landed = [commit.id for entry in log for commit in entry.commits]
        assert sorted(landed) == sorted(pushed)
        found = store.project(project.id)
        assert found is not None
        assert found.head == log[-1].citation
        assert found.branches[project.main].head == log[-1].commits[-1]

    def test_a_reader_sees_one_moment(
        self, store: MetadataStore, home: Household, project: Project
    ) -> None:
        home.push(project)
        done = threading.Event()
        odd: list[object] = []

        def watch() -> None:
            while not done.is_set():
                found = store.project(project.id)
                assert found is not None
                log = read_log(store, project)[: found.head.seq]
                head = found.branches[project.main].head
                if log[-1].citation != found.head or log[-1].commits[-1] != head:
                    odd.append(found)

        watcher = threading.Thread(target=watch)
        watcher.start()
        for _ in range(30):
            home.push(project)
        done.set()
        watcher.join()
        assert odd == []


class MetadataContract(
    AccountContract,
    OrganizationContract,
    PushContract,
    TeamContract,
    GroupContract,
    PresenceContract,
):
    """Subclasses give the fixture `opener`: something picklable that opens the same store anew."""


def use_challenges(opener: Opener, count: int) -> int:
    """Answers the same challenges as everybody else; returns how many counted."""
    store = opener()
    counted = 0
    for number in range(count):
        try:
            store.use_challenge(number.to_bytes(32, "big"), TIME + 100, TIME)
            counted += 1
        except ChallengeUsed:
            continue
    store.close()
    return counted
