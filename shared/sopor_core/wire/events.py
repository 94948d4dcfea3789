"""The vocabulary of events (SPEC section 10.1): cursor, names, times, budgets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import ProjectId

STREAM_TYPE = "text/event-stream"
LAST_EVENT_ID = "Last-Event-ID"
READY = "ready"
"""The comment of a stream that says that nothing is left of what the cursor lacked."""
HEARTBEAT_SECONDS = 20.0
SILENCE_SECONDS = 45.0
"""A client takes a stream for broken after so long without a byte."""
MAX_EVENT_BYTES = 256 * 1024
"""An event of a stream brings parts up to this, or one entry where that is larger."""
MAX_PROJECTS = 200
PRESENCE_SECONDS = 120
MAX_PRESENCE_BYTES = 1024
MAX_PRESENT = 200
"""The most devices that are present in a project at once."""

_PLACE = re.compile(r"([A-Za-z0-9_-]+)\.(0|[1-9][0-9]{0,15})\.(0|[1-9][0-9]{0,15})")


class EventName(StrEnum):
    """What an event is about."""

    NEWS = "news"
    PRESENCE = "presence"
    BYE = "bye"


class Bye(StrEnum):
    """Why a server ends a stream."""

    EXPIRED = "expired"
    REVOKED = "revoked"
    FORBIDDEN = "forbidden"
    LOG_SHORTER = "log-shorter"
    QUIET = "quiet"
    RESTART = "restart"


class Mode(StrEnum):
    """How a server tells events."""

    POLL = "poll"
    STREAM = "stream"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """What a client has of a project: numbers of its newest push and membership entry."""

    push: int
    members: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """The places of several projects; as text `project.n.m`, joined by commas."""

    places: Mapping[ProjectId, Place]

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Reads a cursor; the empty text names no project.

        Raises:
            VerificationError: layer ``wire``, for anything that `str` would not give.
        """
        found: dict[ProjectId, Place] = {}
        for item in text.split(",") if text else ():
            match = _PLACE.fullmatch(item)
            if match is None or len(found) == MAX_PROJECTS:
                raise VerificationError(Layer.WIRE, "the cursor is none")
            found[ProjectId.from_b64(match[1])] = Place(int(match[2]), int(match[3]))
        cursor = cls(found)
        if str(cursor) != text:
            raise VerificationError(Layer.WIRE, "the cursor is not in its one form")
        return cursor

    def __str__(self) -> str:
        return ",".join(
            f"{project.b64}.{place.push}.{place.members}"
            for project, place in sorted(self.places.items())
        )
