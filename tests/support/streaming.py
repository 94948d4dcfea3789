"""Streams of events without a network: the hub on a real store, and clients that listen.

async with Streaming(context, file) as streaming:
    client = streaming.open(caller, project.id)
    await client.has(READY)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from sopor_core.encoding import b64decode
from sopor_core.ids import ProjectId
from sopor_core.wire.events import Bye, Cursor
from sopor_server.adapters.sqlite.signals import SqliteSignals
from sopor_server.auth import Caller
from sopor_server.ports.signals import Signals, Topic, Wake
from sopor_server.service.context import Context
from sopor_server.service.events import places_after, standings
from sopor_server.streams.hub import Hub
from sopor_server.streams.opening import Admitted
from sopor_server.streams.seats import Seat, Seats
from sopor_server.streams.stream import Stream
from sopor_server.streams.watches import Storage
from tests.support.story import DAY, TIME, Pulled

PATIENCE = 60.0
READY = b": ready\n\n"
NOWHERE = Cursor({})


async def until(holds: Callable[[], object]) -> None:
    """Waits until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@dataclass
class Event:
    """One event of a stream, as its lines say."""

    name: str
    id: str
    data: dict[str, Any]

    @property
    def pulled(self) -> Pulled:
        """The parts of news."""
        return Pulled.of(b64decode(self.data["parts"]))


def parse(text: bytes) -> list[Event]:
    """Returns the events of a stream, without its comments."""
    events = []
    for block in text.decode("ascii").split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith((":", "retry:"))]
        fields = dict(line.split(": ", 1) for line in lines)
        if fields:
            events.append(Event(fields["event"], fields.get("id", ""), json.loads(fields["data"])))
    return events


@dataclass
class Client:
    """Takes what a stream sends, while it is let to."""

    received: bytearray = field(default_factory=bytearray)
    reads: asyncio.Event = field(default_factory=asyncio.Event)
    stream: Stream | None = None
    task: asyncio.Task[Bye] | None = None

    async def take(self, chunk: bytes) -> None:
        """Is what the stream sends by."""
        await self.reads.wait()
        self.received += chunk

    @property
    def events(self) -> list[Event]:
        return parse(bytes(self.received))

    def names(self) -> list[str]:
        return [event.name for event in self.events]

    async def has(self, text: bytes) -> None:
        """Waits until something was received."""
        await until(lambda: text in self.received)

    async def count(self, number: int) -> None:
        """Waits until so many events were received."""
        await until(lambda: len(self.events) == number)

    async def ended(self) -> Bye:
        """Waits for the end of the stream."""
        assert self.task is not None
        async with asyncio.timeout(PATIENCE):
            return await self.task

    async def go(self) -> None:
        """Goes away."""
        assert self.task is not None
        self.task.cancel()
        await asyncio.wait([self.task])


class Streaming:
    """A hub in the running event loop."""

    def __init__(
        self,
        context: Context,
        file: Path,
        quiet: float = 0,
        connect: Callable[[Wake], Signals] | None = None,
    ) -> None:
        self.context = context
        self._threads = ThreadPoolExecutor(4)
        self._storage = Storage(context, self._threads)
        self._connect = connect or (lambda wake: SqliteSignals(file, wake))
        self._quiet = quiet
        self._clients: list[Client] = []

    async def __aenter__(self) -> Streaming:
        self.hub = Hub(self._storage, self._connect, self._quiet)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        for client in self._clients:
            await client.go()
        left = self.hub.followed
        self.hub.shut()
        self._threads.shutdown()
        if error is None:
            assert left == frozenset[Topic]()

    def open(
        self,
        caller: Caller,
        *projects: ProjectId,
        after: Cursor = NOWHERE,
        reads: bool = True,
        expires: int = TIME + DAY,
        presence: bool = False,
    ) -> Client:
        """Opens a stream of some projects, or of all."""
        client = Client()
        if reads:
            client.reads.set()
        admitted = self.admit(caller, *projects, after=after, expires=expires, presence=presence)
        client.stream = Stream(self.hub, admitted, client.take)
        client.task = asyncio.create_task(client.stream.run())
        self._clients.append(client)
        return client

    def admit(
        self,
        caller: Caller,
        *projects: ProjectId,
        after: Cursor = NOWHERE,
        expires: int = TIME + DAY,
        presence: bool = False,
        seat: Seat | None = None,
    ) -> Admitted:
        """Returns what a stream begins with."""
        found = standings(self.context, caller, projects or None)
        account = self.context.store.account(caller.account)
        orgs = account.organizations if account and not projects else ()
        return Admitted(
            caller=caller,
            expires=expires,
            places=places_after(found, after),
            present=places_after(found, NOWHERE),
            owners={standing.project: standing.org.id for standing in found},
            orgs=frozenset(orgs),
            seat=seat or Seats(1).take(caller.account),
            presence=presence,
        )
