"""The contract of `sopor_server.ports.signals.Signals`, as tests that adapters inherit."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

import pytest

from sopor_core.ids import AccountId, DeviceId, OrgId, ProjectId
from sopor_core.membership import Role, Status
from sopor_core.push_entry import PushEntry
from sopor_server.ports.metadata import MetadataStore
from sopor_server.ports.records import Presence
from sopor_server.ports.signals import Topic, TopicKind
from tests.contract.opening import Opener, Suite
from tests.contract.pushing import push_in_process
from tests.support.listening import Listener, SignalsOpener
from tests.support.stored import Household, device_of, new_keys
from tests.support.story import TIME, Project

Change = Callable[[], object]
MANY = 230


def topic_of(project: Project) -> Topic:
    return Topic(TopicKind.PROJECT, bytes(project.id))


def topic_of_org(home: Household) -> Topic:
    return Topic(TopicKind.ORGANIZATION, bytes(home.org.id))


class SignalsContract(Suite):
    """Subclasses give `opener`, and `signals`: what makes signals of the same store."""

    @pytest.fixture
    def listener(self, signals: SignalsOpener) -> Iterator[Listener]:
        with Listener(signals) as listener:
            yield listener

    @pytest.fixture
    def project(self, home: Household) -> Project:
        return home.new_project()

    def test_a_push_is_signalled(
        self, store: MetadataStore, home: Household, project: Project, listener: Listener
    ) -> None:
        listener.follow(topic_of(project))
        for _ in range(5):
            seen = listener.count(topic_of(project))
            entry = push(home, project)
            listener.wait_until(topic_of(project), partial(has, store, project, entry), seen)

    @pytest.mark.parametrize("change", ["grow", "admit", "dismiss"])
    def test_a_change_of_the_members_is_signalled(
        self, store: MetadataStore, home: Household, listener: Listener, change: str
    ) -> None:
        keys = new_keys()
        if change == "dismiss":
            home.admit(keys, Role.EDITOR)
        listener.follow(topic_of_org(home))
        listener.signals.follow(topic_of_org(home))
        changes: dict[str, Change] = {
            "grow": home.grow,
            "admit": lambda: home.admit(keys, Role.EDITOR),
            "dismiss": lambda: home.dismiss(keys),
        }
        changes[change]()
        listener.wait_until(topic_of_org(home), lambda: store.organization(home.org.id) == home.org)

    def test_the_deletion_of_a_project_is_signalled(
        self, store: MetadataStore, home: Household, project: Project, listener: Listener
    ) -> None:
        listener.follow(topic_of_org(home), topic_of(project))
        home.act(home.team.status(project.id, Status.DELETED))

        def is_gone() -> bool:
            return [summary.id for summary in store.projects(home.keys.account)] == []

        listener.wait_until(topic_of_org(home), is_gone)

    def test_a_revoked_device_is_signalled(
        self, store: MetadataStore, home: Household, listener: Listener
    ) -> None:
        device = device_of(home.keys)
        store.put_device(device)
        topic = Topic(TopicKind.DEVICE, bytes(device.id))
        listener.follow(topic)
        store.revoke_device(home.keys.account, device.id)

        def is_revoked() -> bool:
            found = store.device(device.id)
            assert found is not None
            return found.revoked

        listener.wait_until(topic, is_revoked)

    def test_who_comes_stays_and_goes_is_signalled(
        self, store: MetadataStore, project: Project, listener: Listener
    ) -> None:
        topic = Topic(TopicKind.PRESENCE, bytes(project.id))
        listener.follow(topic)
        one = Presence(AccountId.random(), DeviceId.random(), b"sealed", TIME)
        other = replace(one, device=DeviceId.random())
        for put in (one, other, one, replace(other, sealed=b"again"), replace(one, sealed=b"")):
            seen = listener.count(topic)
            store.put_presence(project.id, put)

            def is_there(put: Presence = put) -> bool:
                found = {note.device: note.sealed for note in store.presences(project.id, TIME)}
                return found.get(put.device, b"") == put.sealed

            listener.wait_until(topic, is_there, seen)

    def test_devices_that_new_keys_revoke_are_signalled(
        self, store: MetadataStore, home: Household, listener: Listener
    ) -> None:
        device = device_of(home.keys)
        store.put_device(device)
        topic = Topic(TopicKind.DEVICE, bytes(device.id))
        listener.follow(topic)
        store.replace_keys(home.keys.account, 2, b"record", b"credentials", home.device.id)

        def is_revoked() -> bool:
            found = store.device(device.id)
            assert found is not None
            return found.revoked

        listener.wait_until(topic, is_revoked)

    def test_what_does_not_exist_yet_is_signalled_when_it_does(
        self, store: MetadataStore, home: Household, listener: Listener
    ) -> None:
        append = home.entry()
        assert append.project is not None
        project = Project(append.project, home.org.id, append.state.head)
        listener.follow(topic_of(project))
        home.grow(append)
        entry = push(home, project)
        listener.wait_until(topic_of(project), partial(has, store, project, entry))

    def test_a_change_right_after_follow_is_never_left_out(
        self, store: MetadataStore, home: Household, signals: SignalsOpener
    ) -> None:
        """The first one of each listener comes while the adapter is still making itself ready."""
        projects = [home.new_project() for _ in range(4)]
        for _ in range(4):
            with Listener(signals) as listener:
                for project in projects:
                    listener.follow(topic_of(project))
                    entry = push(home, project)
                    listener.wait_until(topic_of(project), partial(has, store, project, entry))

    def test_a_change_in_another_process_is_signalled(
        self,
        opener: Opener,
        store: MetadataStore,
        home: Household,
        project: Project,
        listener: Listener,
    ) -> None:
        listener.follow(topic_of(project))
        with ProcessPoolExecutor(2, get_context("spawn")) as pool:
            pushing = [
                pool.submit(push_in_process, opener, home.keys.login, project, 5) for _ in range(2)
            ]
            listener.wait_until(topic_of(project), lambda: count_of(store, project) == 10)
            assert sum(len(pushed.result()) for pushed in pushing) == 10

    def test_each_of_many_topics_is_signalled(
        self, home: Household, project: Project, listener: Listener
    ) -> None:
        others = [Topic(TopicKind.PROJECT, bytes(ProjectId.random())) for _ in range(MANY)]
        listener.follow(*others[: MANY // 2], topic_of(project), *others[MANY // 2 :])
        last = home.new_project()
        listener.follow(topic_of(last))
        for followed in (project, last):
            push(home, followed)
            listener.wait_for(topic_of(followed))
        for topic in others:
            listener.signals.unfollow(topic)
        for followed in (project, last):
            seen = listener.count(topic_of(followed))
            push(home, followed)
            listener.wait_for(topic_of(followed), seen)

    def test_what_is_not_followed_any_more_falls_silent(
        self, home: Household, project: Project, listener: Listener
    ) -> None:
        """Signals under way may still come: those of a further change do not."""
        other = home.new_project()
        for _ in range(3):
            listener.follow(topic_of(project), topic_of(project), topic_of(other))
            push(home, project)
            listener.wait_for(topic_of(project))
            listener.signals.unfollow(topic_of(project))
            listener.signals.unfollow(topic_of(project))
            counts = []
            for _ in range(3):
                seen = listener.count(topic_of(other))
                push(home, project)
                push(home, other)
                listener.wait_for(topic_of(other), seen)
                counts.append(listener.count(topic_of(project)))
            assert counts[1] == counts[2]

    def test_following_again_signals_again(
        self, store: MetadataStore, home: Household, project: Project, listener: Listener
    ) -> None:
        for _ in range(10):
            listener.follow(topic_of(project))
            seen = listener.count(topic_of(project))
            entry = push(home, project)
            listener.wait_until(topic_of(project), partial(has, store, project, entry), seen)
            listener.signals.unfollow(topic_of(project))

    def test_many_may_follow_and_unfollow_at_once(
        self, store: MetadataStore, home: Household, project: Project, listener: Listener
    ) -> None:
        topics = [Topic(TopicKind.ORGANIZATION, bytes(OrgId.random())) for _ in range(20)]

        def flit(seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(100):
                topic = chance.choice([*topics, topic_of(project)])
                chance.choice([listener.signals.follow, listener.signals.unfollow])(topic)
            listener.signals.follow(topic_of(project))

        threads = [threading.Thread(target=flit, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        listener.follow(topic_of(project))
        seen = listener.count(topic_of(project))
        entry = push(home, project)
        listener.wait_until(topic_of(project), partial(has, store, project, entry), seen)

    def test_two_listeners_are_both_signalled(
        self, home: Household, project: Project, listener: Listener, signals: SignalsOpener
    ) -> None:
        with Listener(signals) as other:
            for one in (listener, other):
                one.follow(topic_of(project))
            counts = {one: one.count(topic_of(project)) for one in (listener, other)}
            push(home, project)
            for one, seen in counts.items():
                one.wait_for(topic_of(project), seen)

    def test_closing_ends_every_thread_and_every_signal(
        self, home: Household, project: Project, signals: SignalsOpener
    ) -> None:
        before = threading.active_count()
        with Listener(signals) as listener:
            device = Topic(TopicKind.DEVICE, bytes(DeviceId.random()))
            listener.follow(topic_of(project), device, topic_of_org(home))
            listener.signals.unfollow(device)
            seen = listener.count(topic_of(project))
            push(home, project)
            listener.wait_for(topic_of(project), seen)
            listener.signals.close()
            counted = listener.count(topic_of(project))
            listener.signals.close()
            listener.signals.unfollow(topic_of(project))
            listener.signals.follow(topic_of(project))
            push(home, project)
        assert listener.count(topic_of(project)) == counted
        wait_for_threads(before)

    def test_closing_what_followed_nothing_does_nothing(self, signals: SignalsOpener) -> None:
        before = threading.active_count()
        Listener(signals).signals.close()
        assert threading.active_count() == before


def push(home: Household, project: Project) -> PushEntry:
    """Pushes by who knows of the newest projects."""
    project.members = home.org.head
    return home.push(project)


def has(store: MetadataStore, project: Project, entry: PushEntry) -> bool:
    """Tells whether the store shows an entry as the head of a push log."""
    found = store.project(project.id)
    return found is not None and found.head == entry.citation


def count_of(store: MetadataStore, project: Project) -> int:
    """Returns the number of the newest push entry."""
    found = store.project(project.id)
    assert found is not None
    return found.head.seq


def wait_for_threads(least: int) -> None:
    """Waits until no more threads are left than there were."""
    end = time.monotonic() + 60
    while threading.active_count() > least:
        assert time.monotonic() < end, threading.enumerate()
        time.sleep(0.02)
