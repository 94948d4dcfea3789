"""Streams on a real store and its signals: what they tell, when they end, what they cost."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sopor_core.ids import DeviceId
from sopor_core.membership import Role, Status
from sopor_core.push_log import EMPTY_LOG as EMPTY
from sopor_core.wire.events import Bye, Cursor, Place
from sopor_server.auth import Caller
from sopor_server.logs import FIELDS
from sopor_server.ports.errors import StoreUnavailable
from sopor_server.ports.records import Device
from sopor_server.ports.signals import Topic, TopicKind, Wake
from sopor_server.service.context import Context
from sopor_server.service.packs import put_pack
from sopor_server.service.push import Push, push
from sopor_server.streams import asgi, watches
from sopor_server.streams import stream as streams
from sopor_server.streams.asgi import StreamResponse
from sopor_server.streams.opening import StreamAnswer
from sopor_server.streams.seats import Seats
from tests.support.counting import CountingBlobs, CountingStore
from tests.support.stored import Household, device_of
from tests.support.story import TIME, Project, pack_id
from tests.support.streaming import READY, Client, Streaming, parse, until
from tests.unit.server.conftest import Clock


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "metadata.sqlite3"


@pytest.fixture
def streaming(context: Context, file: Path) -> Streaming:
    return Streaming(context, file)


def told(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Tells a story in an event loop of its own."""
    asyncio.run(story())


def pushed(home: Household, *projects: Project) -> None:
    for project in projects:
        project.members = home.org.head
        home.push(project)


def numbers(client: Client) -> list[tuple[int, int]]:
    """Returns how far each news of a stream reached."""
    news = [event.data for event in client.events if event.name == "news"]
    return [(data["seq"], data["members"]) for data in news]


