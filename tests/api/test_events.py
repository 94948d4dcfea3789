"""Events over HTTP: polls of both functions, and streams."""

from __future__ import annotations

from typing import Any

import pytest

from sopor_core.encoding import b64decode
from sopor_core.ids import ProjectId
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.events import LAST_EVENT_ID
from sopor_core.wire.models import Events
from sopor_core.wire.routes import Operation
from tests.api.test_accounts import problem
from tests.support.story import Person, Project, Pulled


def poll(who: Person, after: str = "", *projects: Project, **headers: str) -> Events:
    """Polls, which must be answered."""
    answer = who.send(Operation.EVENTS, params=query(after, *projects), headers=headers)
    assert answer.status_code == 200, answer.text
    return Events.model_validate(answer.json())


def query(after: str, *projects: Project) -> dict[str, str]:
    named = {"projects": ",".join(project.id.b64 for project in projects)} if projects else {}
    return named | ({"after": after} if after else {})


class TestPoll:
    def test_it_brings_what_a_pull_would(self, alice: Person) -> None:
        project = alice.new_project()
        begun = poll(alice, "", project)
        assert begun.cursor == f"{project.id.b64}.0.2"
        assert (begun.events, begun.more, begun.wait) == ([], False, 5)
        entry = alice.push(project, packs=[b"a pack"])
        told = poll(alice, begun.cursor, project)
        (event,) = told.events
        assert (event.event, event.project) == ("news", project.id.b64)
        assert (event.seq, event.members) == (1, 2)
        assert told.cursor == f"{project.id.b64}.1.2"
        found = Pulled.of(b64decode(event.parts))
        assert found == alice.pull(project, EMPTY_LOG, members=2)
        assert (found.entries, found.packs) == ([entry], [b"a pack"])
        assert poll(alice, told.cursor, project).events == []

    def test_nothing_new_is_304(self, alice: Person) -> None:
        project, other = alice.new_project(), alice.new_project()
        asked = alice.send(Operation.EVENTS, params=query(""))
        cursor = asked.json()["cursor"]
        first = alice.send(Operation.EVENTS, params=query(cursor))
        known = {"If-None-Match": first.headers["ETag"]}
        again = alice.send(Operation.EVENTS, params=query(cursor), headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        # Another cursor or a push is another answer.
        for params in (query(""), query(cursor, project)):
            assert alice.send(Operation.EVENTS, params=params, headers=known).status_code == 200
        other.members = alice.membership()[-1].citation
        alice.push(other)
        news = alice.send(Operation.EVENTS, params=query(cursor), headers=known)
        assert [event["project"] for event in news.json()["events"]] == [other.id.b64]

    def test_the_header_counts_in_place_of_the_query(self, alice: Person) -> None:
        project = alice.new_project()
        before = poll(alice, "", project).cursor
        alice.push(project)
        after = poll(alice, "", project).cursor
        assert len(poll(alice, after, project, **{LAST_EVENT_ID: before}).events) == 1
        assert poll(alice, before, project, **{LAST_EVENT_ID: after}).events == []

    def test_two_hundred_projects_are_followed_at_once(self, alice: Person) -> None:
        project = alice.new_project()
        strangers = [Project(ProjectId.random(), alice.org, EMPTY_LOG) for _ in range(199)]
        problem(
            alice.send(Operation.EVENTS, params=query("", project, *strangers)), 404, "not-found"
        )
        cursor = ",".join(
            f"{stranger.id.b64}.1234567.12345" for stranger in sorted(strangers, key=lambda p: p.id)
        )
        assert poll(alice, "", project, **{LAST_EVENT_ID: cursor}).events == []
        many = query("", project, *strangers, strangers[0])
        problem(alice.send(Operation.EVENTS, params=many), 400, "malformed")

    @pytest.mark.parametrize(
        "params",
        [
            {"projects": ""},
            {"projects": "A"},
            {"projects": "A" * 22 + "," + "A" * 22},
            {"after": "A"},
            {"after": f"{'A' * 22}.1"},
            {"after": f"{'A' * 22}.01.1"},
            {"after": f"{'B' * 21}A.1.1,{'A' * 22}.1.1"},
            {"hash": "A"},
        ],
    )
    def test_what_is_out_of_shape_is_refused(self, alice: Person, params: dict[str, Any]) -> None:
        problem(alice.send(Operation.EVENTS, params=params), 400, "malformed")

    def test_what_a_pull_refuses_is_refused(self, alice: Person, bob: Person) -> None:
        project = alice.new_project()
        problem(bob.send(Operation.EVENTS, params=query("", project)), 404, "not-found")
        ahead = query(f"{project.id.b64}.9.2", project)
        problem(alice.send(Operation.EVENTS, params=ahead), 409, "log-shorter")
        other = alice.login()
        alice.send(Operation.DEVICE_REVOKE, {"device": other.device.b64})
        problem(other.send(Operation.EVENTS, params=query("", project)), 401, "device-revoked")
