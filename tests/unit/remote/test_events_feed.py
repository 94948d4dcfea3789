"""The feed against a server that is played, by a clock that is played as well."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import TypeVar

import pytest

from sopor.errors import (
    Busy,
    DiskFull,
    ForkError,
    NotFound,
    PermissionDenied,
    RateLimited,
    RollbackError,
    ServerFault,
    ServerRefused,
    ServerUnreachable,
    SessionExpired,
    SoporError,
    VerificationError,
)
from sopor.remote import PullAnswer, ServerAddress
from sopor.remote.events.failures import Gap, NoStream, Silence
from sopor.remote.events.feed import Feed
from sopor.remote.events.live import Live, LiveState
from sopor.remote.events.messages import Beat, Farewell, Message, News, Notes, Pace, PollAnswer
from sopor.remote.events.offer import Offer
from sopor.remote.events.pause import Pause
from sopor.remote.presence import RemoteNote
from sopor_core.errors import Layer
from sopor_core.ids import AccountId, DeviceId, ProjectId
from sopor_core.push_entry import Citation
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.events import Bye, Cursor, Place
from sopor_core.wire.problems import Code

PROJECT = ProjectId(bytes(16))
STREAMS = Offer(polls=True, streams=ServerAddress.parse("http://127.0.0.1:1"))
POLLS = Offer(polls=True, streams=None)
WIRE = VerificationError(Layer.WIRE, "nonsense")

A = TypeVar("A")
Act = Message | SoporError | Callable[[], None]


def news(seq: int) -> News:
    """Says that entry ``seq`` came; a negative one does not verify."""
    head = Citation(abs(seq), EMPTY_LOG.hash)
    return News(PROJECT, PullAnswer(head, EMPTY_LOG, more=False, entries=(b"%d" % seq,)))


@dataclass
class Played(Pause):
    """Waits by letting the clock go on; the luck is as usual. Who is restless is woken often."""

    now: float = 0.0
    restless: bool = False
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def clock(self) -> float:
        return self.now

    def chance(self) -> float:
        return 0.5

    def wait(self, seconds: float) -> bool:
        if self.restless:
            self.now += min(seconds, 0.5)
            return True
        woken = super().wait(0)
        if not woken:
            self.waits.append(seconds)
            self.now += seconds
        return woken


@dataclass
class Log:
    """What a client has verified: numbers up to ``seq``; the server's pull has up to ``theirs``."""

    seq: int = 0
    theirs: int = 0
    pulls: int = 0
    wrong: SoporError | None = None
    busy: SoporError | None = None

    def places(self) -> Cursor:
        return Cursor({PROJECT: Place(self.seq, 1)})

    def take(self, found: News) -> Sequence[int]:
        if self.busy is not None:
            error, self.busy = self.busy, None
            raise error
        (seq,) = map(int, found.answer.entries)
        if seq < 0 and abs(seq) > self.seq:
            raise VerificationError(Layer.SIGNATURE, "forged")
        if seq > self.seq + 1:
            raise Gap
        return self._upto(abs(seq))

    def show(self, notes: Notes) -> Sequence[int]:
        return [-len(notes.notes)]

    def pull(self) -> Sequence[int]:
        self.pulls += 1
        if self.wrong is not None:
            raise self.wrong
        return self._upto(self.theirs)

    def _upto(self, seq: int) -> Sequence[int]:
        before, self.seq = self.seq, max(self.seq, seq)
        return range(before + 1, self.seq + 1)


@dataclass
class Server:
    """Answers by a script; when a script is over, whoever listens closes."""

    log: Log
    offers: deque[Offer | SoporError] = field(default_factory=deque)
    streams: deque[SoporError | Iterator[Act] | list[Act] | None] = field(default_factory=deque)
    polls: deque[PollAnswer | SoporError | None] = field(default_factory=deque)
    asked: list[str] = field(default_factory=list)
    over: Callable[[], None] = lambda: None

    def offer(self) -> Offer:
        self.asked.append("meta")
        return self._next(self.offers, STREAMS) if self.offers else STREAMS

    @contextmanager
    def stream(self, after: Cursor, *, renew: bool = False) -> Iterator[Iterator[Message]]:
        self.asked.append(f"stream {after.places[PROJECT].push}" + " renewed" * renew)
        script = self._next(self.streams, None)
        yield self._acts(script or [])

    def _acts(self, acts: Iterator[Act] | list[Act]) -> Iterator[Message]:
        for act in acts:
            if isinstance(act, SoporError):
                raise act
            if callable(act):
                act()
            else:
                yield act

    def poll(self, after: Cursor, etag: str = "") -> PollAnswer | None:
        self.asked.append(f"poll {after.places[PROJECT].push}" + f" {etag}" * bool(etag))
        return self._next(self.polls, None)

    def _next(self, script: deque[A | SoporError], default: A) -> A:
        if not script:
            self.over()
            return default
        act = script.popleft()
        if isinstance(act, SoporError):
            raise act
        return act

    def close(self) -> None:
        """Does nothing: all is played in one thread."""


