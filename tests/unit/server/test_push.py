"""Who may push what, and what the loser of a race gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import BranchId, CommitId, EntryHash, OpId, PackId, ProjectId, StateRoot
from sopor_core.membership import Role
from sopor_core.membership.roles import ORGANIZATION_ROLES
from sopor_core.push_entry import Citation, ListedPack, PushEntry
from sopor_core.wire.parts import PartKind
from sopor_core.wire.problems import Code
from sopor_server.auth import Caller
from sopor_server.errors import Behind, Refused
from sopor_server.ports.blobs import BlobStore, pack_key
from sopor_server.ports.errors import StoreUnavailable
from sopor_server.ports.metadata import MetadataStore
from sopor_server.ports.records import PushAppend
from sopor_server.service import commits
from sopor_server.service.branches import change_branches, revert
from sopor_server.service.context import Context
from sopor_server.service.packs import put_pack
from sopor_server.service.push import Push, push
from tests.support.stored import Household
from tests.support.story import Keys, Project, move, pack_id


def sent(entry: PushEntry, *packs: bytes) -> Push:
    return Push(entry.project, entry.encoded, packs)


def refused(call: Callable[[], None]) -> Refused:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value


def unverified(call: Callable[[], None]) -> Layer:
    with pytest.raises(VerificationError) as caught:
        call()
    return caught.value.layer


class _Interrupted:
    """A metadata store in which something happens just before an append."""

    def __init__(self, store: MetadataStore, happening: Callable[[], object]) -> None:
        self._store = store
        self._happening = happening

    def append_push(self, append: PushAppend) -> None:
        self._happening()
        self._store.append_push(append)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def interrupted(context: Context, happening: Callable[[], object]) -> Context:
    store = cast(MetadataStore, _Interrupted(context.store, happening))
    return replace(context, store=store)


class TestRoles:
    @pytest.fixture
    def guests(self, context: Context) -> dict[Role, Household]:
        return {role: Household.found(context.store) for role in ORGANIZATION_ROLES}

    @pytest.fixture
    def shared(self, home: Household, guests: dict[Role, Household]) -> Project:
        return home.new_project(others={guest.keys: role for role, guest in guests.items()})

    @pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.EDITOR])
    def test_writers_push(
        self, context: Context, guests: dict[Role, Household], shared: Project, role: Role
    ) -> None:
        guest = guests[role]
        entry = shared.entry(guest.keys, shared.commit())
        push(context, caller_of(guest), sent(entry))

    def test_a_viewer_may_not(
        self, context: Context, guests: dict[Role, Household], shared: Project
    ) -> None:
        guest = guests[Role.VIEWER]
        entry = shared.entry(guest.keys, shared.commit())
        error = refused(lambda: push(context, caller_of(guest), sent(entry)))
        assert error.problem is Code.FORBIDDEN
        pack = b"a pack"
        error = refused(
            lambda: drop(put_pack(context, caller_of(guest), shared.id, pack_id(pack), pack))
        )
        assert error.problem is Code.FORBIDDEN
        assert context.blobs.size(pack_key(shared.id, pack_id(pack))) is None

    def test_a_stranger_learns_nothing(
        self, context: Context, home: Household, project: Project
    ) -> None:
        stranger = Household.found(context.store)
        real = project.entry(stranger.keys, project.commit())
        unknown = replace(project, id=ProjectId.random()).entry(stranger.keys, project.commit())
        answers = [
            refused(lambda entry=entry: push(context, caller_of(stranger), sent(entry)))  # type: ignore[misc]
            for entry in (real, unknown)
        ]
        assert {(error.problem, error.message, error.hint) for error in answers} == {
            (Code.NOT_FOUND, answers[0].message, answers[0].hint)
        }

    def test_nobody_pushes_in_another_name(
        self, context: Context, home: Household, guests: dict[Role, Household], shared: Project
    ) -> None:
        theirs = shared.entry(home.keys, shared.commit())
        error = refused(lambda: push(context, caller_of(guests[Role.ADMIN]), sent(theirs)))
        assert error.problem is Code.FORBIDDEN

    def test_nobody_signs_with_another_key(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        forged = replace(project.entry(home.keys, project.commit()), signature=bytes(64))
        assert unverified(lambda: push(context, caller, sent(forged))) is Layer.SIGNATURE

    def test_a_revoked_device_may_not(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        context.store.revoke_device(home.keys.account, home.device.id)
        entry = project.entry(home.keys, project.commit())
        error = refused(lambda: push(context, caller, sent(entry)))
        assert error.problem is Code.DEVICE_REVOKED

    def test_another_accounts_device_does_not_help(
        self, context: Context, home: Household, guests: dict[Role, Household], project: Project
    ) -> None:
        mixed = Caller(home.keys.account, guests[Role.ADMIN].device.id)
        entry = project.entry(home.keys, project.commit())
        assert refused(lambda: push(context, mixed, sent(entry))).problem is Code.DEVICE_REVOKED


def caller_of(household: Household) -> Caller:
    return Caller(household.keys.account, household.device.id)


def drop(_: object) -> None:
    """Makes a call that returns something into one that does not."""


class TestRaces:
    def test_the_loser_gets_what_it_lacks(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        late = project.entry(home.keys, project.commit())
        pack = b"the winner's pack"
        won = project.entry(home.keys, project.commit(), packs=[pack])
        push(context, caller, sent(won, pack))
        error = refused(lambda: push(context, caller, sent(late)))
        assert isinstance(error, Behind)
        assert error.problem is Code.LOG_MOVED
        assert (error.head, error.members, error.more) == (won.citation, home.org.head, False)
        assert [(part.kind, part.data) for part in error.lacks] == [
            (PartKind.PUSH_ENTRY, won.encoded),
            (PartKind.PACK, pack),
        ]

    def test_the_loser_gets_both_logs(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        late = project.entry(home.keys, project.commit())
        grown = home.grow()
        project.members = home.org.head
        home.push(project)
        error = refused(lambda: push(context, caller, sent(late)))
        assert isinstance(error, Behind)
        assert error.problem is Code.LOG_MOVED
        assert [part.kind for part in error.lacks] == [
            PartKind.MEMBERSHIP_ENTRY,
            PartKind.PUSH_ENTRY,
        ]
        assert error.lacks[0].data == grown.entry

    def test_a_membership_that_moved_is_told(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        late = project.entry(home.keys, project.commit())
        grown = home.grow()
        error = refused(lambda: push(context, caller, sent(late)))
        assert isinstance(error, Behind)
        assert error.problem is Code.MEMBERSHIP_MOVED
        assert [part.data for part in error.lacks] == [grown.entry]
        assert error.members == home.org.head

    def test_who_loses_in_the_last_moment_gets_it_too(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        late = project.entry(home.keys, project.commit())
        racing = interrupted(context, lambda: home.push(project))
        error = refused(lambda: push(racing, caller, sent(late)))
        assert isinstance(error, Behind)
        assert error.problem is Code.LOG_MOVED
        assert [part.kind for part in error.lacks] == [PartKind.PUSH_ENTRY]

    def test_a_role_taken_away_in_the_last_moment_counts(
        self, context: Context, home: Household
    ) -> None:
        guest = Household.found(context.store)
        shared = home.new_project(others={guest.keys: Role.EDITOR})
        entry = shared.entry(guest.keys, shared.commit())
        demote = home.team.set_role(guest.keys.account, Role.VIEWER)
        racing = interrupted(context, lambda: home.act(demote))
        error = refused(lambda: push(racing, caller_of(guest), sent(entry)))
        assert error.problem is Code.FORBIDDEN
        assert list(context.store.push_entries(shared.id, 0, 9, 9999)) == []

    def test_a_member_removed_in_the_last_moment_is_a_stranger(
        self, context: Context, home: Household
    ) -> None:
        guest = Household.found(context.store)
        shared = home.new_project(others={guest.keys: Role.EDITOR})
        entry = shared.entry(guest.keys, shared.commit())
        racing = interrupted(context, lambda: home.dismiss(guest.keys))
        error = refused(lambda: push(racing, caller_of(guest), sent(entry)))
        assert error.problem is Code.NOT_FOUND

    def test_a_retry_after_a_lost_answer_is_success(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        entry = project.entry(home.keys, project.commit())
        push(context, caller, sent(entry))
        project.took(entry)
        push(context, caller, sent(entry))
        home.grow()
        project.members = home.org.head
        home.push(project)
        push(context, caller, sent(entry))
        assert len(context.store.push_entries(project.id, 0, 9, 99999)) == 2

    def test_the_same_entry_in_the_last_moment_is_success(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        entry = project.entry(home.keys, project.commit())
        racing = interrupted(context, lambda: push(context, caller, sent(entry)))
        push(racing, caller, sent(entry))

    def test_another_entry_at_a_taken_place_is_no_retry(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        commit = project.commit()
        entry = project.entry(home.keys, commit)
        again = replace(entry, op=OpId.random()).sign(home.keys.signing)
        push(context, caller, sent(entry))
        assert refused(lambda: push(context, caller, sent(again))).problem is Code.LOG_MOVED

    def test_a_client_that_is_ahead_is_told(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        home.push(project)
        ahead = project.entry(home.keys, project.commit(), seq=3)
        assert refused(lambda: push(context, caller, sent(ahead))).problem is Code.LOG_SHORTER
        members = Citation(99, EntryHash.random())
        ahead = project.entry(home.keys, project.commit(), members=members)
        assert refused(lambda: push(context, caller, sent(ahead))).problem is Code.LOG_SHORTER

    @pytest.mark.parametrize("seq", [1, 2])
    def test_a_client_of_another_history_is_told(
        self, context: Context, caller: Caller, home: Household, project: Project, seq: int
    ) -> None:
        home.push(project)
        forked = project.entry(home.keys, project.commit(), seq=seq, prev=EntryHash.random())
        error = refused(lambda: push(context, caller, sent(forked)))
        assert error.problem is Code.LOG_DIVERGED

    def test_a_client_of_another_membership_is_told(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        cited = Citation(home.org.head.seq, EntryHash.random())
        forked = project.entry(home.keys, project.commit(), members=cited)
        error = refused(lambda: push(context, caller, sent(forked)))
        assert error.problem is Code.LOG_DIVERGED


class TestPacks:
    def test_packs_come_along_or_were_put(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        put, inline = b"put before", b"sent along"
        assert put_pack(context, caller, project.id, pack_id(put), put) is True
        assert put_pack(context, caller, project.id, pack_id(put), put) is False
        entry = project.entry(home.keys, project.commit(), packs=[put, inline])
        push(context, caller, sent(entry, inline))
        for pack in (put, inline):
            assert context.blobs.get(pack_key(project.id, pack_id(pack))) == pack
        found = context.store.project(project.id)
        assert found is not None
        assert found.bytes == len(put) + len(inline) + len(entry.encoded)

    def test_a_pack_that_nobody_has_is_missing(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        entry = project.entry(home.keys, project.commit(), packs=[b"nowhere"])
        assert refused(lambda: push(context, caller, sent(entry))).problem is Code.PACK_MISSING

    def test_a_pack_of_another_project_does_not_count(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        other = home.new_project()
        project.members = home.org.head
        put_pack(context, caller, other.id, pack_id(b"pack"), b"pack")
        entry = project.entry(home.keys, project.commit(), packs=[b"pack"])
        assert refused(lambda: push(context, caller, sent(entry))).problem is Code.PACK_MISSING

    def test_a_pack_has_its_listed_size(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        pack = b"pack"
        wrong = (ListedPack(pack_id(pack), 5),)
        entry = project.entry(home.keys, project.commit())
        entry = replace(entry, packs=wrong).sign(home.keys.signing)
        error = refused(lambda: push(context, caller, sent(entry, pack)))
        assert error.problem is Code.PACK_MISMATCH
        put_pack(context, caller, project.id, pack_id(pack), pack)
        assert refused(lambda: push(context, caller, sent(entry))).problem is Code.PACK_MISMATCH

    def test_an_unlisted_pack_is_refused(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        entry = project.entry(home.keys, project.commit())
        error = refused(lambda: push(context, caller, sent(entry, b"stowaway")))
        assert error.problem is Code.PACK_MISMATCH
        assert context.blobs.size(pack_key(project.id, pack_id(b"stowaway"))) is None

    def test_the_same_pack_twice_is_refused(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        entry = project.entry(home.keys, project.commit(), packs=[b"pack"])
        error = refused(lambda: push(context, caller, sent(entry, b"pack", b"pack")))
        assert error.problem is Code.MALFORMED

    @pytest.mark.parametrize("data", [b"other bytes", b""])
    def test_a_put_pack_has_its_id(
        self, context: Context, caller: Caller, project: Project, data: bytes
    ) -> None:
        wrong = PackId.random() if data else pack_id(data)
        error = refused(lambda: drop(put_pack(context, caller, project.id, wrong, data)))
        assert error.problem is Code.PACK_MISMATCH

    def test_nothing_is_stored_of_a_refused_push(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        pack = b"pack"
        entry = project.entry(home.keys, project.commit(CommitId.random()), packs=[pack])
        assert unverified(lambda: push(context, caller, sent(entry, pack))) is Layer.OPS
        assert list(context.blobs.list("packs")) == []

    def test_no_entry_lands_without_its_packs(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        class Full:
            def put(self, key: str, data: bytes) -> bool:
                raise StoreUnavailable("the disk is full")

        entry = project.entry(home.keys, project.commit(), packs=[b"pack"])
        full = replace(context, blobs=cast(BlobStore, Full()))
        with pytest.raises(StoreUnavailable):
            push(full, caller, sent(entry, b"pack"))
        found = context.store.project(project.id)
        assert found is not None
        assert found.head.seq == 0
        push(context, caller, sent(entry, b"pack"))


class TestQuota:
    def test_the_limit_is_named(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        pack = bytes(4000)
        first = project.entry(home.keys, project.commit(), packs=[pack])
        limited = replace(context, quota_bytes=len(first.encoded) + 4000 + 100)
        push(limited, caller, sent(first, pack))
        project.took(first)
        second = project.entry(home.keys, project.commit(), packs=[b"another"])
        error = refused(lambda: push(limited, caller, sent(second, b"another")))
        assert error.problem is Code.QUOTA_EXCEEDED
        assert str(limited.quota_bytes) in error.message
        assert str(len(first.encoded) + 4000) in error.message
        assert "SOPOR_QUOTA_BYTES" in (error.hint or "")
        assert context.blobs.size(pack_key(project.id, pack_id(b"another"))) is None

    def test_all_projects_of_an_organization_count_together(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        other = home.new_project()
        limited = replace(context, quota_bytes=5000)
        for number in range(2):
            pack = bytes([number]) * 2000
            put_pack(limited, caller, project.id, pack_id(pack), pack)
        pack = bytes([9]) * 2000
        error = refused(lambda: drop(put_pack(limited, caller, other.id, pack_id(pack), pack)))
        assert error.problem is Code.QUOTA_EXCEEDED

    def test_a_pack_that_is_there_may_be_put_at_the_limit(
        self, context: Context, caller: Caller, project: Project
    ) -> None:
        limited = replace(context, quota_bytes=1000)
        put_pack(limited, caller, project.id, pack_id(bytes(1000)), bytes(1000))
        assert put_pack(limited, caller, project.id, pack_id(bytes(1000)), bytes(1000)) is False


class TestCommits:
    def test_an_entry_of_another_project_is_refused(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        entry = project.entry(home.keys, project.commit())
        moved = Push(ProjectId.random(), entry.encoded)
        assert unverified(lambda: push(context, caller, moved)) is Layer.CHAIN

    def test_a_commit_listed_differently_is_refused(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        first = home.push(project).commits[0]
        for _ in range(100):
            home.push(project)
        lie = replace(first, root=StateRoot.random())
        entry = project.entry(home.keys, lie, branch=BranchId.random())
        assert unverified(lambda: push(context, caller, sent(entry))) is Layer.OPS

    def test_a_merge_with_an_old_commit_is_taken(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        base = home.push(project).commits[0]
        for _ in range(100):
            home.push(project)
        mine = project.commit(base.id)
        merge = project.commit(project.branches[project.main].id, mine.id)
        push(context, caller, sent(project.entry(home.keys, mine, merge)))

    def test_a_branch_is_created_at_an_old_commit(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        base = home.push(project).commits[0]
        for _ in range(100):
            home.push(project)
        branch = BranchId.random()
        entry = project.entry(home.keys, ops=(move(branch, None, base),))
        change_branches(context, caller, sent(entry))
        found = context.store.project(project.id)
        assert found is not None
        assert found.branches[branch].head == base

    def test_a_branch_is_not_created_at_an_unknown_commit(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        home.push(project)
        entry = project.entry(home.keys, ops=(move(BranchId.random(), None, project.commit()),))
        assert unverified(lambda: push(context, caller, sent(entry))) is Layer.OPS

    def test_a_label_is_sealed_anew(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        head = home.push(project).commits[0]
        op = move(project.main, head, head, b"L" * 92)
        change_branches(context, caller, sent(project.entry(home.keys, ops=(op,))))
        found = context.store.project(project.id)
        assert found is not None
        assert (found.branches[project.main].head, found.branches[project.main].label) == (
            head,
            b"L" * 92,
        )


class TestBranchesAndReverts:
    def test_a_branch_is_deleted(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        head = home.push(project).commits[0]
        entry = project.entry(home.keys, ops=(move(project.main, head, None),))
        change_branches(context, caller, sent(entry))
        found = context.store.project(project.id)
        assert found is not None
        assert dict(found.branches) == {}

    def test_a_branch_moves_along_known_commits(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        base = home.push(project).commits[0]
        other = BranchId.random()
        home.push(project, project.entry(home.keys, ops=(move(other, None, base),)))
        ahead = home.push(project).commits
        entry = project.entry(home.keys, *ahead, ops=(move(other, base, ahead[-1]),))
        change_branches(context, caller, sent(entry))

    def test_what_is_new_is_pushed(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        with_commit = project.entry(home.keys, project.commit())
        assert unverified(lambda: change_branches(context, caller, sent(with_commit))) is Layer.OPS
        head = home.push(project).commits[0]
        op = move(project.main, head, None)
        with_pack = project.entry(home.keys, ops=(op,), packs=[b"pack"])
        request = sent(with_pack, b"pack")
        assert unverified(lambda: change_branches(context, caller, request)) is Layer.OPS
        assert list(context.blobs.list("packs")) == []

    def test_a_revert_restores_an_ancestor_however_old(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        old = home.push(project).commits[0]
        chain = [project.commit()]
        for _ in range(1200):
            chain.append(project.commit(chain[-1].id))
        home.push(project, project.entry(home.keys, *chain))
        back = replace(project.commit(root=old.root), same=old.id)
        revert(context, caller, sent(project.entry(home.keys, back)))

    def test_reverts_do_not_keep_the_server_busy(
        self,
        context: Context,
        caller: Caller,
        home: Household,
        project: Project,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(commits, "_MOST_LOOKUPS", 500)
        old = home.push(project).commits[0]
        for _ in range(20):
            home.push(project)
        for count, fits in ((5, True), (100, False)):
            reverts = [replace(project.commit(root=old.root), same=old.id)]
            while len(reverts) < count:
                again = project.commit(reverts[-1].id, root=old.root)
                reverts.append(replace(again, same=old.id))
            entry = project.entry(home.keys, *reverts)
            if fits:
                push(context, caller, sent(entry))
                project.took(entry)
            else:
                assert unverified(lambda: push(context, caller, sent(entry))) is Layer.OPS  # noqa: B023

    def test_a_revert_restores_what_it_says(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        old = home.push(project).commits[0]
        home.push(project)
        lie = replace(project.commit(), same=old.id)
        entry = project.entry(home.keys, lie)
        assert unverified(lambda: revert(context, caller, sent(entry))) is Layer.OPS

    def test_a_revert_restores_no_stranger(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        home.push(project)
        stranger = project.commit()
        home.push(project, project.entry(home.keys, stranger, branch=BranchId.random()))
        lone = replace(stranger, parents=())
        unrelated = replace(lone, id=CommitId.random())
        home.push(project, project.entry(home.keys, unrelated, branch=BranchId.random()))
        back = replace(project.commit(root=unrelated.root), same=unrelated.id)
        entry = project.entry(home.keys, back)
        assert unverified(lambda: revert(context, caller, sent(entry))) is Layer.OPS

    def test_a_revert_is_one_new_commit(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        old = home.push(project).commits[0]
        plain = project.entry(home.keys, project.commit())
        assert unverified(lambda: revert(context, caller, sent(plain))) is Layer.OPS
        none = project.entry(home.keys, ops=(move(project.main, old, None),))
        assert unverified(lambda: revert(context, caller, sent(none))) is Layer.OPS
        back = replace(project.commit(root=old.root), same=old.id)
        two = project.entry(home.keys, back, project.commit(back.id))
        assert unverified(lambda: revert(context, caller, sent(two))) is Layer.OPS
        revert(context, caller, sent(project.entry(home.keys, back)))


def test_keys_are_apart() -> None:
    assert Keys("a").account != Keys("a").account
