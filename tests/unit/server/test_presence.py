"""Who is present: what is kept and told, to whom, in streams as well, and what that costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sopor_core.encoding import b64decode
from sopor_core.ids import DeviceId, ProjectId
from sopor_core.membership import Role, Status
from sopor_core.wire.events import MAX_PRESENT, PRESENCE_SECONDS, Bye
from sopor_core.wire.problems import Code
from sopor_server.auth import Caller
from sopor_server.errors import Refused
from sopor_server.ports.records import Presence
from sopor_server.ports.signals import Topic, TopicKind
from sopor_server.service.context import Context
from sopor_server.service.presence import presences, put_presence
from sopor_server.streams import presence as present_streams
from tests.support.counting import CountingStore
from tests.support.stored import Household, device_of
from tests.support.story import Keys, Project
from tests.support.streaming import READY, Client, Streaming, until
from tests.unit.server.conftest import Clock

KEPT = PRESENCE_SECONDS * 1000


def refused(call: Callable[[], object]) -> Code:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.problem


@pytest.fixture
def guest(context: Context, home: Household, project: Project) -> Caller:
    """A viewer of the project."""
    other = Household.found(context.store)
    home.admit(other.keys, Role.VIEWER)
    return Caller(other.keys.account, other.device.id)


def another_device(home: Household) -> Caller:
    device = device_of(home.keys)
    home.store.put_device(device)
    return Caller(home.keys.account, device.id)


def shown(context: Context, caller: Caller, project: Project) -> dict[DeviceId, bytes]:
    return {note.device: note.sealed for note in presences(context, caller, project.id)}


class TestNotes:
    def test_members_see_each_other_for_two_minutes(
        self, context: Context, clock: Clock, caller: Caller, guest: Caller, project: Project
    ) -> None:
        put_presence(context, caller, project.id, b"editor")
        clock.time += 1000
        put_presence(context, guest, project.id, b"viewer")
        for who in (caller, guest):
            assert shown(context, who, project) == {
                caller.device: b"editor",
                guest.device: b"viewer",
            }
        (note,) = (n for n in presences(context, caller, project.id) if n.device == guest.device)
        assert note == Presence(guest.account, guest.device, b"viewer", clock.time + KEPT)
        clock.time += KEPT
        assert shown(context, caller, project) == {guest.device: b"viewer"}
        put_presence(context, guest, project.id, b"")
        assert shown(context, caller, project) == {}

    def test_strangers_neither_tell_nor_see(
        self, context: Context, home: Household, caller: Caller, project: Project
    ) -> None:
        stranger = Household.found(context.store)
        who = Caller(stranger.keys.account, stranger.device.id)
        assert refused(lambda: put_presence(context, who, project.id, b"x")) is Code.NOT_FOUND
        assert refused(lambda: presences(context, who, project.id)) is Code.NOT_FOUND
        hidden = home.new_project()
        home.admit(stranger.keys, Role.VIEWER, {hidden.id: Role.NONE})
        assert refused(lambda: put_presence(context, who, hidden.id, b"x")) is Code.NOT_FOUND
        assert refused(lambda: presences(context, who, ProjectId.random())) is Code.NOT_FOUND
        home.act(home.team.status(hidden.id, Status.DELETED))
        gone = refused(lambda: put_presence(context, caller, hidden.id, b"x"))
        assert gone is Code.PROJECT_DELETED

    def test_a_revoked_device_neither_tells_nor_sees(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        other = another_device(home)
        context.store.revoke_device(other.account, other.device)
        for call in (
            lambda: put_presence(context, other, project.id, b"x"),
            lambda: put_presence(context, other, project.id, b""),
            lambda: presences(context, other, project.id),
        ):
            assert refused(call) is Code.DEVICE_REVOKED
        assert shown(context, caller, project) == {}

    def test_who_was_removed_is_not_shown(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        keys = Keys("leaver@example.com")
        home.admit(keys, Role.EDITOR)
        note = Presence(keys.account, DeviceId.random(), b"sealed", context.now() + KEPT)
        context.store.put_presence(project.id, note)
        assert shown(context, caller, project) == {note.device: b"sealed"}
        home.dismiss(keys)
        assert shown(context, caller, project) == {}

    def test_a_project_holds_so_many(
        self, context: Context, clock: Clock, caller: Caller, guest: Caller, project: Project
    ) -> None:
        put_presence(context, caller, project.id, b"first")
        for _ in range(MAX_PRESENT - 1):
            note = Presence(guest.account, DeviceId.random(), b"x", clock.time + 10)
            context.store.put_presence(project.id, note)
        full = refused(lambda: put_presence(context, guest, project.id, b"late"))
        assert full is Code.QUOTA_EXCEEDED
        put_presence(context, caller, project.id, b"again")
        put_presence(context, guest, project.id, b"")
        clock.time += 11
        put_presence(context, guest, project.id, b"late")
        assert shown(context, caller, project) == {caller.device: b"again", guest.device: b"late"}

    def test_what_it_costs(self, context: Context, caller: Caller, project: Project) -> None:
        def cost(call: Callable[[Context], object]) -> tuple[int, int]:
            store = CountingStore(context.store)
            call(replace(context, store=store.port))
            return store.reads, store.writes

        assert cost(lambda it: put_presence(it, caller, project.id, b"x")) == (4, 1)
        assert cost(lambda it: presences(it, caller, project.id)) == (4, 0)
        assert cost(lambda it: put_presence(it, caller, project.id, b"")) == (3, 1)


class TestStreams:
    @pytest.fixture(autouse=True)
    def without_gaps(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(present_streams, "GAP_SECONDS", 0.0)

    @pytest.fixture
    def streaming(self, context: Context, tmp_path: Path) -> Streaming:
        return Streaming(context, tmp_path / "metadata.sqlite3")

    def test_it_tells_who_is_there_and_who_comes_and_goes(
        self,
        context: Context,
        streaming: Streaming,
        caller: Caller,
        guest: Caller,
        project: Project,
    ) -> None:
        put_presence(context, caller, project.id, b"first")

        async def story() -> None:
            async with streaming:
                client = streaming.open(caller, project.id, presence=True)
                quiet = streaming.open(guest, project.id)
                await sees(client, {caller.device: b"first"})
                assert client.received.index(READY) < client.received.index(b"event: presence")
                put_presence(context, guest, project.id, b"second")
                both = {caller.device: b"first", guest.device: b"second"}
                await sees(client, both)
                put_presence(context, caller, project.id, b"")
                await sees(client, {guest.device: b"second"})
                put_presence(context, guest, project.id, b"")
                await sees(client, {})
                assert {event.data["project"] for event in client.events} == {project.id.b64}
                assert {event.id.partition(".")[2] for event in client.events} == {"0.4"}
                assert quiet.events == []

        asyncio.run(story())

    def test_a_note_leaves_when_it_expires(
        self, context: Context, streaming: Streaming, clock: Clock, caller: Caller, project: Project
    ) -> None:
        note = Presence(caller.account, caller.device, b"dying", clock.time + 50)
        context.store.put_presence(project.id, note)

        async def story() -> None:
            async with streaming:
                client = streaming.open(caller, project.id, presence=True)
                await sees(client, {caller.device: b"dying"})
                clock.time += 51
                await sees(client, {})

        asyncio.run(story())

    def test_who_is_removed_is_told_no_more_and_is_told_of_no_more(
        self, context: Context, streaming: Streaming, caller: Caller, home: Household,
        project: Project,
    ) -> None:  # fmt: skip
        other = Household.found(context.store)
        home.admit(other.keys, Role.EDITOR)
        leaver = Caller(other.keys.account, other.device.id)
        put_presence(context, leaver, project.id, b"leaver")

        async def story() -> None:
            async with streaming:
                client = streaming.open(caller, project.id, presence=True)
                theirs = streaming.open(leaver, project.id, presence=True)
                for each in (client, theirs):
                    await sees(each, {leaver.device: b"leaver"})
                home.dismiss(other.keys)
                put_presence(context, caller, project.id, b"stays")
                await sees(client, {caller.device: b"stays"})
                assert await theirs.ended() is Bye.FORBIDDEN
                assert b"stays" not in b"".join(last(theirs).values())

        asyncio.run(story())

    def test_many_streams_cost_one_reading_of_a_change(
        self, context: Context, tmp_path: Path, caller: Caller, project: Project
    ) -> None:
        store = CountingStore(context.store)
        streaming = Streaming(replace(context, store=store.port), tmp_path / "metadata.sqlite3")

        async def story() -> None:
            async with streaming:
                clients = [streaming.open(caller, project.id, presence=True) for _ in range(50)]
                for client in clients:
                    await client.count(1)
                assert Topic(TopicKind.PRESENCE, project.id) in streaming.hub.followed
                before = store.calls["presences"]
                put_presence(context, caller, project.id, b"one")
                for client in clients:
                    await sees(client, {caller.device: b"one"})
                # The signal that comes first for whatever is followed may be one of them.
                assert store.calls["presences"] - before <= 2
                assert all(client.names() == ["presence"] * 2 for client in clients)

        asyncio.run(story())


async def sees(client: Client, present: dict[DeviceId, bytes]) -> None:
    """Waits until the last event says that these are present."""
    await until(lambda: last(client) == present)


def last(client: Client) -> dict[DeviceId, bytes]:
    """Returns what the last event says: who is present, and how."""
    told = [event.data["presence"] for event in client.events if event.name == "presence"]
    return {
        DeviceId.from_b64(note["device"]): b64decode(note["sealed"])
        for note in (told[-1] if told else [])
    }
