"""How a feed of events stands, for whoever shows it."""

from __future__ import annotations

from enum import StrEnum

from sopor.moments import Moment
from sopor.records import dataclass


class LiveState(StrEnum):
    """What a feed does."""

    CONNECTING = "connecting"
    STREAMING = "streaming"
    POLLING = "polling"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Live:
    """How a feed stands.

    Attributes:
        state: what it does.
        since: since when.
        every: the seconds to the next poll, or to the next try; None of a stream.
        reason: why it is offline.
    """

    state: LiveState
    since: Moment
    every: float | None = None
    reason: str | None = None
