"""Follows topics as who serves streams does, and tells what was signalled.

    with Listener(opener) as listener:
        listener.follow(topic)
        push(...)
        listener.wait_until(topic, lambda: store.project(id).head == entry.citation)

Nothing is asserted about time: a wait ends when what it waits for is there, and fails after a
minute.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Self

from sopor_server.ports.signals import Signals, Topic, Wake

SignalsOpener = Callable[[Wake], Signals]
_LONGEST_SECONDS = 60


class Listener:
    """Counts the signals of each topic."""

    def __init__(self, open_signals: SignalsOpener) -> None:
        self._told = threading.Condition()
        self._counts: Counter[Topic] = Counter()
        self.signals = open_signals(self._wake)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.signals.close()

    def follow(self, *topics: Topic) -> None:
        """Follows topics."""
        for topic in topics:
            self.signals.follow(topic)

    def count(self, topic: Topic) -> int:
        """Returns how often a topic was signalled so far."""
        with self._told:
            return self._counts[topic]

    def wait_for(self, topic: Topic, more_than: int = 0) -> int:
        """Waits until a topic was signalled more often than this; returns how often."""
        with self._told:
            came = self._told.wait_for(lambda: self._counts[topic] > more_than, _LONGEST_SECONDS)
            assert came, f"no signal of {topic} came after {more_than}"
            return self._counts[topic]

    def wait_until(self, topic: Topic, look: Callable[[], bool], seen: int = 0) -> None:
        """Looks after every signal that comes after the first ``seen``, until that shows it."""
        while True:
            seen = self.wait_for(topic, seen)
            if look():
                return

    def _wake(self, topic: Topic) -> None:
        with self._told:
            self._counts[topic] += 1
            self._told.notify_all()