@dataclass
class Scene:
    """A feed with all around it, whose iteration ends with a script."""

    log: Log = field(default_factory=Log)
    pause: Played = field(default_factory=Played)

    def __post_init__(self) -> None:
        self.server = Server(self.log)
        self.feed: Feed[int] = Feed(self.server, self.log, self.pause)
        self.server.over = self.feed.close

    def run(self) -> list[int | str]:
        return [event.state.value if isinstance(event, Live) else event for event in self.feed]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_what_streams_is_taken_in_once(scene: Scene) -> None:
    scene.server.streams.append([Beat(), news(1), news(1), news(2), Beat(), news(1), news(3)])
    assert scene.run() == ["streaming", 1, 2, 3]
    assert scene.log.pulls == 0
    assert scene.server.asked[:2] == ["meta", "stream 0"]


def test_who_is_present_is_shown_and_moves_nothing(scene: Scene) -> None:
    note = RemoteNote(AccountId(bytes(16)), DeviceId(bytes(16)), b"sealed")
    scene.server.streams.append([news(1), Notes(PROJECT, (note,)), Notes(PROJECT, ()), news(2)])
    assert scene.run() == ["streaming", 1, -1, 0, 2]
    assert scene.log.pulls == 0


def test_it_goes_on_where_it_has_verified(scene: Scene) -> None:
    scene.server.streams += [
        [news(1), news(2), ServerUnreachable("cut")],
        [news(2), news(3)],
        [news(4)],
    ]
    assert scene.run() == ["streaming", 1, 2, 3, 4]
    assert scene.server.asked == ["meta", "stream 0", "stream 2", "stream 3", "stream 4"]
    assert scene.pause.waits == []


def test_a_gap_is_pulled(scene: Scene) -> None:
    scene.log.theirs = 5
    scene.server.streams.append([news(1), news(5), news(6)])
    assert scene.run() == ["streaming", 1, 2, 3, 4, 5, 6]
    assert scene.log.pulls == 1


def test_a_gap_that_no_pull_fills_begins_anew(scene: Scene) -> None:
    scene.server.streams += [[news(5)], [news(5)], [news(1)]]
    assert scene.run() == ["streaming", "offline", "streaming", 1]
    assert scene.log.pulls == 2
    assert scene.server.asked.count("stream 0") == 3


def test_what_does_not_verify_is_pulled_and_the_pull_tells_the_true_error(scene: Scene) -> None:
    scene.log.wrong = RollbackError("older")
    scene.server.streams.append([news(-1)])
    with pytest.raises(RollbackError, match="older"):
        scene.run()


def test_what_a_pull_does_not_confirm_is_an_error_for_good(scene: Scene) -> None:
    scene.server.streams.append([news(-1)])
    with pytest.raises(VerificationError, match="forged"):
        scene.run()
    assert scene.log.pulls == 1


def test_what_a_pull_brought_right_is_no_error(scene: Scene) -> None:
    scene.log.theirs = 1
    scene.server.streams.append([news(-1), news(2)])
    assert scene.run() == ["streaming", 1, 2]


@pytest.mark.parametrize("bye", [Bye.REVOKED, Bye.FORBIDDEN, Bye.LOG_SHORTER])
@pytest.mark.parametrize(
    "error",
    [
        SessionExpired("revoked"),
        PermissionDenied("no role"),
        NotFound("no such project"),
        RollbackError("shorter"),
        ForkError("other"),
        ServerRefused("gone", problem=Code.PROJECT_DELETED),
        ServerRefused("gone", problem=Code.ORGANIZATION_DELETED),
    ],
)
def test_a_farewell_for_good_is_believed_when_a_pull_says_so(
    scene: Scene, bye: Bye, error: SoporError
) -> None:
    scene.log.wrong = error
    scene.server.streams.append([Farewell(bye, 0)])
    with pytest.raises(type(error), match=error.message):
        scene.run()
    assert scene.log.pulls == 1


