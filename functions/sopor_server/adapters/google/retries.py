"""When a request is made again: after weather, a few times, each time after a longer pause."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping

from sopor_server.adapters.google.transport import Answer, Transport, Unanswered
from sopor_server.ports.errors import StoreUnavailable

ATTEMPTS = 6
_FIRST_PAUSE_SECONDS = 0.05
_WEATHER = frozenset({408, 429, 500, 502, 503, 504})


def attempts() -> Iterator[int]:
    """Yields 0, 1, ...: pauses before each but the first, up to 1.6 seconds in the end.

    The pauses are drawn at random, so that those who lost together do not come again together.
    """
    for number in range(ATTEMPTS):
        if number:
            time.sleep(_FIRST_PAUSE_SECONDS * 2 ** (number - 1) * random.uniform(0.5, 1.0))  # noqa: S311
        yield number


def is_weather(answer: Answer) -> bool:
    """Tells whether the same request may succeed later."""
    return answer.status in _WEATHER


def send_until_answered(
    transport: Transport,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    seconds: float,
    *,
    weather: Callable[[Answer], bool] = is_weather,
    noticed: Callable[[], None] = lambda: None,
) -> Answer:
    """Makes a request that may be carried out more than once; returns the answer that is final.

    ``weather`` tells which answers are not final, ``noticed`` is called when an attempt
    may have been carried out without an answer.

    Raises:
        StoreUnavailable: no attempt had an answer that is final.
    """
    reason = ""
    for _ in attempts():
        try:
            answer = transport.send(method, url, headers, body, seconds)
        except Unanswered as error:
            reason = str(error)
        else:
            if not weather(answer):
                return answer
            reason = f"status {answer.status}"
        noticed()
    raise StoreUnavailable(f"Google Cloud does not answer: {reason}")
