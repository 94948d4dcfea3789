"""Waiting that another thread can end, and the clock that it goes by."""

from __future__ import annotations

import random
import time
from threading import Condition


class Pause:
    """Waits on behalf of one thread; all methods but `wait` are for any thread."""

    def __init__(self) -> None:
        """Begins neither woken nor closed."""
        self._changed = Condition()
        self._woken = False
        self._closed = False

    def is_closed(self) -> bool:
        """Tells whether it is over."""
        return self._closed

    def clock(self) -> float:
        """Returns seconds that only grow."""
        return time.monotonic()

    def chance(self) -> float:
        """Returns a random number from 0 to 1."""
        return random.random()  # noqa: S311 (not for secrets)

    def wait(self, seconds: float) -> bool:
        """Waits; returns whether it was woken meanwhile. Does not wait once it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._woken or self._closed, seconds)
            woken, self._woken = self._woken, False
        return woken

    def wake(self) -> None:
        """Ends the wait under way, or the next one."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def close(self) -> None:
        """Ends all waiting."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
