"""What may be appended to a membership log, by whom, and who may read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

import pytest

from sopor_core import canonical
from sopor_core.errors import Layer
from sopor_core.ids import EntryHash, InviteToken, OrgId
from sopor_core.limits import MAX_MEMBERSHIP_ENTRY_BYTES
from sopor_core.membership import Body, Role, Status
from sopor_core.push_entry import Citation
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.problems import Code as Problem
from sopor_server.errors import Behind
from sopor_server.ports.metadata import MetadataStore
from sopor_server.ports.records import MembershipAppend
from sopor_server.service.branches import branches
from sopor_server.service.context import Context
from sopor_server.service.organizations import (
    GRACE,
    MOST_OF_STRANGERS,
    append,
    entries,
    found_team,
    heads,
    organizations,
)
from sopor_server.service.packs import find_pack, put_pack
from sopor_server.service.projects import projects
from sopor_server.service.pull import Since, pull
from sopor_server.service.push import Push, push
from sopor_server.service.state import state_of
from tests.support.stored import Household
from tests.support.story import DAY, TIME, Keys, Project, pack_id
from tests.support.teams import Code, Team
from tests.unit.server.conftest import Clock
from tests.unit.server.team import Office, caller_of, refused, unverified


@pytest.fixture
def office(context: Context, home: Household) -> Office:
    return Office(context, home)


class _Interrupted:
    """A metadata store in which something happens just before an append."""

    def __init__(self, store: MetadataStore, happening: Callable[[], object]) -> None:
        self._store = store
        self._happening = happening

    def append_membership(self, append: MembershipAppend) -> None:
        self._happening()
        self._store.append_membership(append)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def interrupted(context: Context, happening: Callable[[], object]) -> Context:
    return replace(context, store=cast(MetadataStore, _Interrupted(context.store, happening)))


def nothing_more(office: Office) -> None:
    """Makes sure that the store has what the team took in, and no more."""
    found = office.context.store.organization(office.team.org)
    assert found is not None
    assert found.head == office.team.head
    assert office.state == state_of(office.team.log)


class TestEveryKind:
    def test_a_team_lives(self, office: Office) -> None:
        project, other = office.project(), office.project()
        admin = office.person(Role.ADMIN)
        editor = office.person(Role.EDITOR, projects={other.id: Role.NONE})
        viewer = office.person(Role.VIEWER)
        office.push(editor, project)
        at = {project.id: project.head}
        code = Code()
        office.send(admin, office.team.invite(code, Role.VIEWER))
        office.send(office.owner, office.team.cancel(code.id, at))
        office.send(admin, office.team.set_role(viewer.keys.account, Role.EDITOR))
        office.send(admin, office.team.set_role(viewer.keys.account, Role.VIEWER, other.id, at))
        office.send(admin, office.team.status(project.id, Status.ARCHIVED))
        office.send(admin, office.team.status(project.id, Status.ACTIVE))
        office.send(admin, office.team.rotate([project.id], at))
        office.send(viewer, office.team.leave(viewer.keys.account))
        assert office.state.projects[project.id].due
        office.send(editor, office.team.rotate([project.id], at))
        office.send(admin, office.team.remove(editor.keys.account, at))
        office.send(admin, office.team.status(other.id, Status.DELETED))
        new = Keys(admin.keys.login)
        office.send(admin, office.team.rekey(new, admin.keys.account))
        nothing_more(office)
        assert office.state.members[admin.keys.account].signing == new.signing.public
        office.send(office.owner, office.team.delete())
        nothing_more(office)
        assert office.state.deleted
        assert (
            list(entries(office.context, caller_of(admin), office.team.org, 0))
            == office.team.entries
        )

    def test_the_state_is_that_of_a_replay_after_every_entry(self, office: Office) -> None:
        project = office.project()
        for role in (Role.ADMIN, Role.EDITOR):
            office.person(role)
            nothing_more(office)
        somebody = office.person(Role.VIEWER)
        office.push(office.owner, project)
        body = office.team.remove(somebody.keys.account, {project.id: project.head})
        office.send(office.owner, body)
        nothing_more(office)
        cut = office.state.projects[project.id].cut
        assert cut is not None
        assert (cut.push, cut.members) == (project.head, office.team.head.seq)


class TestWhoMayNot:
    @pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
    def test_who_does_not_administer_changes_nothing(self, office: Office, role: Role) -> None:
        somebody = office.person(role)
        project = office.project()
        victim = office.person(Role.VIEWER)
        code = Code()
        office.send(office.owner, office.team.invite(code))
        for body in self.all_kinds(office, project, victim, code):
            error = refused(partial(office.try_, somebody, body))
            assert error.problem is Problem.FORBIDDEN, body.TYPE
            assert error.hint
        nothing_more(office)

    def all_kinds(
        self, office: Office, project: Project, victim: Household, code: Code
    ) -> list[Body]:
        team, account = office.team, victim.keys.account
        return [
            team.invite(Code()),
            team.cancel(code.id),
            team.set_role(account, Role.EDITOR),
            team.set_role(account, Role.EDITOR, project.id),
            team.remove(account),
            team.project_new(),
            team.status(project.id, Status.ARCHIVED),
            team.delete(),
            team.rotate([project.id]),
        ]

    def test_an_admin_touches_no_owner(self, office: Office) -> None:
        admin = office.person(Role.ADMIN)
        owner = office.person(Role.OWNER).keys.account
        for body in (
            office.team.set_role(owner, Role.VIEWER),
            office.team.set_role(admin.keys.account, Role.OWNER),
            office.team.remove(owner),
            office.team.invite(Code(), Role.OWNER),
            office.team.delete(),
        ):
            error = refused(partial(office.try_, admin, body))
            assert error.problem is Problem.FORBIDDEN
        nothing_more(office)

    def test_who_was_removed_and_who_never_was_get_the_same_answer(self, office: Office) -> None:
        project = office.project()
        gone, stranger = office.person(Role.ADMIN), office.person()
        office.send(office.owner, office.team.remove(gone.keys.account))
        victim = office.person(Role.VIEWER)
        code = Code()
        office.send(office.owner, office.team.invite(code))
        kinds = self.all_kinds(office, project, victim, code)
        answers = [
            refused(partial(office.try_, who, body)) for who in (gone, stranger) for body in kinds
        ]
        other = OrgId.random()
        unknown = office.team.entry(stranger.keys, kinds[0], org=other).encoded
        caller = caller_of(stranger)
        answers.append(refused(lambda: append(office.context, caller, other, unknown)))
        told = {(error.problem, error.message, error.hint) for error in answers}
        assert {problem for problem, *_ in told} == {Problem.NOT_FOUND}
        assert len(told) == 1
        nothing_more(office)

    def test_nobody_sends_the_entry_of_another(self, office: Office) -> None:
        editor = office.person(Role.EDITOR)
        entry = office.team.entry(office.owner.keys, office.team.project_new())
        error = refused(
            lambda: append(office.context, caller_of(editor), office.team.org, entry.encoded)
        )
        assert error.problem is Problem.FORBIDDEN
        forged = office.team.entry(editor.keys, office.team.project_new())
        forged = replace(forged, actor=office.owner.keys.account).sign(editor.keys.signing)
        owner = caller_of(office.owner)
        assert (
            unverified(lambda: append(office.context, owner, office.team.org, forged.encoded))
            is Layer.SIGNATURE
        )
        nothing_more(office)

    def test_strangers_send_no_long_entries(self, office: Office) -> None:
        stranger, junk = office.person(), b" " * (MOST_OF_STRANGERS + 1)
        call = partial(append, office.context, caller_of(stranger), office.team.org)
        assert refused(partial(call, junk)).problem is Problem.NOT_FOUND
        assert unverified(partial(call, junk[1:])) is Layer.CANONICAL
        mine = partial(append, office.context, caller_of(office.owner), office.team.org, junk)
        assert unverified(mine) is Layer.CANONICAL

    def test_a_revoked_device_appends_nothing(self, office: Office) -> None:
        office.context.store.revoke_device(office.owner.keys.account, office.owner.device.id)
        error = refused(lambda: office.try_(office.owner, office.team.project_new()))
        assert error.problem is Problem.DEVICE_REVOKED

    def test_what_is_no_entry_is_refused(self, office: Office) -> None:
        good = office.team.entry(office.owner.keys, office.team.project_new())
        content = json.loads(good.encoded)
        for data, layer in (
            (b"", Layer.CANONICAL),
            (good.encoded + b" ", Layer.CANONICAL),
            (canonical.encode({**content, "type": "coup"}), Layer.PARSE),
            (canonical.encode({**content, "type": "remove"}), Layer.PARSE),
            (canonical.encode({**content, "more": 1}), Layer.PARSE),
            (b"[" * (MAX_MEMBERSHIP_ENTRY_BYTES + 1), Layer.PARSE),
            (replace(good, org=OrgId.random()).encoded, Layer.MEMBERSHIP),
            (office.owner.keys.genesis("team").encoded, Layer.MEMBERSHIP),
        ):
            call = partial(append, office.context, caller_of(office.owner), office.team.org, data)
            assert unverified(call) is layer
        nothing_more(office)


class TestJoining:
    def test_who_has_the_code_reads_the_log_and_joins(self, office: Office) -> None:
        guest, code = office.person(), Code()
        office.send(office.owner, office.team.invite(code, Role.EDITOR))
        org, caller = office.team.org, caller_of(guest)
        assert refused(lambda: entries(office.context, caller, org, 0)).problem is Problem.NOT_FOUND
        read = list(entries(office.context, caller, org, 0, code.token))
        assert read == office.team.entries
        entry = office.send(guest, office.team.join(code, guest.keys))
        append(office.context, caller, org, entry.encoded)
        assert list(entries(office.context, caller, org, 1)) == office.team.entries[1:]
        (listed,) = [found for found in organizations(office.context, caller) if found.id == org]
        assert listed.head == office.team.head

    def test_an_invite_is_used_once(self, office: Office) -> None:
        first, second, code = office.person(), office.person(), Code()
        office.send(office.owner, office.team.invite(code))
        late = office.team.entry(second.keys, office.team.join(code, second.keys))
        office.send(first, office.team.join(code, first.keys))
        org = office.team.org
        for call in (
            lambda: append(office.context, caller_of(second), org, late.encoded, code.token),
            lambda: office.try_(second, office.team.join(code, second.keys)),
            lambda: entries(office.context, caller_of(second), org, 0, code.token),
        ):
            assert refused(call).problem is Problem.INVITE_CLOSED
        nothing_more(office)

    def test_of_two_who_join_with_different_codes_the_loser_gets_what_it_lacks(
        self, office: Office
    ) -> None:
        first, second, codes = office.person(), office.person(), (Code(), Code())
        for code in codes:
            office.send(office.owner, office.team.invite(code))
        late = office.team.entry(second.keys, office.team.join(codes[1], second.keys))
        office.send(first, office.team.join(codes[0], first.keys))
        error = refused(
            lambda: append(
                office.context, caller_of(second), office.team.org, late.encoded, codes[1].token
            )
        )
        assert isinstance(error, Behind)
        assert error.problem is Problem.MEMBERSHIP_MOVED
        assert [part.data for part in error.lacks] == office.team.entries[-1:]
        office.send(second, office.team.join(codes[1], second.keys))

    def test_a_closed_invite_and_none_are_told_alike(self, office: Office) -> None:
        guest, code = office.person(), Code()
        office.send(office.owner, office.team.invite(code))
        office.send(office.owner, office.team.cancel(code.id))
        caller, org = caller_of(guest), office.team.org
        answers = [
            refused(lambda: entries(office.context, caller, org, 0, code.token)),
            refused(lambda: entries(office.context, caller, org, 0, InviteToken.random())),
            refused(lambda: entries(office.context, caller, OrgId.random(), 0, code.token)),
            refused(lambda: office.try_(guest, office.team.join(code, guest.keys))),
        ]
        assert {error.problem for error in answers} == {Problem.INVITE_CLOSED}
        assert len({(error.message, error.hint) for error in answers}) == 1

    def test_an_invite_ends_by_the_servers_clock_too(self, office: Office, clock: Clock) -> None:
        guest, code = office.person(), Code()
        office.send(office.owner, office.team.invite(code, expires=TIME + DAY))
        join = office.team.join(code, guest.keys)
        clock.time = TIME + DAY + GRACE + 1
        caller, org = caller_of(guest), office.team.org
        for call in (
            lambda: office.try_(guest, join, time=TIME + DAY),
            lambda: entries(office.context, caller, org, 0, code.token),
        ):
            assert refused(call).problem is Problem.INVITE_CLOSED
        clock.time = TIME + DAY + GRACE
        late = partial(office.try_, guest, join, time=TIME + DAY + 1)
        assert unverified(late) is Layer.MEMBERSHIP
        office.team.take(office.try_(guest, join, time=TIME + DAY))
        nothing_more(office)

    def test_who_joins_has_the_keys_and_the_login_of_its_account(self, office: Office) -> None:
        guest, other, code = office.person(), office.person(), Code()
        office.send(office.owner, office.team.invite(code))
        renamed = replace(guest.keys, login="ceo@example.com")
        swapped = replace(guest.keys, encryption=other.keys.encryption)
        identity = replace(swapped.identity, account=guest.keys.account)
        body = replace(office.team.join(code, guest.keys), identity=identity)
        for odd in (office.team.join(code, renamed), body):
            assert unverified(partial(office.try_, guest, odd)) is Layer.ACCOUNT
        stolen = office.team.join(code, other.keys)
        assert unverified(lambda: office.try_(guest, stolen)) is Layer.ACCOUNT
        nothing_more(office)

    def test_an_invite_proves_itself(self, office: Office) -> None:
        guest, code, mine = office.person(), Code(), Code()
        office.send(office.owner, office.team.invite(code))
        forged = office.team.join(replace(mine, token=code.token), guest.keys)
        assert unverified(lambda: office.try_(guest, forged)) is Layer.SIGNATURE

    def test_a_member_joins_no_more(self, office: Office) -> None:
        member, code = office.person(Role.VIEWER), Code()
        office.send(office.owner, office.team.invite(code, Role.ADMIN))
        again = office.team.join(code, member.keys)
        assert unverified(lambda: office.try_(member, again)) is Layer.MEMBERSHIP


class TestLosingAccess:
    def ways_in(
        self, office: Office, who: Household, project: Project
    ) -> dict[str, Callable[[], object]]:
        """Every way to ask for a project."""
        context, caller, pack = office.context, caller_of(who), b"a pack"
        entry = project.entry(who.keys, project.commit(), members=office.team.head)
        since = Since(EMPTY_LOG, 0)
        return {
            "pull": lambda: pull(context, caller, project.id, since),
            "push": lambda: push(context, caller, Push(project.id, entry.encoded)),
            "branches": lambda: branches(context, caller, project.id),
            "put": lambda: put_pack(context, caller, project.id, pack_id(pack), pack),
            "get": lambda: find_pack(context, caller, project.id, pack_id(pack)),
        }

    def test_a_removed_member_is_a_stranger_at_once(self, office: Office) -> None:
        project, member = office.project(), office.person(Role.EDITOR)
        office.push(member, project)
        body = office.team.remove(member.keys.account, {project.id: project.head})
        office.send(office.owner, body)
        for name, ask in self.ways_in(office, member, project).items():
            assert refused(ask).problem is Problem.NOT_FOUND, name
        org, caller = office.team.org, caller_of(member)
        for call in (
            lambda: entries(office.context, caller, org, 0),
            lambda: heads(office.context, caller, org),
        ):
            assert refused(call).problem is Problem.NOT_FOUND
        assert org not in [found.id for found in organizations(office.context, caller)]
        assert list(projects(office.context, caller)) == []

    def test_without_a_role_in_a_project_it_is_not_there(self, office: Office) -> None:
        hidden, open_ = office.project(), office.project()
        member = office.person(Role.EDITOR, projects={hidden.id: Role.NONE})
        for name, ask in self.ways_in(office, member, hidden).items():
            assert refused(ask).problem is Problem.NOT_FOUND, name
        caller = caller_of(member)
        assert [found.summary.id for found in projects(office.context, caller)] == [open_.id]
        _, shown = heads(office.context, caller, office.team.org)
        assert shown == {open_.id: EMPTY_LOG}
        office.send(office.owner, office.team.set_role(member.keys.account, Role.EDITOR, hidden.id))
        office.push(member, hidden)
        assert len(projects(office.context, caller)) == 2

    @pytest.mark.parametrize(
        ("role", "inside", "may"),
        [(Role.EDITOR, Role.VIEWER, False), (Role.VIEWER, Role.EDITOR, True)],
    )
    def test_the_role_in_the_project_counts(
        self, office: Office, role: Role, inside: Role, *, may: bool
    ) -> None:
        project = office.project()
        member = office.person(role, projects={project.id: inside})
        if may:
            return office.push(member, project)
        for name in ("push", "put"):
            ask = self.ways_in(office, member, project)[name]
            assert refused(ask).problem is Problem.FORBIDDEN
        return None

    def test_who_leaves_may_ask_again_and_its_scopes_are_due(self, office: Office) -> None:
        project, member = office.project(), office.person(Role.EDITOR)
        entry = office.send(member, office.team.leave(member.keys.account))
        append(office.context, caller_of(member), office.team.org, entry.encoded)
        error = unverified(lambda: office.push(office.owner, project))
        assert error is Layer.EPOCH
        office.send(office.owner, office.team.rotate(office.team.log.due()))
        office.push(office.owner, project)

    def test_an_archived_project_is_read_and_not_written(self, office: Office) -> None:
        project, member = office.project(), office.person(Role.EDITOR)
        office.push(member, project)
        office.send(office.owner, office.team.status(project.id, Status.ARCHIVED))
        ways = self.ways_in(office, member, project)
        for name in ("push", "put"):
            error = refused(ways[name])
            assert error.problem is Problem.PROJECT_ARCHIVED
            assert error.hint
        assert ways["pull"]() is not None
        assert ways["branches"]()
        (listed,) = projects(office.context, caller_of(member))
        assert listed.status is Status.ARCHIVED
        office.send(office.owner, office.team.status(project.id, Status.ACTIVE))
        office.push(member, project)

    def test_a_deleted_project_is_gone_for_members_and_was_never_there_for_others(
        self, office: Office
    ) -> None:
        project, member, stranger = office.project(), office.person(Role.EDITOR), office.person()
        office.push(member, project)
        office.send(office.owner, office.team.status(project.id, Status.DELETED))
        for name, ask in self.ways_in(office, member, project).items():
            assert refused(ask).problem is Problem.PROJECT_DELETED, name
        for name, ask in self.ways_in(office, stranger, project).items():
            assert refused(ask).problem is Problem.NOT_FOUND, name
        assert list(projects(office.context, caller_of(member))) == []
        again = office.team.project_new(project.id)
        assert unverified(lambda: office.try_(office.owner, again)) is Layer.MEMBERSHIP

    def test_of_a_deleted_organization_the_log_is_left(self, office: Office) -> None:
        project, member = office.project(), office.person(Role.ADMIN)
        office.push(member, project)
        gone = office.send(office.owner, office.team.delete())
        for name, ask in self.ways_in(office, member, project).items():
            assert refused(ask).problem is Problem.ORGANIZATION_DELETED, name
        caller, org = caller_of(member), office.team.org
        assert list(projects(office.context, caller)) == []
        assert refused(lambda: heads(office.context, caller, org)).problem is (
            Problem.ORGANIZATION_DELETED
        )
        more = partial(office.try_, member, office.team.project_new())
        assert refused(more).problem is Problem.ORGANIZATION_DELETED
        append(office.context, caller_of(office.owner), org, gone.encoded)
        assert list(entries(office.context, caller, org, 0)) == office.team.entries


class TestCuts:
    def test_a_cut_behind_the_head_is_answered_with_the_heads(self, office: Office) -> None:
        project, empty = office.project(), office.project()
        member = office.person(Role.EDITOR)
        office.push(member, project)
        error = refused(lambda: office.try_(office.owner, office.team.remove(member.keys.account)))
        assert error.problem is Problem.HEADS_MOVED
        assert error.heads == {project.id: project.head, empty.id: EMPTY_LOG}
        office.send(office.owner, office.team.remove(member.keys.account, error.heads))
        nothing_more(office)

    def test_a_push_in_the_last_moment_is_before_the_cut(self, office: Office) -> None:
        project, member = office.project(), office.person(Role.EDITOR)
        entry = office.team.entry(office.owner.keys, office.team.remove(member.keys.account))
        racing = interrupted(office.context, lambda: office.push(member, project))
        error = refused(
            lambda: append(racing, caller_of(office.owner), office.team.org, entry.encoded)
        )
        assert error.problem is Problem.HEADS_MOVED
        assert error.heads == {project.id: project.head}
        office.send(office.owner, office.team.remove(member.keys.account, error.heads))

    def test_an_entry_in_the_last_moment_is_told_with_what_is_lacking(self, office: Office) -> None:
        late = office.team.entry(office.owner.keys, office.team.project_new())
        racing = interrupted(office.context, office.project)
        error = refused(
            lambda: append(racing, caller_of(office.owner), office.team.org, late.encoded)
        )
        assert isinstance(error, Behind)
        assert error.problem is Problem.MEMBERSHIP_MOVED
        assert [part.data for part in error.lacks] == office.team.entries[-1:]
        office.project()
        nothing_more(office)

    def test_a_log_that_was_put_back_behind_its_cut_takes_no_push(self, office: Office) -> None:
        """Only a restore of one log without the other can do this; the client's repair mends it."""
        project = office.project()
        ahead = {project.id: Citation(3, EntryHash.random())}
        entry = office.team.entry(office.owner.keys, office.team.rotate([project.id], ahead))
        office.owner.org = replace(office.owner.org, head=office.team.head)
        office.context.store.append_membership(
            replace(office.owner.append_of(entry), previous=office.team.head)
        )
        office.team.take(entry)
        assert unverified(lambda: office.push(office.owner, project)) is Layer.MEMBERSHIP


