"""How the feed goes on: by what happened and by the clock alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sopor.remote.events.plan import (
    FIRST_POLL_SECONDS,
    LONGEST_POLL_SECONDS,
    OFFER_SECONDS,
    STEADY_SECONDS,
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
)
from sopor_core.wire.events import Bye

HALF = 0.5


class Story:
    """A plan that goes on, step by step, with as much luck as is usual."""

    def __init__(self) -> None:
        self.plan = Plan()
        self.now = 1000.0
        self.step = Next(Doing.ASK)

    def then(self, happened: Happening, later: float = 0.0) -> Next:
        self.now += self.step.wait + later
        self.plan, self.step = after(self.plan, happened, self.now, HALF)
        return self.step

    def streaming(self) -> Story:
        assert self.then(Offered(streams=True)) == Next(Doing.STREAM)
        return self


def test_it_streams_where_that_is_offered_and_polls_where_not() -> None:
    assert Story().then(Offered(streams=True)) == Next(Doing.STREAM)
    assert Story().then(Offered(streams=False)) == Next(Doing.POLL)


def test_the_first_break_is_followed_by_a_try_at_once_and_others_by_longer_waits() -> None:
    story = Story().streaming()
    assert story.then(Ended(lived=100, fruitful=True)) == Next(Doing.STREAM)
    waits = [story.then(Ended(lived=0, fruitful=False)).wait for _ in range(12)]
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert waits[-1] == 60
    assert story.then(Ended(lived=STEADY_SECONDS, fruitful=False)) == Next(Doing.STREAM)


def test_a_server_that_takes_connections_and_ends_them_is_not_asked_all_the_time() -> None:
    story = Story().streaming()
    for reason in (Bye.EXPIRED, Bye.RESTART, None, Bye.FORBIDDEN):
        story.then(Ended(lived=0, fruitful=False, bye=reason))
    assert story.step.wait >= 1


def test_what_the_server_asks_to_wait_is_waited() -> None:
    story = Story().streaming()
    assert story.then(Ended(60, fruitful=True, wait=3.0)).wait >= 3
    assert story.then(Failed(wait=120.0)).wait >= 120
    assert story.then(Ended(60, fruitful=True, bye=Bye.RESTART, wait=4.0)).wait >= 4


def test_an_expired_token_is_renewed_at_once() -> None:
    step = Story().streaming().then(Ended(lived=800, fruitful=False, bye=Bye.EXPIRED))
    assert step == Next(Doing.STREAM, renew=True)


def test_a_quiet_server_is_polled_ever_more_rarely_until_there_is_news() -> None:
    story = Story().streaming()
    first = story.then(Ended(lived=120, fruitful=False, bye=Bye.QUIET))
    assert first == Next(Doing.POLL, FIRST_POLL_SECONDS)
    steps = [story.then(Polled(fruitful=False)) for _ in range(12)]
    assert {step.doing for step in steps} == {Doing.POLL}
    waits = [step.wait for step in steps]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_POLL_SECONDS
    assert story.then(Polled(fruitful=True)) == Next(Doing.STREAM)


def test_somebody_who_works_here_ends_the_rest() -> None:
    story = Story().streaming()
    story.then(Ended(lived=120, fruitful=False, bye=Bye.QUIET))
    assert story.then(Woken()) == Next(Doing.STREAM)


def test_polls_go_on_at_once_while_there_is_more() -> None:
    story = Story()
    story.then(Offered(streams=False))
    assert story.then(Polled(fruitful=True, more=True)) == Next(Doing.POLL)
    assert story.then(Polled(fruitful=True)).wait == FIRST_POLL_SECONDS
    assert story.then(Polled(fruitful=False, wait=30.0)) == Next(Doing.POLL, 30.0, least=30.0)


def test_streams_that_a_proxy_keeps_back_are_replaced_by_polls_for_a_while() -> None:
    story = Story().streaming()
    assert story.then(Blocked()) == Next(Doing.POLL)
    polls = 0
    while story.then(Polled(fruitful=True)).doing is Doing.POLL:
        polls += 1
    assert polls > 5
    assert story.step == Next(Doing.STREAM)
    assert story.then(Blocked()) == Next(Doing.POLL)
    more = 0
    while story.then(Polled(fruitful=True)).doing is Doing.POLL:
        more += 1
    assert more > polls


def test_streams_that_cannot_be_opened_while_the_server_answers_are_replaced_by_polls() -> None:
    story = Story().streaming()
    assert story.then(Failed()) == Next(Doing.STREAM)
    assert story.then(Failed()).doing is Doing.ASK
    assert story.then(Offered(streams=True)).doing is Doing.STREAM
    assert story.then(Failed()) == Next(Doing.POLL)


def test_who_is_offline_asks_at_longer_and_longer_intervals() -> None:
    story = Story()
    steps = [story.then(Failed()) for _ in range(12)]
    assert {step.doing for step in steps} == {Doing.ASK}
    assert steps[0].wait == 0
    assert steps[-1].wait == 60


def test_after_an_hour_the_server_is_asked_anew_how_it_tells_events() -> None:
    story = Story().streaming()
    assert story.then(Ended(OFFER_SECONDS, fruitful=True), OFFER_SECONDS + 1).doing is Doing.ASK
    assert story.then(Offered(streams=False)) == Next(Doing.POLL)


_HAPPENINGS = st.one_of(
    st.builds(Offered, st.booleans()),
    st.builds(Failed, st.floats(0, 1000)),
    st.builds(Blocked),
    st.builds(
        Ended,
        st.floats(0, 1000),
        st.booleans(),
        st.none() | st.sampled_from(Bye),
        st.floats(0, 1000),
    ),
    st.builds(Polled, st.booleans(), st.just(False), st.floats(0, 1000)),
    st.builds(Woken),
)


@given(st.lists(st.tuples(_HAPPENINGS, st.floats(0, 1), st.floats(0, 5000)), max_size=60))
def test_whatever_happens_it_goes_on_and_within_reason(
    story: list[tuple[Happening, float, float]],
) -> None:
    plan, now = Plan(), 0.0
    for happened, chance, lasted in story:
        now += lasted
        plan, step = after(plan, happened, now, chance)
        asked = getattr(happened, "wait", 0.0)
        assert 0 <= step.wait <= max(90.0, 1.5 * asked)
        assert plan.doing is step.doing
        assert step.least <= step.wait
        if isinstance(happened, (Failed, Ended)) and plan.doing is not Doing.POLL:
            assert step.wait >= asked


@pytest.mark.parametrize("happened", [Failed(), Ended(0.0, fruitful=False)])
def test_nothing_that_fails_is_tried_without_end_at_once(happened: Happening) -> None:
    story = Story().streaming()
    waited = 0
    for _ in range(20):
        step = story.then(happened)
        waited += step.wait > 0
        if step.doing is Doing.ASK:
            story.then(Offered(streams=True))
    assert waited >= 8
