"""Decides what a watch does next, from what happened and the clock; does no I/O.

There is no queue: what happened leaves marks, so that any number of saved files become one commit
and one push, and any number of pushes of others one merge. Times are seconds of whatever clock.
"""

from __future__ import annotations

from enum import StrEnum

from sopor.records import dataclass

LONGEST_BURST_SECONDS = 10.0
"""While files are saved again and again, they are committed every so often nevertheless."""
RETRY_SECONDS = 0.5
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_REJECTED_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Options:
    """How a watch behaves.

    Attributes:
        auto: whether edits are committed and pushed.
        settle: the seconds without a saved file after which a burst of them is over.
    """

    auto: bool = False
    settle: float = 1.0


class Doing(StrEnum):
    """What there is to do."""

    INTEGRATE = "integrate"
    """Bring what others pushed, and is fetched, into branch and files."""
    COMMIT = "commit"
    """Commit what was edited, if anything was."""
    FINISH = "finish"
    """Commit the merge whose conflicts are all settled."""
    PUSH = "push"
    WAIT = "wait"


class Merging(StrEnum):
    """How a merge stands."""

    NO = "no"
    OPEN = "open"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Step:
    """What to do; of `Doing.WAIT` until when, None for until something happens."""

    doing: Doing
    until: float | None = None


@dataclass(slots=True)
class Plan:
    """The marks that what happened has left.

    Attributes:
        options: how to behave.
        due: whether something may have come that the branch lacks.
        held: whether it could not be brought in as the files are.
        refused: whether edits could not be committed as they are.
        rejected: whether the server's branch has something that this one lacks.
        unpushed: whether there may be something to push.
        merging: how a merge stands.
    """

    options: Options
    due: bool = True
    held: bool = False
    refused: bool = False
    rejected: bool = False
    unpushed: bool = True
    merging: Merging = Merging.NO
    _first: float | None = 0.0
    _last: float = 0.0
    _paused_until: float = 0.0
    _push_after: float = 0.0
    _failures: int = 0
    _rejections: int = 0

    def next(self, now: float) -> Step:
        """Returns what to do at a time."""
        if now < self._paused_until:
            return Step(Doing.WAIT, self._paused_until)
        settled_at = self._settled_at()
        settled = settled_at is not None and now >= settled_at
        step = Step(Doing.WAIT, None if settled else settled_at)
        if self.merging is not Merging.NO:
            if settled:
                self._first = None
            if self.options.auto and self.merging is Merging.SETTLED and self._first is None:
                step = Step(Doing.FINISH)
        elif self.due:
            step = Step(Doing.INTEGRATE)
        elif settled:
            step = Step(Doing.COMMIT)
        elif self.options.auto and self.unpushed and not self.rejected:
            step = self._push(now, step)
        return step

    def _push(self, now: float, step: Step) -> Step:
        if now >= self._push_after:
            return Step(Doing.PUSH)
        ends = [end for end in (step.until, self._push_after) if end is not None]
        return Step(Doing.WAIT, min(ends))

    def _settled_at(self) -> float | None:
        if self._first is None:
            return None
        return min(self._last + self.options.settle, self._first + LONGEST_BURST_SECONDS)

    # ------------------------------------------------------------------------------- what happened

    def files_changed(self, now: float) -> None:
        """A file was saved."""
        self._first = now if self._first is None else self._first
        self._last = now

    def store_changed(self, now: float, merging: Merging) -> None:
        """Another command, or the feed, changed what is stored."""
        if self.refused or (self.merging is not Merging.NO and merging is not self.merging):
            self.files_changed(now)
        self.merging = merging
        self.due, self.unpushed = True, True

    def news(self) -> None:
        """Something came from the server, and was verified."""
        self.due = True

    def online(self) -> None:
        """The server is there again."""
        self._push_after = 0.0
        self._failures = 0

    # ---------------------------------------------------------------------------- how a step ended

    def busy(self, now: float) -> None:
        """Another command is at work, or a file was saved meanwhile: try again soon."""
        self._paused_until = now + RETRY_SECONDS

    def integrated(self, *, moved: bool) -> None:
        """What came is in the branch; ``moved`` if that made a commit of its own."""
        self.due = self.held = self.rejected = False
        self.unpushed = self.unpushed or moved

    def not_integrated(self) -> None:
        """What came can't be brought in as the files are."""
        self.due, self.held = False, True

    def stopped_at_conflicts(self) -> None:
        """A merge waits for its conflicts to be settled."""
        self.due, self.merging = False, Merging.OPEN

    def committed(self, *, anything: bool) -> None:
        """What was edited is committed, or nothing was."""
        self._first = None
        self.refused = False
        self.unpushed = self.unpushed or anything
        self.due = self.due or self.held

    def finished(self) -> None:
        """The merge is committed."""
        self.merging = Merging.NO
        self.due = self.unpushed = True
        self.held = self.rejected = False

    def not_committed(self) -> None:
        """What was edited can't be committed as it is."""
        self._first = None
        self.refused = True

    def pushed(self) -> None:
        """The server has everything."""
        self.unpushed = False
        self._failures = self._rejections = 0

    def push_rejected(self, now: float) -> None:
        """The branch moved on the server: at once after the first time, then a little later.

        Where others push all the time, who waited longer each time would never push.
        """
        self.due = self.rejected = True
        self._rejections += 1
        if self._rejections > 1:
            self._push_after = now + _REJECTED_SECONDS

    def push_failed(self, now: float) -> bool:
        """The server did not take it; this may be over by itself. Tells whether that is new."""
        new = self._failures == 0
        pause = min(_FIRST_PAUSE_SECONDS * 2**self._failures, _LONGEST_PAUSE_SECONDS)
        self._failures = min(self._failures + 1, 10)
        self._push_after = now + pause
        return new

    def push_refused(self) -> None:
        """The server refused it; something has to change first."""
        self.unpushed = False
