"""Organizations over HTTP: every route and every code, and races between processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from sopor.remote.answers import MAX_ANSWER_BYTES
from sopor_core.encoding import b64encode
from sopor_core.ids import CommitId, InviteId, OrgId, ProjectId
from sopor_core.limits import MAX_MEMBERSHIP_ENTRY_BYTES
from sopor_core.membership import Body, MembershipEntry, MembershipLog, Role, Status
from sopor_core.push_entry import Citation, PushEntry
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.deflated import split_answer
from sopor_core.wire.models import Heads, Organizations, Projects
from sopor_core.wire.parts import Part, PartKind
from sopor_core.wire.routes import Operation
from tests.api.test_accounts import problem
from tests.contract.racing import in_processes
from tests.support.server import RunningServer, running_server, start_server
from tests.support.story import Key, Person, Project, Pulled
from tests.support.teams import Code, Team, token_for


def entries_in(body: bytes) -> list[bytes]:
    """Returns the entries that an answer holds."""
    return [part.data for part in split_answer(body, MAX_ANSWER_BYTES)]


class Club:
    """A team on a server, whose members send what the team makes."""

    def __init__(self, owner: Person) -> None:
        self.owner = owner
        self.team = Team.found(owner.keys)
        answer = owner.send_parts(Operation.ORG_CREATE, {}, [entry_part(self.team.entries[0])])
        assert (answer.status_code, answer.content) == (201, b"")

    def ask(self, who: Person, body: Body, **changes: Any) -> requests.Response:
        entry = self.team.entry(who.keys, body, **changes)
        return self.ask_entry(who, entry.encoded)

    def ask_entry(self, who: Person, entry: bytes) -> requests.Response:
        names, token = {"org": self.team.org.b64}, token_for(entry)
        query = {"invite": token.b64} if token else {}
        return who.send_parts(Operation.ORG_APPEND, names, [entry_part(entry)], params=query)

    def do(self, who: Person, body: Body) -> MembershipEntry:
        entry = self.team.entry(who.keys, body)
        answer = self.ask_entry(who, entry.encoded)
        assert (answer.status_code, answer.content) == (201, b""), answer.text
        return self.team.take(entry)

    def admit(self, who: Person, role: Role = Role.EDITOR, **projects: Any) -> None:
        code = Code()
        self.do(self.owner, self.team.invite(code, role, expires=FAR, **projects))
        self.do(who, self.team.join(code, who.keys))

    def project(self) -> Project:
        entry = self.do(self.owner, self.team.project_new())
        return Project(entry.body.project, self.team.org, entry.citation)  # type: ignore[attr-defined]

    def read(self, who: Person, **query: Any) -> requests.Response:
        return who.send(Operation.ORG_ENTRIES, {"org": self.team.org.b64}, params=query)

    def heads(self, who: Person) -> dict[ProjectId, Citation]:
        answer = who.send(Operation.ORG_HEADS, {"org": self.team.org.b64})
        assert answer.status_code == 200, answer.text
        found = Heads.model_validate(answer.json())
        assert found.members == (self.team.head.seq, self.team.head.hash.b64)
        return places(found.projects)


FAR = 2**52


def entry_part(entry: bytes) -> Part:
    return Part(PartKind.MEMBERSHIP_ENTRY, entry)


def places(wire: dict[str, Any]) -> dict[ProjectId, Citation]:
    return {
        ProjectId.from_b64(project): Citation.from_json(list(head))
        for project, head in wire.items()
    }


def listed(person: Person) -> dict[str, Any]:
    answer = person.send(Operation.ORGANIZATIONS)
    found = Organizations.model_validate(answer.json()).organizations
    return {org.organization: org for org in found}


@pytest.fixture
def club(alice: Person) -> Club:
    return Club(alice)


class TestFounding:
    def test_a_team_is_listed_beside_the_personal_organization(
        self, club: Club, alice: Person
    ) -> None:
        found = listed(alice)
        assert {name: org.kind for name, org in found.items()} == {
            alice.org.b64: "personal",
            club.team.org.b64: "team",
        }
        head = club.team.head
        assert found[club.team.org.b64].head == (head.seq, head.hash.b64)
        assert not found[club.team.org.b64].deleted

    def test_founding_again_is_answered_again(self, club: Club, alice: Person) -> None:
        part = entry_part(club.team.entries[0])
        assert alice.send_parts(Operation.ORG_CREATE, {}, [part]).status_code == 201
        assert len(listed(alice)) == 2

    def test_only_a_team_of_ones_own_is_founded(self, alice: Person, bob: Person) -> None:
        for entry, status, code in (
            (alice.keys.genesis("personal").encoded, 422, "entry-refused"),
            (bob.keys.genesis("team").encoded, 403, "forbidden"),
            (b"{}", 422, "entry-refused"),
        ):
            part = entry_part(entry)
            problem(alice.send_parts(Operation.ORG_CREATE, {}, [part]), status, code)
        problem(alice.send_parts(Operation.ORG_CREATE, {}, []), 400, "malformed")


class TestJoining:
    def test_somebody_is_invited_reads_and_joins(self, club: Club, bob: Person) -> None:
        project, code = club.project(), Code()
        club.do(club.owner, club.team.invite(code, expires=FAR))
        problem(club.read(bob), 404, "not-found")
        # Every member knows the invite's id, those who were removed as well.
        problem(club.read(bob, invite=code.id.b64), 410, "invite-closed")
        answer = club.read(bob, invite=code.token.b64)
        assert answer.status_code == 200
        assert [
            part.data for part in split_answer(answer.content, MAX_ANSWER_BYTES)
        ] == club.team.entries
        join = club.do(bob, club.team.join(code, bob.keys))
        assert club.ask_entry(bob, join.encoded).status_code == 201
        assert club.read(bob).status_code == 200
        assert club.team.org.b64 in listed(bob)
        project.members = club.team.head
        bob.push(project)
        (found,) = Projects.model_validate(bob.send(Operation.PROJECTS).json()).projects
        assert (found.project, found.head) == (project.id.b64, (1, project.head.hash.b64))
        assert club.heads(bob) == {project.id: project.head}

    def test_a_closed_invite_has_its_own_code(self, club: Club, bob: Person) -> None:
        code = Code()
        club.do(club.owner, club.team.invite(code, expires=1_000 + 1_700_000_000_000))
        found = problem(club.read(bob, invite=code.token.b64), 410, "invite-closed")
        assert "new code" in found["hint"]
        problem(club.ask(bob, club.team.join(code, bob.keys)), 410, "invite-closed")
        nowhere = {"org": OrgId.random().b64}
        answer = bob.send(Operation.ORG_ENTRIES, nowhere, params={"invite": InviteId.random().b64})
        problem(answer, 410, "invite-closed")

    @pytest.mark.parametrize("invite", ["", "x", "A" * 21, "A" * 23, "=" * 22])
    def test_what_is_no_invite_is_malformed(self, club: Club, bob: Person, invite: str) -> None:
        problem(club.read(bob, invite=invite), 400, "malformed")

    def test_other_keys_than_the_accounts_are_refused(self, club: Club, bob: Person) -> None:
        code = Code()
        club.do(club.owner, club.team.invite(code, expires=FAR))
        body = club.team.join(code, replace(bob.keys, login="somebody@example.com"))
        assert problem(club.ask(bob, body), 422, "entry-refused")["detail"].startswith("account: ")


class TestRoles:
    def test_roles_are_told_as_forbidden(self, club: Club, bob: Person) -> None:
        club.admit(bob, Role.EDITOR)
        found = problem(club.ask(bob, club.team.project_new()), 403, "forbidden")
        assert found["hint"]
        with_other_key = replace(
            club.team.entry(bob.keys, club.team.project_new()), actor=club.owner.keys.account
        )
        problem(club.ask_entry(bob, with_other_key.encoded), 403, "forbidden")

    def test_a_removed_members_session_ends_at_once(self, club: Club, bob: Person) -> None:
        project = club.project()
        club.admit(bob)
        project.members = club.team.head
        bob.push(project)
        known = project.head
        body = club.team.remove(bob.keys.account, club.heads(club.owner))
        club.do(club.owner, body)
        entry = project.entry(bob.keys, project.commit(), members=club.team.head)
        names = {"project": project.id.b64}
        for answer in (
            bob.push_entry(entry),
            bob.ask_pull(project, EMPTY_LOG),
            bob.ask_pull(project, known, project.members.seq),
            bob.send(Operation.BRANCHES, names),
            club.read(bob),
            club.read(bob, after=1),
            bob.send(Operation.ORG_HEADS, {"org": club.team.org.b64}),
            club.ask(bob, club.team.project_new()),
        ):
            problem(answer, 404, "not-found")
        assert bob.send(Operation.PROJECTS).json() == {"projects": []}
        assert club.team.org.b64 not in listed(bob)

    def test_a_project_without_a_role_is_not_there(self, club: Club, bob: Person) -> None:
        hidden, other = club.project(), club.project()
        club.admit(bob, Role.EDITOR, projects={hidden.id: Role.NONE})
        problem(bob.ask_pull(hidden, EMPTY_LOG), 404, "not-found")
        assert club.heads(bob) == {other.id: EMPTY_LOG}
        assert club.heads(club.owner) == {hidden.id: EMPTY_LOG, other.id: EMPTY_LOG}
        (found,) = bob.send(Operation.PROJECTS).json()["projects"]
        assert found["project"] == other.id.b64


class TestCuts:
    def test_a_cut_that_lags_is_answered_with_the_heads(self, club: Club, bob: Person) -> None:
        project, empty = club.project(), club.project()
        club.admit(bob)
        project.members = club.team.head
        bob.push(project)
        answer = club.ask(club.owner, club.team.remove(bob.keys.account))
        found = problem(answer, 409, "heads-moved")
        heads = places(found["heads"])
        assert heads == {project.id: project.head, empty.id: EMPTY_LOG}
        club.do(club.owner, club.team.remove(bob.keys.account, heads))

    def test_a_push_that_cites_the_state_before_a_cut_is_sent_back(
        self, club: Club, bob: Person
    ) -> None:
        project = club.project()
        club.admit(bob)
        project.members = club.team.head
        late = project.entry(bob.keys, project.commit())
        club.do(club.owner, club.team.rotate([project.id], club.heads(club.owner)))
        answer = bob.push_entry(late)
        assert answer.status_code == 409
        lacks = Pulled.of(answer.content)
        assert lacks.control["problem"]["code"] == "membership-moved"
        assert lacks.members == club.team.entries[-1:]
        stale = project.entry(bob.keys, project.commit(), members=club.team.head)
        found = problem(bob.push_entry(stale), 422, "entry-refused")
        assert found["detail"].startswith("epoch: ")


class TestDeleting:
    def test_an_archived_project_is_read_only(self, club: Club) -> None:
        project, alice = club.project(), club.owner
        alice.push(project)
        club.do(alice, club.team.status(project.id, Status.ARCHIVED))
        entry = project.entry(alice.keys, project.commit(), members=club.team.head)
        for operation in (Operation.PUSH, Operation.BRANCHES_CHANGE, Operation.REVERT):
            answer = alice.push_entry(entry, operation=operation)
            assert problem(answer, 403, "project-archived")["hint"]
        names = {"project": project.id.b64, "pack": b64encode(bytes(32))}
        octets = {"Content-Type": "application/octet-stream"}
        answer = alice.send(Operation.PACK_PUT, names, data=b"pack", headers=octets)
        problem(answer, 403, "project-archived")
        assert len(alice.pull(project, EMPTY_LOG).entries) == 1
        (found,) = alice.send(Operation.PROJECTS).json()["projects"]
        assert found["status"] == "archived"

    def test_a_deleted_project_says_so(self, club: Club, bob: Person) -> None:
        project, alice = club.project(), club.owner
        alice.push(project)
        club.do(alice, club.team.status(project.id, Status.DELETED))
        entry = project.entry(alice.keys, project.commit(), members=club.team.head)
        for answer in (
            alice.push_entry(entry),
            alice.ask_pull(project, EMPTY_LOG),
            alice.send(Operation.BRANCHES, {"project": project.id.b64}),
        ):
            problem(answer, 410, "project-deleted")
        problem(bob.ask_pull(project, EMPTY_LOG), 404, "not-found")
        assert alice.send(Operation.PROJECTS).json() == {"projects": []}
        assert club.heads(alice) == {}

    def test_a_deleted_organization_keeps_its_log_alone(self, club: Club) -> None:
        project, alice = club.project(), club.owner
        gone = club.do(alice, club.team.delete())
        assert club.ask_entry(alice, gone.encoded).status_code == 201
        for answer in (
            club.ask(alice, club.team.project_new()),
            alice.ask_pull(project, EMPTY_LOG),
            alice.send(Operation.ORG_HEADS, {"org": club.team.org.b64}),
        ):
            problem(answer, 410, "organization-deleted")
        assert listed(alice)[club.team.org.b64].deleted
        assert club.read(alice, after=1).status_code == 200


class TestSizes:
    def test_eight_mebibytes_are_read_and_no_more(self, club: Club) -> None:
        limit = MAX_MEMBERSHIP_ENTRY_BYTES
        for size, layer in ((limit, "canonical"), (limit + 1, "parse")):
            answer = club.ask_entry(club.owner, b"1 " * (size // 2) + b"1" * (size % 2))
            found = problem(answer, 422, "entry-refused")
            assert found["detail"].startswith(f"{layer}: ")
        problem(club.ask_entry(club.owner, bytes(limit + 5000)), 413, "too-large")


class TestPlans:
    SELLER = Key()

    @pytest.fixture
    def strict(self, tmp_path: Path) -> Iterator[Club]:
        settings = {
            "SOPOR_QUOTA_SEATS": "2",
            "SOPOR_QUOTA_PROJECTS": "1",
            "SOPOR_LICENSE_KEY": b64encode(self.SELLER.public),
        }
        with running_server(tmp_path / "data", **settings) as server:
            yield Club(Person.register(server.url))

    def test_limits_are_told_and_lifted_by_a_license(self, strict: Club) -> None:
        owner, team = strict.owner, strict.team
        strict.project()
        strict.do(owner, team.invite(Code(), expires=FAR))
        for body, limit in (
            (team.invite(Code(), expires=FAR), "2 seats"),
            (team.project_new(), "1 projects"),
        ):
            found = problem(strict.ask(owner, body), 403, "quota-exceeded")
            assert limit in found["detail"]
            assert "SOPOR_QUOTA_" in found["hint"]
        strict.do(owner, team.plan(self.SELLER, seats=3))
        strict.project()
        strict.do(owner, team.invite(Code(), expires=FAR))
        answer = strict.ask(owner, team.invite(Code(), expires=FAR))
        assert "3 seats" in problem(answer, 403, "quota-exceeded")["detail"]
        problem(strict.ask(owner, team.plan(Key(), seats=9)), 422, "entry-refused")

    def test_a_server_without_a_key_takes_no_license(self, club: Club) -> None:
        found = problem(club.ask(club.owner, club.team.plan(self.SELLER)), 403, "forbidden")
        assert "SOPOR_LICENSE_KEY" in found["hint"]

    def test_of_many_invites_at_once_as_many_land_as_there_are_seats(self, strict: Club) -> None:
        owner, team = strict.owner, strict.team
        calls = [(invite_until_answered, owner.url, owner, team) for _ in range(4)]
        assert sorted(in_processes(calls)) == ["landed", *["quota-exceeded"] * 3]


def invite_until_answered(url: str, owner: Person, team: Team) -> str:
    """Invites, taking in what is lacking; returns what came of it."""
    club = Club.__new__(Club)
    club.owner, club.team = Person(url, owner.keys, owner.session), team
    while True:
        entry = team.entry(owner.keys, team.invite(Code(), expires=FAR))
        answer = club.ask_entry(club.owner, entry.encoded)
        if answer.status_code == 201:
            return "landed"
        if answer.headers["Content-Type"] == "application/problem+json":
            return str(answer.json()["code"])
        for lacking in Pulled.of(answer.content).members:
            team.take(MembershipEntry.parse(lacking))


def push_while_allowed(url: str, person: Person, project: Project) -> list[CommitId]:
    """Pushes until the server knows no such project any more; returns what landed."""
    person = Person(url, person.keys, person.session)
    landed: list[CommitId] = []
    while True:
        entry = project.entry(person.keys, project.commit())
        answer = person.push_entry(entry)
        if answer.status_code == 404:
            return landed
        if answer.status_code == 201:
            project.took(entry)
            landed.append(entry.commits[0].id)
            continue
        assert answer.status_code == 409, answer.text
        lacks = Pulled.of(answer.content)
        for lacking in lacks.entries:
            project.took(lacking)
        if lacks.members:
            project.members = MembershipEntry.parse(lacks.members[-1]).citation


def remove_in_the_midst(
    url: str, owner: Person, victim: Person, team: Team, project: Project
) -> int:
    """Removes somebody who pushes all the time; returns how often it took."""
    club = Club.__new__(Club)
    club.owner, club.team = Person(url, owner.keys, owner.session), team
    while club.heads(club.owner)[project.id].seq < 5:
        continue
    heads = club.heads(club.owner)
    tries = 0
    while True:
        tries += 1
        entry = team.entry(owner.keys, team.remove(victim.keys.account, heads))
        answer = club.ask_entry(club.owner, entry.encoded)
        if answer.status_code == 201:
            return tries
        heads = places(problem(answer, 409, "heads-moved")["heads"])


@pytest.mark.parametrize("servers", [1, 2])
def test_in_processes_nothing_of_a_removed_member_comes_behind_the_cut(
    tmp_path: Path, servers: int
) -> None:
    with running_server(tmp_path / "data", SOPOR_LOGIN_RATE="100000") as one:
        two = start_server(one.data) if servers == 2 else one
        try:
            check_removal(one, two)
        finally:
            if two is not one:
                assert two.stop() == 0


def check_removal(one: RunningServer, two: RunningServer) -> None:
    owner, member = Person.register(one.url), Person.register(one.url)
    club = Club(owner)
    project = club.project()
    club.admit(member)
    project.members = club.team.head
    outcomes = in_processes(
        [
            (push_while_allowed, one.url, member, project),
            (push_while_allowed, two.url, member.login(), project),
            (remove_in_the_midst, two.url, owner, member, club.team, project),
        ]
    )
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
    log = MembershipLog.replay(
        club.team.org,
        entries_in(club.read(owner).content),
    )
    (cut,) = log.cuts(project.id)
    pushed: list[PushEntry] = []
    while not pushed or pushed[-1].seq < club_head(owner, project):
        place = pushed[-1].citation if pushed else EMPTY_LOG
        pushed += owner.pull(project, place, log.head.seq).entries
    assert pushed[-1].citation == cut.push
    landed = [commit for mine in outcomes[:2] for commit in mine]
    assert sorted(landed) == sorted(entry.commits[0].id for entry in pushed)


def club_head(person: Person, project: Project) -> int:
    (found,) = person.send(Operation.PROJECTS).json()["projects"]
    assert found["project"] == project.id.b64
    return int(found["seq"])
