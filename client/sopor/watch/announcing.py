"""Tells the other members on which branch this device works, while a watch runs and is asked to.

In a thread and with a connection to the store of its own: whatever it meets, the watch goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Event
from time import monotonic

from sopor.errors import SoporError, Weather
from sopor.repository import Repository
from sopor.repository.presence import Teller, is_told
from sopor.watch.reports import Report

TELL_SECONDS = 60.0
"""A note lasts for 120 seconds."""


class Announcer:
    """Tells the branch once a minute and when it changes, and takes it back at the end."""

    def __init__(self, opened: Callable[[], Repository], report: Callable[[Report], None]) -> None:
        """Takes what opens the working copy once more, and whom to tell what happens."""
        self._opened = opened
        self._report = report
        self._woken = Event()
        self._closed = False
        self._teller: Teller | None = None
        self._shown: Report | None = None
        self._due = 0.0

    def run(self) -> None:
        """Tells until `close`; for a thread."""
        # What is wrong with the working copy, the rest of the watch meets as well, and says so.
        with suppress(SoporError), self._opened() as repository:
            while not self._closed:
                self._look(repository)
                self._woken.wait(max(self._due - monotonic(), 0.0))
                self._woken.clear()
            self._end()

    def wake(self) -> None:
        """Says that branch or settings may have changed; for any thread."""
        self._woken.set()

    def close(self) -> None:
        """Ends it; for any thread."""
        self._closed = True
        self._woken.set()

    def _look(self, repository: Repository) -> None:
        context = repository.context
        if not is_told(context):
            self._end()
            self._due = monotonic() + TELL_SECONDS
            return
        self._teller = self._teller or Teller(context)
        if self._teller.branch != context.store.refs.current or monotonic() >= self._due:
            self._due = monotonic() + TELL_SECONDS
            self._tell(self._teller, context.store.refs.current)

    def _tell(self, teller: Teller, branch: str) -> None:
        try:
            teller.tell(branch)
        except Weather:
            return  # the feed of events tells about that
        except SoporError as error:
            self._show(_not_told(error))
        else:
            text = f"Telling the others that you are on {branch}"
            self._show(Report("presence", text, {"told": True, "branch": branch}))

    def _end(self) -> None:
        if self._teller is not None and self._teller.branch is not None:
            with suppress(SoporError):
                self._teller.end()
            self._show(Report("presence", "Telling nobody where you are", {"told": False}))

    def _show(self, report: Report) -> None:
        if report != self._shown:
            self._shown = report
            self._report(report)


def _not_told(error: SoporError) -> Report:
    details = {"told": False, "error": error.code, "message": error.message}
    return Report("presence", f"The others are not told where you are: {error.message}", details)
