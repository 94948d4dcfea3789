"""When a request is made again: after weather, a few times, each time after a longer pause."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

ATTEMPTS = 6
_FIRST_PAUSE_SECONDS = 0.05


def attempts() -> Iterator[int]:
    """Yields 0, 1, ...: pauses before each but the first, up to 1.6 seconds in the end.

    The pauses are drawn at random, so that those who lost together do not come again together.
    """
    for number in range(ATTEMPTS):
        if number:
            time.sleep(_FIRST_PAUSE_SECONDS * 2 ** (number - 1) * random.uniform(0.5, 1.0))  # noqa: S311
        yield number
