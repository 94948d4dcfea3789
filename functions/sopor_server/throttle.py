"""Limits how often something may be tried, in the memory of this process.

Every key has a bucket of tokens that refills with time. Nothing is stored elsewhere, so that a
flood costs no storage; several processes each allow their share.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from sopor_core.wire.problems import Code
from sopor_server.errors import Refused

_MOST_KEYS = 50_000


class Throttle:
    """Allows ``burst`` at once and one more every ``seconds`` for each key."""

    def __init__(
        self, burst: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._seconds = seconds
        self._clock = clock
        self._lock = Lock()
        # For each key, when its bucket will be full again; in order of use.
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def check(self, key: str) -> None:
        """Raises Refused (``rate-limited``) with the time to wait; takes nothing."""
        with self._lock:
            wait = self._wait(key, self._clock())
        if wait > 0:
            raise Refused(
                Code.RATE_LIMITED,
                "too many attempts",
                hint=f"wait {math.ceil(wait)} seconds, then try again",
                retry_after=math.ceil(wait),
            )

    def take(self, key: str) -> None:
        """Counts one attempt; raises Refused as `check` does, and then counts nothing."""
        self.check(key)
        with self._lock:
            now = self._clock()
            self._full_at[key] = max(self._full_at.get(key, now), now) + self._seconds
            self._full_at.move_to_end(key)
            while len(self._full_at) > _MOST_KEYS:
                self._full_at.popitem(last=False)

    def _wait(self, key: str, now: float) -> float:
        until_full = max(self._full_at.get(key, now) - now, 0.0)
        return until_full - (self._burst - 1) * self._seconds