class TestFounding:
    def test_a_team_is_founded_and_found(self, context: Context, home: Household) -> None:
        founder = Household.found(context.store)
        team = Team.found(founder.keys)
        for _ in range(2):
            found_team(context, caller_of(founder), team.entries[0])
        listed = {found.id: found for found in organizations(context, caller_of(founder))}
        assert listed.keys() == {founder.org.id, team.org}
        assert listed[team.org].head == team.head
        office = Office(context, replace(founder, team=team))
        office.person(Role.EDITOR)
        found_team(context, caller_of(founder), team.entries[0])
        nothing_more(office)

    def test_what_founds_no_team_of_ones_own_is_refused(
        self, context: Context, home: Household
    ) -> None:
        founder, other = Household.found(context.store), Household.found(context.store)
        renamed = replace(founder.keys, login="ceo@example.com")
        foreign = Keys(founder.keys.login)
        for entry, layer in (
            (founder.keys.genesis("personal"), Layer.MEMBERSHIP),
            (home.team.entry(founder.keys, home.team.project_new()), Layer.MEMBERSHIP),
            (renamed.genesis("team"), Layer.ACCOUNT),
        ):
            call = partial(found_team, context, caller_of(founder), entry.encoded)
            assert unverified(call) is layer
        for keys in (other.keys, foreign):
            entry = keys.genesis("team")
            theirs = partial(found_team, context, caller_of(founder), entry.encoded)
            assert refused(theirs).problem is Problem.FORBIDDEN
        forged = replace(founder.keys.genesis("team"), signature=bytes(64))
        bad = partial(found_team, context, caller_of(founder), forged.encoded)
        assert unverified(bad) is Layer.SIGNATURE
        assert len(organizations(context, caller_of(founder))) == 1

    def test_nobody_founds_without_end(
        self, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sopor_server.service.organizations.MAX_ORGANIZATIONS", 3)
        founder = Household.found(context.store)
        for _ in range(2):
            found_team(context, caller_of(founder), founder.keys.genesis("team").encoded)
        more = founder.keys.genesis("team").encoded
        error = refused(lambda: found_team(context, caller_of(founder), more))
        assert error.problem is Problem.QUOTA_EXCEEDED
        assert "3" in error.message
        team = Team.found(founder.keys)
        monkeypatch.setattr("sopor_server.service.organizations.MAX_ORGANIZATIONS", 4)
        found_team(context, caller_of(founder), team.entries[0])
        refused(partial(found_team, context, caller_of(founder), more))
        office = Office(context, replace(founder, team=team))
        office.send(founder, team.delete())
        found_team(context, caller_of(founder), more)
