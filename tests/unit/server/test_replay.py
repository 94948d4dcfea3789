"""What of a membership log is read, replayed and stored at an append."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from sopor_core.ids import InviteId, ProjectId
from sopor_core.license import License
from sopor_core.membership import Cut, MembershipEntry, MembershipLog, Role, Seat, Status
from sopor_core.push_entry import Citation
from sopor_core.wire.problems import Code as Problem
from sopor_server.ports.metadata import MetadataStore
from sopor_server.service.context import Context
from sopor_server.service.replay import RecentLogs, Replayed, replayed
from sopor_server.service.state import (
    MAX_STATE_BYTES,
    Member,
    ProjectState,
    State,
    decode,
    encode,
    organization_of,
)
from tests.support.stored import Household, new_keys
from tests.support.story import TIME, Key
from tests.support.teams import Team
from tests.unit.server.team import Office, refused


class _Counting:
    """A metadata store that notes from where on a membership log was read, and how much came."""

    def __init__(self, store: MetadataStore) -> None:
        self._store = store
        self.read: list[tuple[int, int]] = []

    def membership_entries(self, *place: object) -> list[bytes]:
        found = list(self._store.membership_entries(*place))  # type: ignore[arg-type]
        self.read.append((cast(int, place[1]), len(found)))
        return found

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


@pytest.fixture
def counting(context: Context) -> _Counting:
    return _Counting(context.store)


@pytest.fixture
def office(context: Context, counting: _Counting, home: Household) -> Office:
    return Office(replace(context, store=cast(MetadataStore, counting)), home)


class TestReplaying:
    def test_a_process_replays_the_log_once(self, office: Office, counting: _Counting) -> None:
        for _ in range(3):
            office.project()
        assert counting.read == [(0, 1), (2, 0), (3, 0)]

    def test_what_others_appended_is_replayed_and_no_more(
        self, office: Office, counting: _Counting, context: Context
    ) -> None:
        office.project()
        elsewhere = Office(replace(context, logs=RecentLogs()), office.owner)
        elsewhere.project()
        elsewhere.project()
        counting.read.clear()
        office.project()
        assert counting.read == [(2, 2)]

    def test_a_refused_entry_spoils_nothing(self, office: Office, counting: _Counting) -> None:
        viewer = office.person(Role.VIEWER)
        counting.read.clear()
        for _ in range(2):
            refused(lambda: office.try_(viewer, office.team.project_new()))
        office.project()
        assert all(count == 0 for _, count in counting.read)

    def test_an_entry_that_the_limits_refuse_is_forgotten(self, office: Office) -> None:
        full = Office(replace(office.context, quota_projects=1), office.owner)
        full.project()
        for _ in range(2):
            error = refused(lambda: full.try_(office.owner, office.team.project_new()))
            assert error.problem is Problem.QUOTA_EXCEEDED
        office.project()

    def test_a_store_that_was_put_back_is_replayed_anew(
        self, office: Office, context: Context
    ) -> None:
        other = Household.found(context.store)
        office.project()
        for logs in (RecentLogs(), RecentLogs()):
            ahead = Replayed(MembershipLog(office.team.org))
            for data in office.team.entries:
                ahead.append(MembershipEntry.parse(data), len(data))
            more = office.team.entry(office.owner.keys, office.team.project_new())
            ahead.append(more, len(more.encoded))
            logs.give_back(ahead)
            found = context.store.organization(office.team.org)
            assert found is not None
            assert replayed(context.store, logs, found).log.head == office.team.head
            office.project()
        assert context.store.organization(other.org.id) == other.org

    def test_a_stored_log_that_does_not_verify_is_no_ones_fault(
        self, office: Office, context: Context
    ) -> None:
        entry = office.team.entry(office.owner.keys, office.team.project_new())
        wrong = replace(entry, signature=bytes(64))
        append = replace(office.owner.append_of(entry), entry=wrong.encoded)
        context.store.append_membership(append)
        found = context.store.organization(office.team.org)
        assert found is not None
        with pytest.raises(RuntimeError, match="does not verify"):
            replayed(context.store, RecentLogs(), found)


class TestRecentLogs:
    def test_they_are_kept_as_far_as_there_is_room(self) -> None:
        recent = RecentLogs(1000)
        logs = [Replayed(Team.found(new_keys()).log, 400) for _ in range(3)]
        for log in logs:
            recent.give_back(log)
        assert recent.take(logs[0].log.org) is None
        assert recent.take(logs[1].log.org) is logs[1]
        assert recent.take(logs[1].log.org) is None
        recent.give_back(replace(logs[1], size=1001))
        assert recent.take(logs[1].log.org) is None


class TestState:
    def test_it_comes_back_whole(self) -> None:
        projects = [ProjectId.random() for _ in range(4)]
        keys = [new_keys() for _ in range(5)]
        seats = [Seat(role) for role in (Role.OWNER, Role.ADMIN, Role.EDITOR, Role.VIEWER)]
        seats.append(Seat(Role.VIEWER, {projects[0]: Role.NONE, projects[3]: Role.EDITOR}))
        team = Team.found(keys[0])
        state = State(
            "team",
            deleted=False,
            members={
                who.account: Member(seat, who.signing.public)
                for who, seat in zip(keys, seats, strict=True)
            },
            invites={InviteId.random(): TIME},
            projects={
                projects[0]: ProjectState(1, due=False, status=Status.ACTIVE, cut=None),
                projects[1]: ProjectState(7, due=True, status=Status.ACTIVE, cut=None),
                projects[2]: ProjectState(1, due=False, status=Status.ARCHIVED, cut=None),
                projects[3]: ProjectState(
                    2, due=False, status=Status.ACTIVE, cut=Cut(9, Citation(3, team.head.hash))
                ),
            },
            license=License(team.org, "t", 1, 2, 3, None).sign(Key()),
        )
        for some in (state, replace(state, deleted=True, license=None)):
            assert decode(encode(some)) == some
        assert (state.seats, set(state.kept)) == (6, set(projects))
        assert replace(state, deleted=True).kept == frozenset()

    def test_two_hundred_members_in_two_hundred_projects_fit(self) -> None:
        projects = [ProjectId.random() for _ in range(200)]
        team = Team.found(new_keys())
        one = ProjectState(9, due=False, status=Status.ACTIVE, cut=Cut(9, team.head))
        seat = Seat(Role.EDITOR, dict.fromkeys(projects, Role.VIEWER))
        members = {
            who.account: Member(seat, who.signing.public)
            for who in (new_keys() for _ in range(200))
        }
        state = State("team", False, members, {}, dict.fromkeys(projects, one), None)
        assert len(encode(state)) < MAX_STATE_BYTES

    def test_what_no_store_could_keep_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        team = Team.found(new_keys())
        monkeypatch.setattr("sopor_server.service.state.MAX_STATE_BYTES", 50)
        error = refused(lambda: organization_of(team.log))
        assert error.problem is Problem.QUOTA_EXCEEDED
        assert "50" in error.message

    def test_another_versions_state_is_not_guessed_at(self) -> None:
        data = encode(State("team", False, {}, {}, {}, None))
        with pytest.raises(RuntimeError):
            decode(data.replace(b'"v":1', b'"v":2'))
