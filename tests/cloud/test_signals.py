"""Streams that end, hang and say odd things: no change is left out, and little is read."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import grpc
import pytest
from google.cloud.firestore_v1.types import ExistenceFilter, ListenResponse

from sopor_core.ids import DeviceId, ProjectId
from sopor_server.adapters.firestore import connection, listening
from sopor_server.adapters.firestore.organizations import presence_path
from sopor_server.adapters.firestore.signals import FirestoreSignals, document_of
from sopor_server.ports.signals import Topic, TopicKind
from tests.cloud.test_imports import run
from tests.support.emulators import PROJECT, new_database
from tests.support.listening import Listener
from tests.support.stored import Household
from tests.support.story import Project
from tests.support.watched import WatchedCloud
from tests.support.weather import Billed, Fault
from tests.support.wire import RecordingProxy, recording_proxy

ENDS = [
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.OK,
]
_FORK = """
import os, sys, threading
from sopor_server.adapters.firestore.signals import FirestoreSignals
from sopor_server.ports.signals import Topic, TopicKind
woken = threading.Event()
signals = FirestoreSignals(*sys.argv[1:], lambda topic: woken.set())
for _ in range(2):
    child = os.fork()
    if child == 0:
        try:
            signals.follow(Topic(TopicKind.PROJECT, bytes(16)))
            told = woken.wait(60)
            signals.close()
            os._exit(0 if told else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert "grpc" not in sys.modules
signals.close()
"""


@dataclass
class Followed:
    """A project that is followed through the relay."""

    cloud: WatchedCloud
    home: Household
    project: Project
    listener: Listener

    @property
    def topic(self) -> Topic:
        return Topic(TopicKind.PROJECT, bytes(self.project.id))

    def push(self) -> None:
        """Pushes and waits until a look after a signal shows it."""
        seen = self.listener.count(self.topic)
        self.home.push(self.project)
        self.listener.wait_until(self.topic, self.is_seen, seen)

    def is_seen(self) -> bool:
        found = self.cloud.store.project(self.project.id)
        return found is not None and found.head == self.project.head

    def say(self, change: str, targets: list[int] | None = None, **named: object) -> None:
        """Lets the relay say something of all targets, or of those that are named."""
        ids = [number for number, _ in self.cloud.documents.targets] if targets is None else targets
        told = {"target_change_type": change, "target_ids": ids, **named}
        self.cloud.documents.say(ListenResponse(target_change=told))


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "_LONGEST_PAUSE_SECONDS", 0.05)


@pytest.fixture
def followed(
    cloud: WatchedCloud, home: Household, project: Project, short_pauses: None
) -> Iterator[Followed]:
    opener = partial(FirestoreSignals, PROJECT, cloud.database, cloud.documents.address)
    with Listener(opener) as heard:
        followed = Followed(cloud, home, project, heard)
        heard.follow(followed.topic)
        heard.wait_for(followed.topic)
        yield followed


@pytest.mark.parametrize("code", ENDS)
def test_what_changes_while_no_stream_is_there_is_signalled_by_the_next(
    followed: Followed, code: grpc.StatusCode
) -> None:
    documents = followed.cloud.documents
    documents.plan("Listen", Fault.BEFORE, Fault.EXHAUSTED, Fault.REFUSED)
    seen = followed.listener.count(followed.topic)
    documents.end_listening(code)
    followed.home.push(followed.project)
    followed.listener.wait_until(followed.topic, followed.is_seen, seen)
    followed.listener.wait_for(followed.topic, seen)
    followed.push()
    assert documents.is_done
    assert documents.calls["Listen"] == 5


def test_streams_that_end_at_any_moment_lose_nothing(followed: Followed) -> None:
    chance = random.Random(7)
    for _ in range(60):
        if chance.random() < 0.5:
            followed.cloud.documents.end_listening(chance.choice(ENDS))
        followed.push()


def test_topics_come_and_go_while_there_is_no_stream(followed: Followed) -> None:
    """What is not followed any more is not asked for again."""
    others = [Topic(TopicKind.DEVICE, bytes(DeviceId.random())) for _ in range(3)]
    followed.listener.follow(others[0])
    followed.listener.wait_for(others[0])
    documents = followed.cloud.documents
    documents.plan("Listen", *[Fault.BEFORE] * 5)
    documents.end_listening()
    followed.listener.follow(others[1], others[2])
    followed.listener.signals.unfollow(others[0])
    for topic in others[1:]:
        followed.listener.wait_for(topic)
    assert documents.is_done
    followed.push()
    asked = [document.partition("/documents/")[2] for _, document in documents.targets]
    assert asked.count(document_of(others[0])) == 1


def test_a_connection_that_is_cut_is_made_anew(
    cloud: WatchedCloud, home: Household, project: Project, short_pauses: None
) -> None:
    with (
        recording_proxy(f"http://{cloud.documents.address}") as proxy,
        listening_through(proxy, cloud) as listener,
    ):
        followed = Followed(cloud, home, project, listener)
        listener.follow(followed.topic)
        for _ in range(5):
            followed.push()
            proxy.cut()
        followed.push()


def test_a_connection_that_fell_silent_is_noticed(
    cloud: WatchedCloud,
    home: Household,
    project: Project,
    short_pauses: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No byte comes and none is refused, as after a sleep or behind a router that forgot."""
    often = dict(connection._LISTENING) | {
        "grpc.keepalive_time_ms": 1000,
        "grpc.http2.ping_timeout_ms": 1000,
    }
    monkeypatch.setattr(connection, "_LISTENING", tuple(often.items()))
    with (
        recording_proxy(f"http://{cloud.documents.address}") as proxy,
        listening_through(proxy, cloud) as listener,
    ):
        followed = Followed(cloud, home, project, listener)
        listener.follow(followed.topic)
        followed.push()
        proxy.deafen()
        home.push(project)
        again = cloud.documents.calls
        listener.wait_until(followed.topic, lambda: again["Listen"] > 1 and followed.is_seen())


def listening_through(proxy: RecordingProxy, cloud: WatchedCloud) -> Listener:
    address = proxy.url.removeprefix("http://")
    return Listener(partial(FirestoreSignals, PROJECT, cloud.database, address))


def test_a_target_that_is_refused_is_asked_for_again(followed: Followed) -> None:
    seen = followed.listener.count(followed.topic)
    followed.say("REMOVE", cause={"code": 8, "message": "weather"})
    followed.listener.wait_for(followed.topic, seen)
    assert len(followed.cloud.documents.targets) == 2
    followed.push()


def test_a_target_that_is_reset_is_signalled_when_it_is_current_again(followed: Followed) -> None:
    seen = followed.listener.count(followed.topic)
    followed.say("RESET")
    followed.home.push(followed.project)
    followed.say("CURRENT")
    followed.listener.wait_until(followed.topic, followed.is_seen, seen)
    followed.push()


def test_a_filter_is_a_reason_to_look(followed: Followed) -> None:
    seen = followed.listener.count(followed.topic)
    ((target, _),) = followed.cloud.documents.targets
    followed.cloud.documents.say(ListenResponse(filter=ExistenceFilter(target_id=target, count=0)))
    followed.listener.wait_for(followed.topic, seen)


def test_what_is_said_of_others_or_of_nothing_changes_nothing(followed: Followed) -> None:
    seen = followed.listener.count(followed.topic)
    for change in ("ADD", "NO_CHANGE", "CURRENT", "RESET", "REMOVE"):
        followed.say(change, targets=[4711])
    followed.say("NO_CHANGE", targets=[])
    followed.cloud.documents.say(ListenResponse(filter=ExistenceFilter(target_id=4711)))
    assert followed.listener.count(followed.topic) == seen
    followed.push()
    assert followed.listener.count(followed.topic) == seen + 1
    assert followed.cloud.documents.calls["Listen"] == 1


def test_following_costs_a_read_for_each_document_and_for_each_change(followed: Followed) -> None:
    """Whatever else happens in the database, and however long nothing happens."""
    cloud, listener = followed.cloud, followed.listener
    other = Topic(TopicKind.DEVICE, bytes(followed.home.device.id))
    before = cloud.billed
    listener.follow(other)
    listener.wait_for(other)
    assert cloud.billed - before == Billed(reads=1)
    listener.follow(other)
    followed.home.grow()
    before, seen = cloud.billed, listener.count(other)
    cloud.store.revoke_device(followed.home.keys.account, followed.home.device.id)
    listener.wait_for(other, seen)
    # One of the adapter that revokes, one of the stream.
    assert cloud.billed - before == Billed(reads=2, writes=1)


def test_a_stream_ends_with_its_last_topic_and_begins_with_the_next(followed: Followed) -> None:
    documents = followed.cloud.documents
    followed.listener.signals.unfollow(followed.topic)
    another = Topic(TopicKind.DEVICE, bytes(DeviceId.random()))
    followed.listener.follow(another)
    followed.listener.wait_for(another)
    assert documents.calls["Listen"] == 2
    followed.listener.follow(followed.topic)
    followed.push()
    assert documents.calls["Listen"] == 2


def test_who_is_present_stands_in_a_document_of_its_own() -> None:
    project = ProjectId.random()
    document = document_of(Topic(TopicKind.PRESENCE, bytes(project)))
    assert document == presence_path(project) == f"projects/{project.hex()}/live/presence"
    assert document_of(Topic(TopicKind.PROJECT, bytes(project))) == f"projects/{project.hex()}"


def test_signals_that_are_made_before_a_fork_connect_after_it(firestore_emulator: str) -> None:
    told = run(_FORK, PROJECT, new_database(), firestore_emulator, settings={})
    assert told == ("", "")


def test_pauses_double_up_to_a_longest_and_are_drawn() -> None:
    for failures, longest in [(1, 0.1), (2, 0.2), (4, 0.8), (7, 5.0), (10_000, 5.0)]:
        pauses = [listening._pause(failures, "UNAVAILABLE") for _ in range(50)]
        assert longest / 2 <= min(pauses) < max(pauses) <= longest
    assert listening._pause(1, "RESOURCE_EXHAUSTED") >= 2.5
