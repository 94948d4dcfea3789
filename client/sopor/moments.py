"""Points in time as people and scripts read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import time_ns

from sopor.records import dataclass

# A commit's time is what its author's clock said; calendars end before the numbers do.
_LAST_MILLISECOND = 253_402_300_799_999


def now() -> int:
    """Returns the time in milliseconds since 1970."""
    return time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A point in time: milliseconds since 1970-01-01T00:00:00Z."""

    milliseconds: int

    @property
    def iso(self) -> str:
        """The moment as ISO 8601 in UTC, the end of the year 9999 for all that are later."""
        since = timedelta(milliseconds=min(self.milliseconds, _LAST_MILLISECOND))
        moment = datetime(1970, 1, 1, tzinfo=UTC) + since
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
