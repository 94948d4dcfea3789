"""Follows what others push, in a thread and with a connection to the store of its own."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from sopor.keystore.passwords import PasswordRequest, PasswordSource
from sopor.repository import Repository
from sopor.repository.events import Events, Live


class Follower:
    """Receives and verifies what comes, and says so."""

    def __init__(
        self,
        opened: Callable[[], Repository],
        news: Callable[[], None],
        live: Callable[[Live], None],
        ended: Callable[[BaseException], None],
    ) -> None:
        """Takes what opens the working copy once more, and whom to tell."""
        self._opened = opened
        self._news = news
        self._live = live
        self._ended = ended
        self._lock = Lock()
        self._events: Events | None = None
        self._closed = False

    def run(self) -> None:
        """Follows until `close`; for a thread."""
        try:
            with self._opened() as repository, repository.events() as events:
                with self._lock:
                    self._events = events
                    if self._closed:
                        return
                for event in events:
                    if isinstance(event, Live):
                        self._live(event)
                    else:
                        self._news()
        except BaseException as error:  # noqa: BLE001 (the thread's end is the watch's)
            self._ended(error)
        finally:
            with self._lock:
                self._events = None

    def wake(self) -> None:
        """Tells that somebody works here, so that a feed that rests listens closely again."""
        with self._lock:
            if self._events is not None:
                self._events.wake()

    def close(self) -> None:
        """Ends it; for any thread."""
        with self._lock:
            self._closed = True
            if self._events is not None:
                self._events.close()


class Remembering:
    """Asks for each password once: the second connection needs it as well."""

    def __init__(self, source: PasswordSource) -> None:
        """Takes who is asked."""
        self._source = source
        self._known: dict[PasswordRequest, str] = {}

    def password(self, request: PasswordRequest) -> str:
        """Returns the password; raises as the source does."""
        if request not in self._known:
            self._known[request] = self._source.password(request)
        return self._known[request]
