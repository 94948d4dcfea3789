"""What streams follow: each thing is read once after a signal, whoever follows it.

A signal only marks a watch; what it says is read. While a watch reads, further signals mark it
again, so that nothing is missed and nothing queues.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sopor_core.encoding import b64encode
from sopor_core.ids import DeviceId, OrgId, ProjectId
from sopor_core.wire.events import MAX_EVENT_BYTES, EventName, Place
from sopor_server.app.events import parts_of
from sopor_server.auth import Caller
from sopor_server.logs import log_failure
from sopor_server.ports.errors import StoreUnavailable
from sopor_server.ports.records import Organization, Project
from sopor_server.service.context import Context
from sopor_server.service.events import is_read
from sopor_server.service.pull import following
from sopor_server.streams import sse

if TYPE_CHECKING:
    from sopor_server.streams.stream import Stream

T = TypeVar("T")
RETRY_SECONDS = 1.0
_KEPT = 2
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Storage:
    """The storages, which block, and the threads that wait for them."""

    context: Context
    threads: Executor

    async def ask(self, question: Callable[[], T]) -> T:
        """Runs what blocks in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, question)


class Watch(ABC):
    """One thing that is followed, by the streams in ``streams``."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.streams: set[Stream] = set()
        self._marked = False
        self._task: asyncio.Task[None] | None = None

    @property
    def settled(self) -> bool:
        """Whether what was read is as new as the last signal."""
        return self._task is None

    def wake(self) -> None:
        """Reads anew, after what is being read."""
        self._marked = True
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        """Reads no more."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while self._marked:
            self._marked = False
            try:
                await self._read()
            except Exception as error:  # noqa: BLE001
                # Whatever it was, what follows a signal must be read in the end.
                log_failure(_log, "", error)
                self._marked = True
                await asyncio.sleep(RETRY_SECONDS)
        self._task = None
        self.tell()

    @abstractmethod
    async def _read(self) -> None:
        """Reads anew."""

    @abstractmethod
    def tell(self) -> None:
        """Stirs the streams."""


class DeviceWatch(Watch):
    """A device, which may be revoked."""

    def __init__(self, storage: Storage, device: DeviceId) -> None:
        super().__init__(storage)
        self._device = device
        self.revoked = False

    async def _read(self) -> None:
        device = await self._storage.ask(lambda: self._storage.context.store.device(self._device))
        self.revoked = device is None or device.revoked

    def tell(self) -> None:
        """Wakes the streams of the device."""
        for stream in self.streams:
            stream.wake()


class OrgWatch(Watch):
    """An organization; ``streams`` are those that follow it for new projects."""

    def __init__(self, storage: Storage, org: OrgId) -> None:
        super().__init__(storage)
        self.id = org
        self.newest: Organization | None = None
        self.channels: set[Channel] = set()

    def offer(self, org: Organization | None) -> bool:
        """Takes in what was read, unless something newer is here; tells whether it was new."""
        known = self.newest.head.seq if self.newest else 0
        if org is None or org.head.seq <= known:
            return False
        self.newest = org
        return True

    async def _read(self) -> None:
        store = self._storage.context.store
        self.offer(await self._storage.ask(lambda: store.organization(self.id)))

    def tell(self) -> None:
        """Stirs the streams of its projects, and those that want all."""
        for stream in self.streams:
            stream.stir_org(self)
        for channel in self.channels:
            channel.tell()


@dataclass(frozen=True, slots=True)
class Told:
    """What follows a place, as the text of an event, which all streams share."""

    reached: Place
    text: bytes


class Channel(Watch):
    """A project; what is new of it is read once for all streams that stand at the same place."""

    def __init__(self, storage: Storage, project: ProjectId, org: OrgWatch) -> None:
        super().__init__(storage)
        self.project = project
        self.org = org
        self._found: Project | None = None
        self._gone = False
        self._standing: Counter[Place] = Counter()
        self._told: dict[tuple[Place, Place], asyncio.Task[Told]] = {}

    @property
    def place(self) -> Place | None:
        """Where the project stands, None before it was read."""
        if self._found is None or self.org.newest is None:
            return None
        return Place(self._found.head.seq, self.org.newest.head.seq)

    def allows(self, caller: Caller) -> bool:
        """Tells whether the caller has a role in the project, which is there; so until known."""
        if self._gone:
            return False
        org = self.org.newest
        return org is None or is_read(org, caller, self.project)

    def tell(self) -> None:
        """Stirs the streams: something may be new."""
        for stream in self.streams:
            stream.stir(self)

    def stand(self, place: Place, before: Place | None = None) -> None:
        """Notes where one more stream stands, and where it did so ``before``."""
        self._standing[place] += 1
        if before is not None:
            self.left(before)

    def left(self, place: Place) -> None:
        """Notes that a stream stands at a place no more."""
        self._standing[place] -= 1
        if self._standing[place] <= 0:
            del self._standing[place]
            for key in [key for key in self._told if key[0] == place]:
                del self._told[key]

    async def after(self, place: Place) -> Told:
        """Returns what follows a place; raises StoreUnavailable or Refused."""
        project, org, present = self._found, self.org.newest, self.place
        if project is None or org is None or present is None:
            raise StoreUnavailable("the project was not read yet")
        key = place, present
        task = self._told.get(key)
        if task is None or (task.done() and task.exception() is not None):
            task = asyncio.create_task(self._follow(project, org, place))
            task.add_done_callback(_take_notice)
            self._told[key] = task
            while len(self._told) > _KEPT:
                del self._told[next(iter(self._told))]
        # A stream that ends does not end the reading that others wait for.
        return await asyncio.shield(task)

    async def _follow(self, project: Project, org: Organization, place: Place) -> Told:
        context = self._storage.context
        return await self._storage.ask(lambda: _told(context, project, org, place))

    async def _read(self) -> None:
        found, org = await self._storage.ask(self._project_then_org)
        self._gone = found is None or org is None
        if found is not None and (self._found is None or found.head.seq >= self._found.head.seq):
            self._found = found
        if self.org.offer(org):
            self.org.tell()

    def _project_then_org(self) -> tuple[Project | None, Organization | None]:
        """Reads the organization last: whoever has a role in it had it when the project moved."""
        store = self._storage.context.store
        found = store.project(self.project)
        return found, store.organization(found.organization) if found else None


def _take_notice(task: asyncio.Task[Told]) -> None:
    """Lets a failure go that nobody waits for any more."""
    if not task.cancelled():
        task.exception()


def _told(context: Context, project: Project, org: Organization, place: Place) -> Told:
    news = following(context, project, org, place, budget=MAX_EVENT_BYTES)
    text = sse.event(
        EventName.NEWS,
        {
            "project": project.id.b64,
            "seq": news.reached.push,
            "members": news.reached.members,
            "parts": b64encode(parts_of(news)),
        },
    )
    return Told(news.reached, text)