@pytest.mark.parametrize("bye", [Bye.REVOKED, Bye.FORBIDDEN, Bye.LOG_SHORTER])
def test_a_farewell_that_no_pull_confirms_is_a_break(scene: Scene, bye: Bye) -> None:
    scene.server.streams += [[news(1), Farewell(bye, 0)], [news(2)]]
    assert scene.run() == ["streaming", 1, 2]


def test_an_expired_token_is_renewed(scene: Scene) -> None:
    scene.server.streams += [[Pace(9), news(1), Farewell(Bye.EXPIRED, 0)], [news(2)]]
    assert scene.run() == ["streaming", 1, 2]
    assert scene.server.asked[2] == "stream 1 renewed"
    assert scene.pause.waits == []


def test_a_restart_is_waited_for(scene: Scene) -> None:
    scene.server.streams += [[news(1), Farewell(Bye.RESTART, 4)], [news(2)]]
    found = [event for event in scene.feed if isinstance(event, Live)]
    offline = next(live for live in found if live.state is LiveState.OFFLINE)
    assert offline.reason == "the server restarts"
    assert scene.pause.waits[0] >= 4


def test_the_pace_of_a_server_is_kept(scene: Scene) -> None:
    scene.server.streams += [[Pace(3), news(1)], [news(2)]]
    assert scene.run() == ["streaming", 1, "offline", "streaming", 2]
    assert scene.pause.waits[0] >= 3


def test_a_quiet_server_is_polled_until_there_is_news(scene: Scene) -> None:
    scene.server.streams += [[news(1), Farewell(Bye.QUIET, 0)], [news(3)]]
    scene.server.polls += [
        PollAnswer(wait=5, etag='"a"'),
        None,
        None,
        PollAnswer((news(2),), wait=5, etag='"b"'),
    ]
    assert scene.run() == ["streaming", 1, "polling", 2, "streaming", 3]
    assert scene.server.asked[2:7] == [
        "poll 1",
        'poll 1 "a"',
        'poll 1 "a"',
        'poll 1 "a"',
        "stream 2",
    ]


def test_somebody_who_works_here_ends_the_rest(scene: Scene) -> None:
    scene.server.streams += [[news(1), Farewell(Bye.QUIET, 0)], [news(2)]]
    events = iter(scene.feed)
    assert [event for event in islice(events, 3) if isinstance(event, int)] == [1]
    scene.feed.wake()
    assert list(events)[1:] == [2]
    assert scene.server.asked[:3] == ["meta", "stream 0", "stream 1"]


@pytest.mark.parametrize(("asked", "waited"), [(None, 0.5 + 1 + 2 + 4 + 7 * 5), (33.0, 12 * 33)])
def test_somebody_who_works_here_shortens_waiting_but_for_what_the_server_asks(
    scene: Scene, asked: float | None, waited: float
) -> None:
    scene.pause.restless = True
    scene.server.offers.extend([ServerFault("x", retry_after=asked)] * 12)
    scene.server.streams.append([news(1)])
    assert scene.run() == ["offline", "streaming", 1]
    assert scene.pause.now == waited


def test_where_no_streams_are_offered_it_polls(scene: Scene) -> None:
    scene.server.offers.append(POLLS)
    scene.server.polls += [
        PollAnswer((news(1), news(2)), more=True),
        PollAnswer((news(3),), wait=7),
        PollAnswer(wait=7),
    ]
    assert scene.run() == [1, 2, "polling", 3] or scene.log.seq == 3
    assert not any(asked.startswith("stream") for asked in scene.server.asked)
    assert all(wait >= 5 for wait in scene.pause.waits)


def test_a_server_that_repeats_itself_in_polls_is_not_asked_all_the_time(scene: Scene) -> None:
    scene.log.seq = 1
    scene.server.offers.append(POLLS)
    scene.server.polls.extend([PollAnswer((news(1),), more=True)] * 20)
    scene.run()
    assert len(scene.pause.waits) >= 20


def test_a_stream_that_repeats_itself_is_begun_anew(scene: Scene) -> None:
    scene.server.streams += [repeat(news(0)), repeat(news(0)), [news(1)]]
    assert scene.run() == ["streaming", "offline", "streaming", 1]


