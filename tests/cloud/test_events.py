"""What one process is told, others stream: two functions that share nothing but the storages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from sopor_core.membership import Role
from sopor_core.push_entry import PushEntry
from sopor_core.wire.events import LAST_EVENT_ID, STREAM_TYPE
from sopor_core.wire.models import Meta
from sopor_core.wire.routes import Operation
from tests.api.test_events import Listening, elsewhere, poll, query
from tests.api.test_organizations import Club
from tests.support.emulators import unused_port
from tests.support.functions import cloud_environment, running_function, start_function
from tests.support.story import Person, Project, send
from tests.support.streaming import READY
from tests.support.wire import RecordingProxy, recording_proxy


@dataclass
class Deployment:
    """Where the functions `api` and `events` are, and what stands before the latter's Firestore."""

    api: str
    events: str
    firestore: RecordingProxy

    @contextmanager
    def stream(self, who: Person, *projects: Project, **headers: str) -> Iterator[Listening]:
        """Opens a stream, which begins where the projects are."""
        there = elsewhere(who, self.events)
        accepting = {"Accept": STREAM_TYPE, **headers}
        params = query("", *projects)
        answer = there.send(Operation.EVENTS, params=params, headers=accepting, stream=True)
        with closing(answer):
            listening = Listening(answer)
            listening.has(READY)
            yield listening


@pytest.fixture(scope="module")
def deployed(
    firestore_emulator: str, storage_emulator: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    folder: Path = tmp_path_factory.mktemp("functions")
    port = unused_port()
    address = f"http://127.0.0.1:{port}"
    settings = {
        **cloud_environment(firestore_emulator, storage_emulator),
        "SOPOR_EVENTS_URL": address,
    }
    with recording_proxy(f"http://{firestore_emulator}") as proxy:
        through = {
            "FUNCTION_USE_ASGI": "true",
            "FIRESTORE_EMULATOR_HOST": proxy.url.removeprefix("http://"),
        }
        events = start_function("events", settings | through, folder / "events.log", port)
        try:
            with running_function("api", settings, folder / "api.log") as api:
                yield Deployment(api.url, events.url, proxy)
        finally:
            events.stop()
        told = (folder / "events.log").read_text(encoding="utf-8")
        assert "Traceback" not in told
        assert '"message":"failure"' not in told


@pytest.fixture
def alice(deployed: Deployment) -> Person:
    return Person.register(deployed.api)


@pytest.fixture
def bob(deployed: Deployment) -> Person:
    return Person.register(deployed.api)


def numbers(stream: Listening) -> list[int]:
    """Returns the numbers of the entries that were streamed, each as often as it was."""
    news = (event for event in stream.events if event.name == "news")
    return [entry.seq for event in news for entry in event.pulled.entries]


def is_told(stream: Listening, entry: PushEntry) -> bool:
    """Tells whether an entry was streamed."""
    return any(entry in event.pulled.entries for event in stream.events)


def test_api_tells_where_events_are(deployed: Deployment) -> None:
    offered = Meta.model_validate(send(deployed.api, Operation.META).json()).events
    assert offered is not None
    assert (offered.url, offered.modes, offered.quiet) == (deployed.events, ["poll", "stream"], 120)


def test_a_push_to_one_function_is_streamed_by_the_other(
    deployed: Deployment, alice: Person
) -> None:
    project = alice.new_project()
    begun = poll(alice, "", project).cursor
    with deployed.stream(alice, project) as stream, deployed.stream(alice) as of_all:
        for number in range(1, 4):
            entry = alice.push(project, packs=[b"pack %d" % number])
            for one in (stream, of_all):
                one.until(partial(is_told, one, entry))
                assert one.events[-1].pulled.entries == [entry]
                assert one.events[-1].pulled.packs == [b"pack %d" % number]
        assert numbers(stream) == numbers(of_all) == [1, 2, 3]
    assert poll(elsewhere(alice, deployed.events), begun, project) == poll(alice, begun, project)


def test_a_new_project_is_streamed_as_soon_as_it_is_followed(
    deployed: Deployment, alice: Person
) -> None:
    known = alice.new_project()
    with deployed.stream(alice) as stream:
        project = alice.new_project()
        known.members = project.members
        while not stream.events or project.id.b64 not in stream.events[-1].id:
            entry = alice.push(known)
            stream.until(partial(is_told, stream, entry))
        entry = alice.push(project)
        stream.until(partial(is_told, stream, entry))


def test_who_loses_the_role_is_told_so_and_nothing_after_it(
    deployed: Deployment, alice: Person, bob: Person
) -> None:
    club = Club(alice)
    club.admit(bob, Role.EDITOR)
    project = club.project()
    with deployed.stream(bob, project) as stream, deployed.stream(alice, project) as owners:
        heads = club.heads(alice)
        club.do(alice, club.team.set_role(bob.keys.account, Role.NONE, project.id, heads))
        project.members = club.team.head
        entry = project.entry(alice.keys, project.commit(), epoch=2)
        assert alice.push_entry(entry).status_code == 201
        stream.rest()
        assert stream.events[-1].data == {"reason": "forbidden", "wait": 0}
        assert numbers(stream) == []
        owners.until(partial(is_told, owners, entry))


def test_a_revoked_device_is_told_so_and_nothing_after_it(
    deployed: Deployment, alice: Person
) -> None:
    project = alice.new_project()
    other = alice.login()
    with deployed.stream(other, project) as stream:
        alice.send(Operation.DEVICE_REVOKE, {"device": other.device.b64})
        alice.push(project)
        stream.rest()
        assert [event.data for event in stream.events] == [{"reason": "revoked", "wait": 0}]


def test_a_firestore_that_is_cut_off_again_and_again_costs_no_event(
    deployed: Deployment, alice: Person
) -> None:
    """The stream to the client stays, and tells each entry once and in order."""
    project = alice.new_project()
    with deployed.stream(alice, project) as stream:
        for number in range(1, 26):
            if number % 4 == 1:
                deployed.firestore.cut()
            entry = alice.push(project)
            if number % 5 == 0:
                stream.until(partial(is_told, stream, entry))
        assert numbers(stream) == list(range(1, 26))


def test_a_client_that_was_away_goes_on_where_it_was(deployed: Deployment, alice: Person) -> None:
    project = alice.new_project()
    with deployed.stream(alice, project) as stream:
        alice.push(project)
        stream.until(lambda: 1 in numbers(stream))
        place = stream.events[-1].id
    for _ in range(3):
        alice.push(project)
    with deployed.stream(alice, project, **{LAST_EVENT_ID: place}) as stream:
        assert numbers(stream) == [2, 3, 4]
