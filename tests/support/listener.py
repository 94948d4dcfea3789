"""Somebody who listens to a project's events, in a thread with a repository of its own.

with Listener(desktop, "petstore") as listener:
    listener.until(LiveState.STREAMING)
    laptop.push()
    assert listener.next(Pushed).seq == 2
"""

from __future__ import annotations

from queue import Queue
from threading import Thread
from types import TracebackType
from typing import Self, TypeVar

from sopor.errors import SoporError
from sopor.repository.events import Event, Events, Live, LiveState
from tests.support.world import Device

_PATIENCE = 60.0
E = TypeVar("E")


class Listener:
    """Collects events until it is closed or they end with an error."""

    def __init__(self, device: Device, name: str, *, presence: bool = False) -> None:
        self._device = device
        self._name = name
        self._presence = presence
        self._queue: Queue[Event | Events | BaseException | None] = Queue()
        self._thread = Thread(target=self._run)
        self.passed: list[Event] = []

    def _run(self) -> None:
        try:
            with self._device.open(self._name) as repository:
                self._listen(repository.events(presence=self._presence))
        except Exception as error:  # noqa: BLE001 - the test is told
            self._queue.put(error)
        else:
            self._queue.put(None)

    def _listen(self, events: Events) -> None:
        with events:
            self._queue.put(events)
            for event in events:
                self._queue.put(event)

    def __enter__(self) -> Self:
        self._thread.start()
        found = self._queue.get(timeout=_PATIENCE)
        assert isinstance(found, Events), found
        self.events = found
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.events.close()
        self._thread.join(_PATIENCE)
        assert not self._thread.is_alive()

    def next(self, kind: type[E]) -> E:
        """Returns the next event of a kind; those before it are in `passed`."""
        while not isinstance(event := self._get(), kind):
            pass
        return event

    def until(self, state: LiveState) -> Live:
        """Waits until the feed stands so."""
        while (live := self.next(Live)).state is not state:
            pass
        return live

    def _get(self) -> Event:
        found = self._queue.get(timeout=_PATIENCE)
        if isinstance(found, BaseException):
            raise found
        assert found is not None, "the events ended"
        assert not isinstance(found, Events)
        self.passed.append(found)
        return found

    def error(self) -> SoporError:
        """Waits for the error that ends it."""
        while True:
            found = self._queue.get(timeout=_PATIENCE)
            if isinstance(found, SoporError):
                return found
            assert not isinstance(found, BaseException), found
            assert found is not None, "the events ended without an error"

    def ended(self) -> list[Event]:
        """Closes it, and returns what was told and not read so far."""
        self.events.close()
        self._thread.join(_PATIENCE)
        left: list[Event] = []
        while not isinstance(
            found := self._queue.get(timeout=_PATIENCE), (BaseException, type(None))
        ):
            assert not isinstance(found, Events)
            left.append(found)
        assert found is None, found
        return left
