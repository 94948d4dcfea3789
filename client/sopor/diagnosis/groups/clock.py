"""The clock of this machine, as far as it can be judged without a server."""

from __future__ import annotations

from collections.abc import Iterator

from sopor.diagnosis.checks import Check, Teller
from sopor.diagnosis.scope import Scope
from sopor.moments import Moment, now

EARLIEST = 1_735_689_600_000  # 2025-01-01, before the first version
TOLERANCE = 120_000
_SET = "set the clock, best by network time; commits and invites carry its time"


def checks(scope: Scope) -> Iterator[Check]:
    """Yields whether the time can be, and whether the newest entry is not of the future."""
    tell, present = Teller("clock"), now()
    if present < EARLIEST:
        yield tell.bad("time", f"the clock says {Moment(present).iso}", _SET, past=True)
    else:
        yield tell.ok("time", f"the clock says {Moment(present).iso}", past=False)
    context = scope.readable
    entry = context.store.log.entry(context.store.log.pin.seq) if context else None
    if entry is None:
        return
    ahead = entry.time - present
    if ahead > TOLERANCE:
        yield tell.warn(
            "entries",
            f"the newest entry of the push log is {ahead // 1000} seconds in the future",
            f"here or on another device: {_SET}",
            ahead_seconds=ahead // 1000,
        )
    else:
        yield tell.ok("entries", "the newest entry of the push log is of the past")
