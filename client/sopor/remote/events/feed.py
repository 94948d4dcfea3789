"""The feed of events: streams, polls, waits and comes back, as `sopor.remote.events.plan` decides.

It believes nothing: each message goes to a taker, which verifies it, and after a break the feed
goes on where the taker has verified everything. What does not verify, and what something is missing
before, has the taker pull, which tells the true error; only where that succeeds the feed goes on.
What may be over by itself is waited for; everything else is raised.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Generic, Protocol, TypeAlias, TypeVar

from sopor.errors import (
    Busy,
    ServerRefused,
    SessionExpired,
    SignOnFailed,
    SoporError,
    StorageFault,
    VerificationError,
    Weather,
)
from sopor.moments import Moment, now
from sopor.records import dataclass
from sopor.remote.events.failures import Gap, NoStream, Silence
from sopor.remote.events.live import Live, LiveState
from sopor.remote.events.messages import Farewell, Message, News, Notes, Pace, PollAnswer
from sopor.remote.events.offer import Offer
from sopor.remote.events.pause import Pause
from sopor.remote.events.plan import (
    STEADY_SECONDS,
    WAKE_SECONDS,
    Blocked,
    Doing,
    Ended,
    Failed,
    Happening,
    Next,
    Offered,
    Plan,
    Polled,
    Woken,
    after,
    awake,
)
from sopor_core.wire.events import Bye, Cursor
from sopor_core.wire.problems import Code

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")
_MAX_STALE = 64
"""So many messages in a row that bring nothing, and the feed asks anew from where it is."""
_MAX_DOUBTS = 3
_FOR_GOOD = frozenset({Code.PROJECT_DELETED, Code.ORGANIZATION_DELETED, Code.UPGRADE_REQUIRED})
_DOUBTED = frozenset({Bye.REVOKED, Bye.FORBIDDEN, Bye.LOG_SHORTER})
_RESTARTS = "the server restarts"
_LEFT_OUT = "the server left something out"


class Taker(Protocol[T_co]):
    """Verifies what comes, and knows what is verified."""

    def places(self) -> Cursor:
        """Returns what is verified of each project."""

    def take(self, news: News) -> Sequence[T_co]:
        """Verifies a message and takes it in; what is known already is nothing new.

        Raises:
            Gap: something is missing before it.
            VerificationError: it does not verify; nothing was taken in.
        """

    def show(self, notes: Notes) -> Sequence[T_co]:
        """Verifies who is present; what does not verify is left out."""

    def pull(self) -> Sequence[T_co]:
        """Pulls all projects, which tells what is wrong if something is."""


class Source(Protocol):
    """A server, as `sopor.remote.events.source.EventSource`."""

    def offer(self) -> Offer:
        """Asks how the server tells events."""

    def stream(
        self, after: Cursor, *, renew: bool = False
    ) -> AbstractContextManager[Iterable[Message]]:
        """Opens a stream."""

    def poll(self, after: Cursor, etag: str = "") -> PollAnswer | None:
        """Polls once."""

    def close(self) -> None:
        """Ends everything; for any thread."""


class _ForGood(Exception):
    """Carries an error out that waiting does not help against."""

    def __init__(self, error: SoporError) -> None:
        super().__init__()
        self.error = error


@dataclass(slots=True)
class _Run:
    """What there is to say of one stream."""

    began: float
    start: Cursor
    heard: bool = False
    over: bool = False
    stale: int = 0
    wait: float = 0.0
    bye: Bye | None = None
    reached: Cursor | None = None

    def reach(self, places: Cursor) -> bool:
        """Notes what is verified after a message and tells whether that is more than before.

        Ends a stream that repeats itself.
        """
        more = places != (self.reached or self.start)
        self.stale = 0 if more else self.stale + 1
        self.reached = places
        self.over = self.stale >= _MAX_STALE
        return more

    def ended(self, now: float) -> Ended:
        """Returns how it went."""
        fruitful = self.reached not in (None, self.start)
        return Ended(now - self.began, fruitful, self.bye, self.wait)


Steps: TypeAlias = Generator[T | Live, None, Happening]


class Feed(Generic[T]):
    """Yields what a taker makes of events, and how the feed stands whenever that changes.

    One thread iterates; `close`, `wake` and `live` are for any thread.
    """

    def __init__(self, source: Source, taker: Taker[T], pause: Pause | None = None) -> None:
        """Takes a server, and who verifies what it sends."""
        self._source = source
        self._taker = taker
        self._pause = pause or Pause()
        self._plan = Plan()
        self._doubts = 0
        self._reason: str | None = None
        self._tag: tuple[Cursor, str, float] | None = None
        self._live = Live(LiveState.CONNECTING, Moment(now()))

    @property
    def live(self) -> Live:
        """How the feed stands now."""
        return self._live

    def wake(self) -> None:
        """Tells that somebody works here: a feed that polls or waits tries again soon."""
        self._pause.wake()

    def close(self) -> None:
        """Ends the iteration, which may be waiting in another thread."""
        self._pause.close()
        self._source.close()

    def __iter__(self) -> Iterator[T | Live]:
        """Yields until `close`.

        Raises:
            SessionExpired, SignOnFailed: the device was revoked or its session is over.
            PermissionDenied, NotFound, ServerRefused: the project is not there for the account.
            VerificationError: what the server shows does not verify, or is a rollback or a fork.
            StorageFault: this machine's disk.
        """
        step = Next(Doing.ASK)
        while True:
            step = self._waited(step)
            if self._pause.is_closed():
                return
            try:
                happened = yield from self._tried(step)
            except (SoporError, _ForGood) as error:
                if self._pause.is_closed():
                    return
                raise error.error if isinstance(error, _ForGood) else error from None
            step = self._after(happened)
            if not self._pause.is_closed():
                yield from self._standing(step, happened)

    def _after(self, happened: Happening) -> Next:
        self._plan, step = after(self._plan, happened, self._pause.clock(), self._pause.chance())
        return step

    def _waited(self, step: Next) -> Next:
        """Waits until a step is due; returns the one to take then."""
        began = self._pause.clock()
        due = began + step.wait
        while not self._pause.is_closed():
            left = due - self._pause.clock()
            if left <= 0:
                break
            if self._pause.wait(left):
                if self._plan.hibernating:
                    return self._after(Woken())
                self._plan = awake(self._plan)
                due = min(due, began + max(step.least, WAKE_SECONDS))
        return step

    # --------------------------------------------------------------------------------- what is done

    def _tried(self, step: Next) -> Steps[T]:
        try:
            match step.doing:
                case Doing.ASK:
                    return Offered(self._source.offer().streams is not None)
                case Doing.POLL:
                    return (yield from self._poll())
                case Doing.STREAM:
                    return (yield from self._stream(step.renew))
        except NoStream as error:
            # Headers that were cut off look the same, so once is no reason to poll.
            self._reason = error.message
            return Failed()
        except Silence as error:
            self._reason = error.message
            return Blocked() if step.doing is Doing.STREAM else Failed()
        except SoporError as error:
            return (yield from self._judged(error))

    def _judged(self, error: SoporError) -> Steps[T]:
        """Says what an error of the server means; raises it if it means the end."""
        self._reason = error.message
        if isinstance(error, (Weather, Busy)):
            return Failed(getattr(error, "retry_after", None) or 0.0)
        if self._pause.is_closed() or isinstance(
            error, (SessionExpired, SignOnFailed, StorageFault)
        ):
            raise error
        try:
            yield from self._doubted(error)
        except SoporError as meanwhile:
            self._reason = meanwhile.message
            return Failed(getattr(meanwhile, "retry_after", None) or 0.0)
        return Failed()

    def _doubted(self, error: SoporError) -> Iterator[T]:
        """Pulls because of an error; raises it for good if pulls do not help again and again."""
        yield from self._pulled()
        self._doubts += 1
        if self._doubts >= _MAX_DOUBTS and isinstance(error, VerificationError):
            raise _ForGood(error)

    def _poll(self) -> Steps[T]:
        places = self._taker.places()
        known, tag, wait = self._tag or (places, "", 0.0)
        answer = self._source.poll(places, tag if known == places else "")
        if answer is None:
            return Polled(fruitful=False, wait=wait)
        for news in answer.news:
            try:
                yield from self._taken(news)
            except Gap:
                break
        if not answer.news:
            self._tag = (places, answer.etag, answer.wait)
        fruitful = self._taker.places() != places
        if fruitful:
            self._doubts = 0
        return Polled(fruitful, answer.more and fruitful, answer.wait)

    def _stream(self, renew: bool) -> Steps[T]:
        run = _Run(self._pause.clock(), self._taker.places())
        with self._source.stream(run.start, renew=renew) as stream:
            try:
                for message in stream:
                    yield from self._message(message, run)
                    if run.over:
                        break
            except (Weather, Busy) as error:
                if not run.heard and isinstance(error, Silence):
                    raise
                self._reason = error.message
            except Gap:
                self._reason = _LEFT_OUT
            except VerificationError as error:
                self._reason = error.message
                yield from self._doubted(error)
        ended = run.ended(self._pause.clock())
        if ended.lived >= STEADY_SECONDS:
            self._doubts = 0
        if ended.bye in _DOUBTED:
            yield from self._pulled()
        elif ended.bye is Bye.RESTART:
            self._reason = _RESTARTS
        return ended

    def _message(self, message: Message, run: _Run) -> Iterator[T | Live]:
        if not run.heard:
            run.heard = True
            yield from self._become(LiveState.STREAMING)
        if isinstance(message, Pace):
            run.wait = message.seconds
        elif isinstance(message, Farewell):
            run.bye, run.wait, run.over = message.reason, message.wait, True
        elif isinstance(message, Notes):
            yield from self._taker.show(message)
        elif isinstance(message, News):
            yield from self._taken(message)
            if run.reach(self._taker.places()):
                self._doubts = 0

    def _taken(self, news: News) -> Iterator[T]:
        """Has a message taken in, if need be after a pull; raises Gap if that did not help."""
        try:
            taken = self._taker.take(news)
        except (Gap, VerificationError):
            yield from self._pulled()
            try:
                taken = self._taker.take(news)
            except VerificationError as error:
                raise _ForGood(error) from None
        yield from taken

    def _pulled(self) -> Iterator[T]:
        try:
            pulled = self._taker.pull()
        except SoporError as error:
            if _may_pass(error):
                raise
            raise _ForGood(error) from None
        yield from pulled

    # ----------------------------------------------------------------------------- how it is told

    def _standing(self, step: Next, happened: Happening) -> Iterator[Live]:
        if isinstance(happened, Offered):
            return
        quiet = isinstance(happened, Ended) and happened.bye is Bye.QUIET
        if isinstance(happened, Polled) or quiet:
            if step.doing is Doing.POLL:
                yield from self._become(LiveState.POLLING, step.wait)
        elif step.wait > 0:
            yield from self._become(LiveState.OFFLINE, step.wait, self._reason)

    def _become(
        self, state: LiveState, every: float | None = None, reason: str | None = None
    ) -> Iterator[Live]:
        if self._live.state is state:
            self._live = replace(self._live, every=every, reason=reason)
            return
        self._live = Live(state, Moment(now()), every, reason)
        yield self._live


def _may_pass(error: SoporError) -> bool:
    """Tells whether an error may be over by itself."""
    if isinstance(error, ServerRefused):
        return error.problem not in _FOR_GOOD
    return isinstance(error, (Weather, Busy))
