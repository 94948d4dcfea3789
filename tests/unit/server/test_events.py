"""What a poll of events brings, in which pieces, and where a cursor leads."""

from __future__ import annotations

import secrets

import pytest

from sopor_core.ids import ProjectId
from sopor_core.membership import Role, Status
from sopor_core.wire.events import MAX_PROJECTS, Cursor, Place
from sopor_core.wire.parts import PartKind
from sopor_core.wire.problems import Code
from sopor_server.auth import Caller
from sopor_server.errors import Refused
from sopor_server.service import events as polling
from sopor_server.service.context import Context
from sopor_server.service.events import Poll, poll, standings
from sopor_server.service.packs import put_pack
from sopor_server.service.push import Push, push
from tests.support.stored import Household
from tests.support.story import Project, pack_id

NOTHING = Cursor({})


def ask(context: Context, caller: Caller, after: Cursor, *projects: ProjectId) -> Poll:
    return poll(context, caller, standings(context, caller, projects or None), after)


def kinds(polled: Poll, project: Project) -> str:
    letters = {PartKind.MEMBERSHIP_ENTRY: "m", PartKind.PUSH_ENTRY: "e", PartKind.PACK: "p"}
    return "".join(letters[part.kind] for part in polled.news[project.id].parts)


def refused(context: Context, caller: Caller, after: Cursor, *projects: ProjectId) -> Code:
    with pytest.raises(Refused) as caught:
        ask(context, caller, after, *projects)
    return caught.value.problem


def test_a_cursor_begins_at_the_present_place(
    context: Context, caller: Caller, home: Household, project: Project
) -> None:
    home.push(project)
    first = ask(context, caller, NOTHING, project.id)
    assert first == Poll(Cursor({project.id: Place(1, home.org.head.seq)}), {}, more=False)
    home.push(project)
    home.push(project)
    second = ask(context, caller, first.cursor, project.id)
    assert kinds(second, project) == "ee"
    assert second.cursor.places == {project.id: Place(3, home.org.head.seq)}
    assert ask(context, caller, second.cursor, project.id).news == {}


def test_all_projects_are_those_with_a_role(
    context: Context, caller: Caller, home: Household, project: Project
) -> None:
    guest = Household.found(context.store)
    own = guest.new_project()
    hidden = home.new_project()
    home.admit(guest.keys, Role.VIEWER, {hidden.id: Role.NONE})
    who = Caller(guest.keys.account, guest.device.id)
    polled = ask(context, who, NOTHING)
    assert set(polled.cursor.places) == {own.id, project.id}
    project.members = hidden.members = home.org.head
    home.push(hidden)
    home.push(project)
    assert set(ask(context, who, polled.cursor).news) == {project.id}
    assert refused(context, who, NOTHING, hidden.id) is Code.NOT_FOUND
    assert refused(context, who, NOTHING, ProjectId.random()) is Code.NOT_FOUND
    home.act(home.team.status(project.id, Status.DELETED))
    assert set(ask(context, who, polled.cursor).cursor.places) == {own.id}
    assert refused(context, who, NOTHING, project.id) is Code.PROJECT_DELETED


def test_an_account_without_projects_has_an_empty_cursor(context: Context, caller: Caller) -> None:
    assert ask(context, caller, NOTHING) == Poll(NOTHING, {}, more=False)


def test_too_many_projects_are_to_be_named(
    context: Context, caller: Caller, home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    projects = [home.new_project() for _ in range(3)]
    monkeypatch.setattr(polling, "MAX_PROJECTS", 2)
    assert refused(context, caller, NOTHING) is Code.MALFORMED
    assert len(ask(context, caller, NOTHING, projects[0].id, projects[1].id).cursor.places) == 2
    assert MAX_PROJECTS == 200


def test_what_does_not_fit_follows(
    context: Context, caller: Caller, home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    projects = sorted((home.new_project() for _ in range(3)), key=lambda project: project.id)
    cursor = ask(context, caller, NOTHING).cursor
    for project in projects:
        project.members = home.org.head
        pack = secrets.token_bytes(3000)
        put_pack(context, caller, project.id, pack_id(pack), pack)
        entry = project.entry(home.keys, project.commit(), packs=[pack])
        push(context, caller, Push(project.id, entry.encoded))
        project.took(entry)
    monkeypatch.setattr(polling, "BUDGET", 9_000)
    monkeypatch.setattr(polling, "_LEAST_BUDGET", 3_500)
    first = ask(context, caller, cursor)
    assert [*first.news] == [project.id for project in projects[:2]]
    assert first.more
    second = ask(context, caller, first.cursor)
    assert [*second.news] == [projects[2].id]
    assert kinds(second, projects[2]) == "ep"
    assert not second.more
    # What takes more than the whole answer comes alone, without its pack.
    monkeypatch.setattr(polling, "BUDGET", 50)
    answers = []
    polled = Poll(cursor, {}, more=True)
    while polled.more:
        polled = ask(context, caller, polled.cursor)
        answers.append(
            [kinds(polled, project) for project in projects if project.id in polled.news]
        )
    assert answers == [["e"], ["e"], ["e"]]


def test_a_cursor_ahead_of_a_log_is_told(
    context: Context, caller: Caller, home: Household, project: Project
) -> None:
    here = Place(0, home.org.head.seq)
    for place in (Place(1, here.members), Place(0, here.members + 1)):
        ahead = Cursor({project.id: place})
        assert refused(context, caller, ahead, project.id) is Code.LOG_SHORTER


def test_a_revoked_device_learns_nothing(
    context: Context, caller: Caller, home: Household, project: Project
) -> None:
    cursor = ask(context, caller, NOTHING, project.id).cursor
    context.store.revoke_device(caller.account, caller.device)
    assert ask(context, caller, cursor, project.id).news == {}
    home.push(project)
    assert refused(context, caller, cursor, project.id) is Code.DEVICE_REVOKED
    assert refused(context, caller, NOTHING, project.id) is Code.DEVICE_REVOKED
