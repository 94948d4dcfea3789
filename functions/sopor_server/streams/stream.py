"""One stream: what it sends next, and when it ends.

It keeps where its client stands and which of its projects stirred, and no events: a slow reader
holds no memory, and what it missed it is told from the log when it reads again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from sopor_core.ids import ProjectId
from sopor_core.wire.events import (
    HEARTBEAT_SECONDS,
    MAX_PROJECTS,
    READY,
    Bye,
    Cursor,
    Place,
)
from sopor_server.errors import Refused
from sopor_server.ports.errors import StoreUnavailable
from sopor_server.service import state
from sopor_server.service.events import POLL_SECONDS, is_read
from sopor_server.streams import sse
from sopor_server.streams.opening import Admitted
from sopor_server.streams.presence import PresenceWatch
from sopor_server.streams.watches import RETRY_SECONDS, Channel, DeviceWatch, OrgWatch

if TYPE_CHECKING:
    from sopor_server.streams.hub import Hub

Send = Callable[[bytes], Awaitable[None]]
RETRY_MILLISECONDS = 1000
_RESTART_SECONDS = 4


class Stream:
    """Tells one client what its projects bring, by ``send``, which waits for slow readers."""

    def __init__(self, hub: Hub, admitted: Admitted, send: Send) -> None:
        """Takes what `sopor_server.streams.opening` admitted. Follows nothing yet."""
        self.events = 0
        self.admitted = admitted
        self.places: dict[ProjectId, Place] = dict(admitted.places)
        self.channels: dict[ProjectId, Channel] = {}
        self._hub = hub
        self._write = send
        self._device: DeviceWatch
        self._unsettled: set[Channel] = set()
        self._stirred: dict[Channel, None] = {}
        self._stirred_orgs: set[OrgWatch] = set()
        self._present: dict[ProjectId, PresenceWatch] = {}
        self._shown: dict[ProjectId, bytes] = {}
        self._stirred_presence: set[ProjectId] = set()
        self._woken = asyncio.Event()
        self._ready = False
        self._sent = self._lively = self._time()

    # ------------------------------------------------------------------- called by what it follows

    def wake(self) -> None:
        """Looks at everything that may have changed."""
        self._woken.set()

    def stir(self, channel: Channel) -> None:
        """Notes that a project may have moved."""
        if channel.settled:
            self._unsettled.discard(channel)
        self._stirred[channel] = None
        # Who has no role any more is not shown any more.
        self._stirred_presence |= self._present.keys() & {channel.project}
        self.wake()

    def stir_presence(self, watch: PresenceWatch) -> None:
        """Notes that others may be present in a project."""
        self._present[watch.project] = watch
        self._stirred_presence.add(watch.project)
        self.wake()

    def stir_org(self, org: OrgWatch) -> None:
        """Notes that an organization may have new projects."""
        self._stirred_orgs.add(org)
        self.wake()

    def joined(self, channel: Channel) -> None:
        """Notes that a project is followed from now on."""
        self.channels[channel.project] = channel
        self._stirred[channel] = None
        if not channel.settled:
            self._unsettled.add(channel)

    # -------------------------------------------------------------------------------------- telling

    async def run(self) -> Bye:
        """Sends until the stream ends, and says why it did; whatever it followed is left then."""
        self._device = self._hub.enter(self)
        try:
            await self._send(sse.retry(RETRY_MILLISECONDS))
            while (bye := await self._look()) is None:
                await self._rest()
            await self._send(sse.identified(Cursor(self.places)), sse.bye(bye, _wait(bye)))
            return bye
        finally:
            self._hub.leave(self)

    async def _look(self) -> Bye | None:
        """Sends all that there is, or tells why the stream ends."""
        if (bye := await self._verdict()) is not None:
            return bye
        while self._stirred or self._stirred_orgs:
            if self._stirred_orgs:
                self._follow_new(self._stirred_orgs.pop())
                continue
            channel = next(iter(self._stirred))
            del self._stirred[channel]
            if (bye := await self._tell(channel)) is not None:
                return bye
        if not self._ready and not self._unsettled:
            self._ready = True
            await self._send(sse.comment(READY))
        if self._ready and (bye := await self._tell_presence()) is not None:
            return bye
        return Bye.QUIET if self._silence() <= 0 else None

    async def _tell(self, channel: Channel) -> Bye | None:
        """Sends what a project brings."""
        while (bye := await self._verdict(channel)) is None:
            present = channel.place
            if present is None:
                return None
            place = self.places.get(channel.project)
            if place is None:
                self._stand(channel, present, None)
                return None
            if place == present:
                return None
            if place.push > present.push or place.members > present.members:
                return Bye.LOG_SHORTER if channel.settled else None
            try:
                told = await channel.after(place)
            except StoreUnavailable:
                await self._nap(RETRY_SECONDS)
                continue
            except Refused:
                return Bye.LOG_SHORTER
            # Meanwhile the device may have been revoked, or the role may have ended.
            if (bye := await self._verdict(channel)) is not None:
                break
            self._stand(channel, told.reached, place)
            await self._send(sse.identified(Cursor(self.places)), told.text)
            self.events += 1
            self._lively = self._time()
        return bye

    async def _tell_presence(self) -> Bye | None:
        """Sends who is present, where that changed. It is no life that keeps a stream awake."""
        while self._stirred_presence:
            project = self._stirred_presence.pop()
            channel, watch = self.channels[project], self._present[project]
            if (bye := await self._verdict(channel)) is not None:
                return bye
            text = watch.text(channel.org.newest)
            if text is None or text == self._shown.get(project):
                continue
            self._shown[project] = text
            await self._send(sse.identified(Cursor(self.places)), text)
            self.events += 1
        return None

    async def _verdict(self, channel: Channel | None = None) -> Bye | None:
        """Tells why the stream ends; waits while a signal about the device is not looked after."""
        while (bye := self._over()) is None and not self._device.settled:
            await self._nap(self._until_expiry())
        if bye is None and channel is not None and not channel.allows(self.admitted.caller):
            return Bye.FORBIDDEN
        return bye

    def _over(self) -> Bye | None:
        if self._device.revoked:
            return Bye.REVOKED
        if self._until_expiry() <= 0:
            return Bye.EXPIRED
        return Bye.RESTART if self._hub.closing else None

    def _stand(self, channel: Channel, place: Place, before: Place | None) -> None:
        self.places[channel.project] = place
        channel.stand(place, before)

    def _follow_new(self, org: OrgWatch) -> None:
        """Follows projects that are new, from their present places on, as far as there is room."""
        newest = org.newest
        if newest is None:
            return
        for project in state.of(newest).projects.keys() - self.channels.keys():
            if len(self.channels) < MAX_PROJECTS and is_read(newest, self.admitted.caller, project):
                self._hub.join(self, project, newest.id)

    async def _send(self, *chunks: bytes) -> None:
        await self._write(b"".join(chunks))
        self._sent = self._time()

    # -------------------------------------------------------------------------------------- waiting

    async def _rest(self) -> None:
        """Waits until something stirs; sends a sign of life when it is time for one."""
        if self._stirred or self._stirred_orgs or (self._ready and self._stirred_presence):
            return
        alive = self._sent + HEARTBEAT_SECONDS - self._time()
        await self._nap(min(alive, self._silence(), self._until_expiry()))
        if self._time() >= self._sent + HEARTBEAT_SECONDS:
            await self._send(sse.ALIVE)

    async def _nap(self, seconds: float) -> None:
        """Waits until it is woken, at most so long."""
        self._woken.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    def _silence(self) -> float:
        """Returns how many seconds of silence are left."""
        quiet = self._hub.quiet
        return self._lively + quiet - self._time() if quiet else float("inf")

    def _until_expiry(self) -> float:
        return (self.admitted.expires - self._hub.now()) / 1000

    @staticmethod
    def _time() -> float:
        return asyncio.get_running_loop().time()


def _wait(bye: Bye) -> int:
    """Returns after how many seconds a client comes back, not all at the same time after a stop."""
    if bye is Bye.RESTART:
        return 1 + secrets.randbelow(_RESTART_SECONDS)
    return POLL_SECONDS if bye is Bye.QUIET else 0
