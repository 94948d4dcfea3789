"""Who is present in a project, as streams tell it: read once after a change, for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sopor_core.canonical import Json
from sopor_core.ids import ProjectId
from sopor_core.wire.events import EventName
from sopor_server.app.presence import to_json
from sopor_server.ports.records import Organization, Presence
from sopor_server.service.presence import of_members
from sopor_server.streams import sse
from sopor_server.streams.watches import Storage, Watch

GAP_SECONDS = 2.0
"""Between two readings: of many who tell themselves at once, all are told together."""


class PresenceWatch(Watch):
    """The notes of a project; also wakes by itself when the next of them expires."""

    def __init__(self, storage: Storage, project: ProjectId) -> None:
        super().__init__(storage)
        self.project = project
        self._notes: Sequence[Presence] | None = None
        self._read_at = float("-inf")
        self._expiry: asyncio.TimerHandle | None = None
        self._told: tuple[list[Json], bytes] | None = None

    def stop(self) -> None:
        """Reads no more."""
        super().stop()
        self._end_expiry()

    def tell(self) -> None:
        """Stirs the streams."""
        for stream in self.streams:
            stream.stir_presence(self)

    def text(self, org: Organization | None) -> bytes | None:
        """Returns the event for who is present, of those who have a role in ``org`` now.

        The same object as long as that stays the same; None before it is known.
        """
        if self._notes is None or org is None:
            return None
        notes: list[Json] = [*to_json(of_members(self._notes, org, self.project))]
        if self._told is None or self._told[0] != notes:
            data: dict[str, Json] = {"project": self.project.b64, "presence": notes}
            self._told = notes, sse.event(EventName.PRESENCE, data)
        return self._told[1]

    async def _read(self) -> None:
        loop, context = asyncio.get_running_loop(), self._storage.context
        await asyncio.sleep(self._read_at + GAP_SECONDS - loop.time())
        self._read_at = loop.time()
        now = context.now()
        store = context.store
        self._notes = await self._storage.ask(lambda: store.presences(self.project, now))
        self._end_expiry()
        if self._notes:
            first = min(note.expires for note in self._notes)
            self._expiry = loop.call_later((first + 1 - now) / 1000, self.wake)

    def _end_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