class TestNews:
    def test_what_was_lacking_comes_first_and_what_happens_then(
        self, streaming: Streaming, caller: Caller, home: Household, project: Project
    ) -> None:
        begun = Cursor({project.id: Place(0, 1)})
        pushed(home, project)

        async def story() -> None:
            async with streaming:
                client = streaming.open(caller, project.id, after=begun)
                await client.has(READY)
                assert numbers(client) == [(1, 2)]
                pushed(home, project)
                await until(lambda: len(client.events) == 2)
                home.new_project()
                await until(lambda: len(client.events) == 3)
            assert client.received.startswith(b"retry: 1000\n\n")
            assert client.received.count(READY) == 1
            first, second, third = client.events
            assert (first.data["project"], first.name) == (project.id.b64, "news")
            assert [event.id.partition(".")[2] for event in client.events] == ["1.2", "2.2", "2.3"]
            assert len(first.pulled.members) == 1
            assert [entry.seq for entry in first.pulled.entries] == [1]
            assert [entry.seq for entry in second.pulled.entries] == [2]
            assert (len(third.pulled.members), third.pulled.entries) == (1, [])

        told(story)

    def test_without_a_cursor_it_begins_at_the_present(
        self, streaming: Streaming, caller: Caller, home: Household, project: Project
    ) -> None:
        pushed(home, project)

        async def story() -> None:
            async with streaming:
                client = streaming.open(caller, project.id)
                await client.has(READY)
                assert client.events == []
                pushed(home, project)
                await until(lambda: client.events)
                assert numbers(client) == [(2, 2)]

        told(story)

    def test_a_long_way_comes_in_pieces(
        self, streaming: Streaming, context: Context, caller: Caller, home: Household,
        project: Project, monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(watches, "MAX_EVENT_BYTES", 3000)
        packs = [secrets.token_bytes(1000) for _ in range(12)]
        for pack in packs:
            put_pack(context, caller, project.id, pack_id(pack), pack)
            entry = project.entry(home.keys, project.commit(), packs=[pack])
            push(context, caller, Push(project.id, entry.encoded))
            project.took(entry)

        async def story() -> None:
            async with streaming:
                client = streaming.open(caller, project.id, after=Cursor({project.id: Place(0, 2)}))
                await client.has(READY)
            pieces = [event.pulled for event in client.events]
            assert len(pieces) > 3
            assert [entry.seq for piece in pieces for entry in piece.entries] == [*range(1, 13)]
            assert [pack for piece in pieces for pack in piece.packs] == packs
            mores = [piece.control["more"] for piece in pieces]
            assert mores == [True] * (len(pieces) - 1) + [False]

        told(story)

    def test_all_projects_and_those_that_are_new(
        self, streaming: Streaming, caller: Caller, home: Household, project: Project
    ) -> None:
        async def story() -> None:
            async with streaming:
                client = streaming.open(caller)
                await client.has(READY)
                other = home.new_project()
                await until(lambda: client.stream and other.id in client.stream.places)
                await until(lambda: len(client.events) == 1)
                pushed(home, other)
                await until(lambda: len(client.events) == 2)
                news = client.events[1]
                assert news.data["project"] == other.id.b64
                assert Cursor.parse(news.id).places == {
                    project.id: Place(0, 3),
                    other.id: Place(1, 3),
                }

        told(story)

    def test_the_first_project_of_an_account(
        self, streaming: Streaming, caller: Caller, home: Household
    ) -> None:
        async def story() -> None:
            async with streaming:
                client = streaming.open(caller)
                await client.has(READY)
                project = home.new_project()
                await until(lambda: client.stream and project.id in client.stream.places)
                pushed(home, project)
                await until(lambda: client.events)
                assert numbers(client) == [(1, 2)]

        told(story)

    def test_a_slow_reader_misses_nothing_and_holds_nobody_up(
        self, streaming: Streaming, caller: Caller, home: Household, project: Project
    ) -> None:
        async def story() -> None:
            async with streaming:
                slow = streaming.open(caller, project.id, reads=False)
                quick = streaming.open(caller, project.id)
                await quick.has(READY)
                for number in range(1, 21):
                    pushed(home, project)
                    await quick.count(number)
                assert slow.received == b""
                slow.reads.set()
                await slow.has(b'"seq":20')
                entries = [entry.seq for event in slow.events for entry in event.pulled.entries]
                assert entries == [*range(1, 21)]

        told(story)

    def test_signs_of_life(
        self,
        streaming: Streaming,
        caller: Caller,
        project: Project,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.01)

        async def story() -> None:
            async with streaming:
                client = streaming.open(caller, project.id)
                await client.has(READY)
                await until(lambda: client.received.count(b"\n\n:\n\n") >= 1)
                await until(lambda: client.received.endswith(b":\n\n:\n\n"))
                assert client.events == []

        told(story)


class TestTheEnd:
    def test_a_revoked_device_is_told_nothing_more(
        self, streaming: Streaming, context: Context, caller: Caller, home: Household,
        project: Project,
    ) -> None:  # fmt: skip
        async def story() -> None:
            async with streaming:
                client, other = streaming.open(caller, project.id), device_of(home.keys)
                context.store.put_device(other)
                second = streaming.open(Caller(home.keys.account, other.id), project.id)
                await client.has(READY)
                await second.has(READY)
                context.store.revoke_device(caller.account, caller.device)
                pushed(home, project)
                assert await client.ended() is Bye.REVOKED
                assert client.names() == ["bye"]
                assert client.events[0].data == {"reason": "revoked", "wait": 0}
                await until(lambda: second.names() == ["news"])

        told(story)

    @pytest.mark.parametrize("how", ["role", "member", "project", "organization"])
    def test_who_may_read_no_more_is_told_nothing_more(
        self, streaming: Streaming, context: Context, caller: Caller, home: Household,
        project: Project, how: str,
    ) -> None:  # fmt: skip
        guest = Household.found(context.store)
        home.admit(guest.keys, Role.EDITOR)

        def end() -> None:
            if how == "role":
                who, heads = guest.keys.account, {project.id: EMPTY}
                body = home.team.set_role(who, Role.NONE, project.id, heads)
                home.act(body)
            elif how == "member":
                home.dismiss(guest.keys, {project.id: EMPTY})
            elif how == "project":
                home.act(home.team.status(project.id, Status.DELETED))
            else:
                home.act(home.team.delete())

        async def story() -> None:
            async with streaming:
                client = streaming.open(Caller(guest.keys.account, guest.device.id), project.id)
                await client.has(READY)
                end()
                if how in {"role", "member"}:
                    pushed(home, project)
                assert await client.ended() is Bye.FORBIDDEN
                assert client.names() == ["bye"]

        told(story)

    def test_an_access_token_ends(
        self, streaming: Streaming, clock: Clock, caller: Caller, home: Household, project: Project
    ) -> None:
        async def story() -> None:
            async with streaming:
                client = streaming.open(caller, project.id, expires=TIME + 20)
                await client.has(READY)
                pushed(home, project)
                await until(lambda: client.names() == ["news"])
                clock.time += 20
                assert await client.ended() is Bye.EXPIRED
                assert client.names() == ["news", "bye"]

        told(story)

    def test_silence_ends_it_where_it_is_to(
        self, context: Context, file: Path, caller: Caller, project: Project
    ) -> None:
        async def story() -> None:
            async with Streaming(context, file, quiet=0.05) as streaming:
                client = streaming.open(caller, project.id)
                assert await client.ended() is Bye.QUIET
                assert READY in client.received
                assert client.events[0].data == {"reason": "quiet", "wait": 5}

        told(story)

    def test_a_stop_ends_all(self, streaming: Streaming, caller: Caller, project: Project) -> None:
        async def story() -> None:
            async with streaming:
                clients = [streaming.open(caller, project.id), streaming.open(caller)]
                for client in clients:
                    await client.has(READY)
                streaming.hub.close()
                for client in clients:
                    assert await client.ended() is Bye.RESTART
                    assert 1 <= client.events[0].data["wait"] <= 4

        told(story)

    @pytest.mark.parametrize("ahead", [Place(1, 2), Place(0, 3)])
    def test_a_cursor_ahead_of_the_log(
        self, streaming: Streaming, caller: Caller, project: Project, ahead: Place
    ) -> None:
        async def story() -> None:
            async with streaming:
                # Beside one who keeps the project followed, and by itself.
                for _ in range(2):
                    client = streaming.open(caller, project.id, after=Cursor({project.id: ahead}))
                    assert await client.ended() is Bye.LOG_SHORTER
                    assert client.names() == ["bye"]
                    await streaming.open(caller, project.id).has(READY)

        told(story)

    def test_who_goes_away_is_followed_for_no_more(
        self, streaming: Streaming, caller: Caller, home: Household, project: Project
    ) -> None:
        other = home.new_project()
        projects = {Topic(TopicKind.PROJECT, project.id), Topic(TopicKind.PROJECT, other.id)}
        shared = {
            Topic(TopicKind.ORGANIZATION, home.org.id),
            Topic(TopicKind.DEVICE, caller.device),
        }

        async def story() -> None:
            async with streaming:
                everything = streaming.open(caller)
                one = streaming.open(caller, project.id)
                await everything.has(READY)
                await one.has(READY)
                assert streaming.hub.followed == projects | shared
                await everything.go()
                assert streaming.hub.followed == {
                    Topic(TopicKind.PROJECT, project.id), *shared
                }  # fmt: skip
                await one.go()
                assert streaming.hub.followed == set()

        told(story)


class TestCosts:
    def test_one_push_costs_the_same_however_many_listen(
        self, context: Context, file: Path, caller: Caller, home: Household, project: Project
    ) -> None:
        store, blobs = CountingStore(context.store), CountingBlobs(context.blobs)
        counted = replace(context, store=store.port, blobs=blobs.port)
        devices = [device_of(home.keys) for _ in range(100)]
        for device in devices:
            context.store.put_device(device)

        async def story() -> None:
            async with Streaming(counted, file) as streaming:
                clients = [open_on(streaming, home, device, project) for device in devices]
                for client in clients:
                    await client.has(READY)
                await settled(streaming)
                before = store.reads, blobs.reads
                pack = b"a pack"
                put_pack(context, caller, project.id, pack_id(pack), pack)
                entry = project.entry(home.keys, project.commit(), packs=[pack])
                push(context, caller, Push(project.id, entry.encoded))
                project.took(entry)
                for client in clients:
                    await client.count(1)
                    assert client.events[0].pulled.packs == [pack]
                await settled(streaming)
                # Project and organization, the entry, the pack.
                assert (store.reads - before[0], blobs.reads - before[1]) == (3, 1)

        told(story)

    def test_a_membership_entry_is_read_once_for_each_project(
        self, context: Context, file: Path, caller: Caller, home: Household
    ) -> None:
        store = CountingStore(context.store)
        counted = replace(context, store=store.port)
        for _ in range(5):
            home.new_project()
        devices = [device_of(home.keys) for _ in range(10)]
        for device in devices:
            context.store.put_device(device)

        async def story() -> None:
            async with Streaming(counted, file) as streaming:
                clients = [open_on(streaming, home, device) for device in devices]
                for client in clients:
                    await client.has(READY)
                await settled(streaming)
                before = store.reads
                home.admit(Household.found(context.store).keys, Role.VIEWER)
                await until(lambda: all(numbers(client)[-5:] == [(0, 8)] * 5 for client in clients))
                await settled(streaming)
                # Two entries, which may have come one by one.
                assert store.reads - before <= 2 * (1 + 5)

        told(story)


def open_on(streaming: Streaming, home: Household, device: Device, *projects: Project) -> Client:
    who = Caller(home.keys.account, device.id)
    return streaming.open(who, *(project.id for project in projects))


async def settled(streaming: Streaming) -> None:
    """Waits until nothing is being read, and no signal is under way."""
    for _ in range(5):
        await until(lambda: all(watch.settled for watch in streaming.hub._watches.values()))
        await asyncio.sleep(0.05)


class TestFaults:
    def test_a_storage_that_fails_is_asked_again(
        self, context: Context, file: Path, caller: Caller, home: Household, project: Project,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(watches, "RETRY_SECONDS", 0.01)
        monkeypatch.setattr(streams, "RETRY_SECONDS", 0.01)
        failing = Failing(context.store)

        async def story() -> None:
            async with Streaming(replace(context, store=failing.port), file) as streaming:
                client = streaming.open(caller, project.id)
                await client.has(READY)
                for name in ("project", "organization", "push_entries"):
                    before = len(client.events)
                    failing.times = dict.fromkeys([name], 3)
                    pushed(home, project)
                    await client.count(before + 1)
                    assert failing.times == {name: 0}
                failing.times = {"device": 3}
                context.store.revoke_device(caller.account, caller.device)
                assert await client.ended() is Bye.REVOKED
                assert failing.times == {"device": 0}

        told(story)

    def test_signals_without_a_reason_tell_nothing(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        signals = Hand()

        async def story() -> None:
            async with Streaming(context, Path(), connect=signals.connect) as streaming:
                client = streaming.open(caller, project.id)
                await client.has(READY)
                for _ in range(3):
                    for topic in [*signals.followed, Topic(TopicKind.PRESENCE, project.id)]:
                        signals.wake(topic)
                    await settled(streaming)
                assert client.events == []
                pushed(home, project)
                pushed(home, project)
                signals.wake(Topic(TopicKind.PROJECT, project.id))
                await until(lambda: client.events)
                assert numbers(client) == [(2, 2)]
            assert signals.followed == set()

        told(story)

    def test_a_client_that_has_more_than_was_signalled_is_not_ahead(
        self, context: Context, caller: Caller, home: Household, project: Project
    ) -> None:
        signals = Hand()

        async def story() -> None:
            async with Streaming(context, Path(), connect=signals.connect) as streaming:
                first = streaming.open(caller, project.id)
                await first.has(READY)
                pushed(home, project)
                newest = Cursor({project.id: Place(1, 2)})
                second = streaming.open(caller, project.id, after=newest)
                await second.has(READY)
                assert second.events == []
                await until(lambda: numbers(first) == [(1, 2)])

        told(story)


class Hand:
    """Signals that are given by hand."""

    def __init__(self) -> None:
        self.followed: set[Topic] = set()
        self.wake: Wake = self.follow

    def connect(self, wake: Wake) -> Hand:
        self.wake = wake
        return self

    def follow(self, topic: Topic) -> None:
        self.followed.add(topic)

    def unfollow(self, topic: Topic) -> None:
        self.followed.discard(topic)

    def close(self) -> None:
        self.followed.clear()


class Failing(CountingStore):
    """A store some of whose methods fail for some times."""

    times: dict[str, int]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = super().__getattr__(name)

        def failing(*arguments: Any, **named: Any) -> Any:
            if self.__dict__.get("times", {}).get(name, 0) > 0:
                self.times[name] -= 1
                raise StoreUnavailable("the storage is away")
            return call(*arguments, **named)

        return failing


def test_an_unknown_device_counts_as_revoked(
    streaming: Streaming, home: Household, project: Project
) -> None:
    async def story() -> None:
        async with streaming:
            stranger = Caller(home.keys.account, DeviceId.random())
            assert await streaming.open(stranger, project.id).ended() is Bye.REVOKED

    told(story)


class TestResponse:
    """The response of a stream, with the calls of ASGI made by hand."""

    def test_who_takes_nothing_is_cut_off(
        self, streaming: Streaming, caller: Caller, project: Project,
        monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(asgi, "SEND_SECONDS", 0.05)
        seats = Seats(1)

        async def story() -> None:
            async with streaming:
                taken: list[str] = []
                never = asyncio.Event()

                async def send(message: Any) -> None:
                    taken.append(message["type"])
                    if len(taken) == 3:
                        await never.wait()

                async def receive() -> Any:
                    await never.wait()

                seat = seats.take(caller.account)
                answer = StreamAnswer(streaming.admit(caller, project.id, seat=seat))
                response = StreamResponse(streaming.hub, answer)
                assert "content-length" not in response.headers
                await response({"type": "http"}, receive, send)
                assert taken == ["http.response.start"] + ["http.response.body"] * 2
                assert streaming.hub.followed == set()
                seats.take(caller.account)

        with caplog.at_level("INFO", logger="sopor_server"):
            told(story)
        fields = [record.__dict__.get(FIELDS, {}) for record in caplog.records]
        assert [field["reason"] for field in fields if "reason" in field] == ["slow"]

    def test_an_end_is_an_end_of_the_body(
        self, streaming: Streaming, caller: Caller, project: Project
    ) -> None:
        async def story() -> None:
            async with streaming:
                streaming.hub.close()
                sent: list[Any] = []

                async def send(message: Any) -> None:
                    sent.append(message)

                async def receive() -> Any:
                    await asyncio.Event().wait()

                answer = StreamAnswer(streaming.admit(caller, project.id))
                await StreamResponse(streaming.hub, answer)({"type": "http"}, receive, send)
                assert sent[0]["status"] == 200
                assert [message.get("more_body") for message in sent[1:]] == [True, True, False]
                text = b"".join(message["body"] for message in sent[1:])
                assert [event.data["reason"] for event in parse(text)] == ["restart"]

        told(story)
