"""Decides how to go on with the feed of events: a function of what happened and of the clock.

It streams where it can. A break is followed by a try at once and by longer and longer waits after
it; a stream of which nothing comes, as a proxy keeps it back, by polls for a while; a server that
says that it is quiet, by polls that become rare, until there is news or somebody works here.
Times are seconds of whatever clock; ``chance`` is a random number from 0 to 1, so that many clients
do not come back together.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TypeAlias

from sopor.records import dataclass
from sopor_core.wire.events import Bye

OFFER_SECONDS = 3600.0
"""How long is believed what a server said of how it tells events."""
WAKE_SECONDS = 5.0
"""Who is woken up while it waits tries again after so long, unless the server asked for more."""
STEADY_SECONDS = 10.0
"""A stream that lasted so long had no fault in its beginning."""
FIRST_POLL_SECONDS = 5.0
LONGEST_POLL_SECONDS = 60.0
_POLL_GROWTH = 1.5
_FIRST_BREAK_SECONDS = 0.5
_LONGEST_BREAK_SECONDS = 60.0
_FIRST_BLOCK_SECONDS = 60.0
_LONGEST_BLOCK_SECONDS = 3600.0
_FAILED_STREAMS = 3
_ASK_AGAIN_BREAKS = 2


class Doing(StrEnum):
    """What the feed does."""

    ASK = "ask"
    STREAM = "stream"
    POLL = "poll"


@dataclass(frozen=True, slots=True)
class Next:
    """What to do next.

    Attributes:
        doing: what.
        wait: after so many seconds.
        least: as many of them as the server asked for.
        renew: whether to get a new access token before.
    """

    doing: Doing
    wait: float = 0.0
    least: float = 0.0
    renew: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What is remembered of what happened.

    Attributes:
        doing: what is done, or will be after the wait.
        streams: whether the server offers streams.
        asked: when it was asked for that.
        breaks: failures in a row.
        failed: streams in a row that could not be opened.
        blocked_until: streams are not tried before.
        block: for how long they are not tried the next time.
        hibernating: whether the server said that it is quiet.
        interval: the seconds between two polls.
    """

    doing: Doing = Doing.ASK
    streams: bool = False
    asked: float | None = None
    breaks: int = 0
    failed: int = 0
    blocked_until: float = 0.0
    block: float = _FIRST_BLOCK_SECONDS
    hibernating: bool = False
    interval: float = FIRST_POLL_SECONDS


@dataclass(frozen=True, slots=True)
class Offered:
    """The server said how it tells events."""

    streams: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """What was tried did not begin, or a poll was not answered; ``wait``: for so long at least."""

    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Blocked:
    """A stream was asked for, and for a long time no byte of it came."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A stream ended.

    Attributes:
        lived: after so many seconds.
        fruitful: whether it brought anything that is new here.
        bye: why, if the server said so.
        wait: when to come back at the soonest.
    """

    lived: float
    fruitful: bool
    bye: Bye | None = None
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Polled:
    """A poll was answered; ``wait`` is the least until the next one, unless there is ``more``."""

    fruitful: bool
    more: bool = False
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Woken:
    """Somebody works here, so that others may as well."""


Happening: TypeAlias = Offered | Failed | Blocked | Ended | Polled | Woken


def after(plan: Plan, happened: Happening, now: float, chance: float) -> tuple[Plan, Next]:
    """Returns what is remembered from now on, and what to do next."""
    match happened:
        case Offered(streams):
            asked = replace(plan, streams=streams, asked=now)
            return _go_on(asked, now, chance)
        case Failed(wait):
            return _failed(plan, wait, now, chance)
        case Blocked():
            return _poll_at_once(_blocked(plan, now))
        case Ended():
            return _ended(plan, happened, now, chance)
        case Polled():
            return _polled(plan, happened, now, chance)
        case Woken():
            return _go_on(awake(plan), now, chance)


