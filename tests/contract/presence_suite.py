"""The part of the contract of metadata that concerns who is present."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from sopor_core.ids import AccountId, DeviceId, ProjectId
from sopor_server.ports.metadata import MetadataStore
from sopor_server.ports.records import Presence
from tests.contract.racing import in_threads
from tests.support.story import TIME

HOUR = 60 * 60 * 1000


def note(text: bytes = b"a sealed note", *, expires: int = TIME + 100) -> Presence:
    """The note of somebody else at another device each time."""
    return Presence(AccountId.random(), DeviceId.random(), text, expires)


def by_device(*notes: Presence) -> list[Presence]:
    return sorted(notes, key=lambda one: one.device)


class PresenceContract:
    """Notes of who is present in a project."""

    def test_nobody_is_present_at_first(self, store: MetadataStore) -> None:
        assert list(store.presences(ProjectId.random(), TIME)) == []

    def test_each_device_of_a_project_has_one_note(self, store: MetadataStore) -> None:
        project, other = ProjectId.random(), ProjectId.random()
        one, two = note(bytes(range(256)) * 4), note()
        for each in (one, two, one):
            store.put_presence(project, each)
        store.put_presence(other, replace(one, sealed=b"elsewhere"))
        assert list(store.presences(project, TIME)) == by_device(one, two)
        newer = replace(one, sealed=b"newer", expires=TIME + 200)
        store.put_presence(project, newer)
        assert list(store.presences(project, TIME)) == by_device(newer, two)
        assert [found.sealed for found in store.presences(other, TIME)] == [b"elsewhere"]

    def test_an_empty_note_ends_a_presence(self, store: MetadataStore) -> None:
        project, one, two = ProjectId.random(), note(), note()
        for each in (one, two):
            store.put_presence(project, each)
        for _ in range(2):
            store.put_presence(project, replace(one, sealed=b""))
        assert list(store.presences(project, TIME)) == [two]
        store.put_presence(project, one)
        assert list(store.presences(project, TIME)) == by_device(one, two)
        store.put_presence(ProjectId.random(), replace(one, sealed=b""))

    def test_a_note_is_shown_until_it_expires(self, store: MetadataStore) -> None:
        project, one, two = ProjectId.random(), note(), note(expires=TIME + 50)
        for each in (one, two):
            store.put_presence(project, each)
        assert list(store.presences(project, TIME + 50)) == by_device(one, two)
        assert list(store.presences(project, TIME + 51)) == [one]
        store.drop_expired(TIME + 100)
        assert list(store.presences(project, TIME + 51)) == [one]
        assert list(store.presences(project, TIME + 101)) == []

    def test_the_device_of_an_expired_note_may_come_back(self, store: MetadataStore) -> None:
        project, gone, back = ProjectId.random(), note(), note()
        for each in (gone, back):
            store.put_presence(project, each)
        assert list(store.presences(project, TIME + HOUR)) == []
        store.drop_expired(TIME + HOUR)
        back = replace(back, expires=TIME + HOUR + 100)
        store.put_presence(project, back)
        assert list(store.presences(project, TIME + HOUR)) == [back]
        gone = replace(gone, expires=TIME + HOUR + 100)
        store.put_presence(project, gone)
        assert list(store.presences(project, TIME + HOUR)) == by_device(gone, back)

    def test_many_tell_themselves_at_once(self, store: MetadataStore) -> None:
        project, notes = ProjectId.random(), [note() for _ in range(12)]
        in_threads([partial(store.put_presence, project, one) for one in notes])
        assert list(store.presences(project, TIME)) == by_device(*notes)