@pytest.mark.parametrize(
    ("blocked", "tries"), [([Silence("nothing")], 1), ([NoStream("a login page")] * 3, 3)]
)
def test_streams_that_are_kept_back_are_replaced_by_polls(
    scene: Scene, blocked: list[SoporError], tries: int
) -> None:
    scene.server.streams += [*blocked, [news(3)]]
    scene.server.polls += [PollAnswer((news(1),)), PollAnswer((news(2),)), *[None] * 9]
    assert [event for event in scene.run() if event != "offline"][:3] == [1, "polling", 2]
    before = scene.server.asked[: scene.server.asked.index("poll 0")]
    assert before.count("stream 0") == tries


def test_a_stream_that_falls_silent_is_a_break(scene: Scene) -> None:
    scene.server.streams += [[news(1), Silence("nothing")], [news(2)]]
    assert scene.run() == ["streaming", 1, 2]


def test_offline_is_told_with_its_reason(scene: Scene) -> None:
    scene.server.offers.extend([ServerUnreachable("no network")] * 5)
    scene.server.streams.append([news(1)])
    found = [event for event in scene.feed if isinstance(event, Live)]
    assert [live.state.value for live in found] == ["offline", "streaming"]
    assert found[0].reason == "no network"
    assert found[0].every == scene.pause.waits[0]


@pytest.mark.parametrize("error", [RateLimited("slow", retry_after=77), ServerFault("x")])
def test_what_a_server_wants_to_wait_is_waited(scene: Scene, error: RateLimited) -> None:
    scene.server.streams += [error, error, [news(1)]]
    assert scene.run()[-1] == 1
    wanted = error.retry_after or 0
    assert all(wait >= wanted for wait in scene.pause.waits[: 2 if wanted else 1])


@pytest.mark.parametrize(
    "error",
    [
        ServerRefused("a login page"),
        NotFound("no such page"),
        PermissionDenied("a proxy says so"),
        Busy("another process"),
    ],
)
def test_what_no_pull_confirms_is_waited_for(scene: Scene, error: SoporError) -> None:
    scene.server.streams += [error, [news(1)]]
    assert scene.run()[-1] == 1


@pytest.mark.parametrize(
    ("error", "pulls"),
    [(SessionExpired("over"), 0), (DiskFull("full"), 0)],
)
def test_what_needs_no_question_is_raised(scene: Scene, error: SoporError, pulls: int) -> None:
    scene.server.streams.append(error)
    with pytest.raises(type(error)):
        scene.run()
    assert scene.log.pulls == pulls


def test_a_refusal_is_what_a_pull_says_it_is(scene: Scene) -> None:
    scene.log.wrong = PermissionDenied("no access any more")
    scene.server.streams.append(NotFound("no such project"))
    with pytest.raises(PermissionDenied, match="any more"):
        scene.run()


def test_a_pull_that_fails_is_tried_again(scene: Scene) -> None:
    scene.log.wrong = ServerUnreachable("no network")
    scene.server.streams += [
        [Farewell(Bye.FORBIDDEN, 0)],
        ServerRefused("odd"),
        [news(1), lambda: setattr(scene.log, "wrong", None), news(5)],
        [news(2)],
    ]
    assert scene.run()[-2:] == [1, 2] or scene.log.seq == 2
    assert scene.log.pulls >= 3


def test_a_busy_working_copy_is_come_back_to(scene: Scene) -> None:
    scene.log.busy = Busy("another process")
    scene.server.streams += [[news(1)], [news(1)]]
    assert scene.run() == ["streaming", 1]


def test_nonsense_is_pulled_and_given_up_at_the_third_time(scene: Scene) -> None:
    scene.server.streams += [[Beat(), WIRE], [Beat(), WIRE], [Beat(), WIRE], [news(1)]]
    with pytest.raises(VerificationError, match="nonsense"):
        scene.run()
    assert scene.log.pulls == 3


def test_nonsense_now_and_then_is_outlived(scene: Scene) -> None:
    for seq in range(1, 8):
        scene.server.streams.append([news(seq), WIRE])
    assert scene.run()[-1] == 7


def test_closing_ends_it_wherever_it_is(scene: Scene) -> None:
    scene.server.streams.append([news(1), scene.feed.close, news(2)])
    events = scene.run()
    assert events[:2] == ["streaming", 1]
    assert scene.server.asked == ["meta", "stream 0"]
    assert scene.run() == []


def test_an_error_of_closing_is_none(scene: Scene) -> None:
    scene.server.streams.append([news(1), scene.feed.close, ServerUnreachable("cut")])
    assert scene.run() == ["streaming", 1]