def may_stream(plan: Plan, now: float) -> bool:
    """Tells whether streams are offered and not kept back."""
    return plan.streams and now >= plan.blocked_until


def _go_on(
    plan: Plan, now: float, chance: float, wait: float = 0.0, least: float = 0.0
) -> tuple[Plan, Next]:
    if plan.asked is None or now - plan.asked > OFFER_SECONDS:
        return _do(plan, Doing.ASK, wait, least)
    if plan.hibernating or not may_stream(plan, now):
        pause = plan.interval * (0.75 + chance / 2) if plan.hibernating else wait
        return _do(plan, Doing.POLL, max(wait, pause), least)
    return _do(plan, Doing.STREAM, wait, least)


def _do(plan: Plan, doing: Doing, wait: float, least: float = 0.0) -> tuple[Plan, Next]:
    return replace(plan, doing=doing), Next(doing, wait, least)


def _poll_at_once(plan: Plan) -> tuple[Plan, Next]:
    return _do(replace(plan, interval=FIRST_POLL_SECONDS), Doing.POLL, 0.0)


def awake(plan: Plan) -> Plan:
    """Returns a plan whose server is not taken for quiet any more."""
    return replace(plan, hibernating=False, interval=FIRST_POLL_SECONDS)


def _blocked(plan: Plan, now: float) -> Plan:
    longer = min(plan.block * 2, _LONGEST_BLOCK_SECONDS)
    return replace(plan, blocked_until=now + plan.block, block=longer, failed=0, breaks=0)


def _failed(plan: Plan, wait: float, now: float, chance: float) -> tuple[Plan, Next]:
    pause = max(wait, _pause(plan.breaks, chance))
    failed = plan.failed + (plan.doing is Doing.STREAM)
    plan = replace(plan, breaks=plan.breaks + 1, failed=failed)
    if failed >= _FAILED_STREAMS:
        # The rest of the server answers, else it would not have come to so many streams.
        return _poll_at_once(_blocked(plan, now))
    if plan.breaks >= _ASK_AGAIN_BREAKS:
        return _do(plan, Doing.ASK, pause, wait)
    return _do(plan, plan.doing, pause, wait)


def _pause(breaks: int, chance: float) -> float:
    if not breaks:
        return 0.0
    # More doublings than these are as long as the longest, and no number is too large.
    mean = min(_FIRST_BREAK_SECONDS * 2 ** min(breaks - 1, 16), _LONGEST_BREAK_SECONDS)
    return float(mean * (0.5 + chance))


def _ended(plan: Plan, ended: Ended, now: float, chance: float) -> tuple[Plan, Next]:
    breaks = 0 if ended.fruitful or ended.lived >= STEADY_SECONDS else plan.breaks
    plan = replace(plan, failed=0, block=_FIRST_BLOCK_SECONDS)
    if ended.bye is Bye.QUIET:
        quiet = replace(plan, breaks=0, hibernating=True, interval=FIRST_POLL_SECONDS)
        return _go_on(quiet, now, chance, ended.wait, ended.wait)
    pause = max(ended.wait * (1 + chance / 2), _pause(breaks, chance))
    plan, step = _go_on(replace(plan, breaks=breaks + 1), now, chance, pause, ended.wait)
    return plan, replace(step, renew=ended.bye is Bye.EXPIRED)


def _polled(plan: Plan, polled: Polled, now: float, chance: float) -> tuple[Plan, Next]:
    plan = replace(plan, breaks=0)
    if polled.more:
        return _do(plan, Doing.POLL, 0.0)
    if polled.fruitful:
        plan = awake(plan)
    if not plan.hibernating and may_stream(plan, now):
        return _go_on(plan, now, chance)
    pause = max(polled.wait, plan.interval * (0.75 + chance / 2))
    longer = min(plan.interval * _POLL_GROWTH, LONGEST_POLL_SECONDS)
    return _do(replace(plan, interval=longer), Doing.POLL, pause, polled.wait)
