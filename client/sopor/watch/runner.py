"""Runs a watch: threads notice what happens, one loop acts on it.

The loop alone acts on files and branches. Between its steps nothing is locked, so that other
commands work as always.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from sopor.errors import DiskFull, SoporError, StateConflict
from sopor.moments import Moment, now
from sopor.remote.events.live import Live, LiveState
from sopor.repository.results import WatchStatus
from sopor.repository.watch_state import watching, write_watch
from sopor.watch.actions import Actions
from sopor.watch.announcing import Announcer
from sopor.watch.files import has_watchfiles, watch_files
from sopor.watch.following import Follower
from sopor.watch.plan import Doing, Merging, Options, Plan
from sopor.watch.reports import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sopor.repository import Repository

Tell: TypeAlias = Callable[[Report], None]
_TICK_SECONDS = 1.0
"""How often is looked whether another command changed what is stored."""
_FAREWELL_SECONDS = 10.0
_PROBLEMS = frozenset({"waiting", "secrets", "conflicts", "error"})


class Watch:
    """A watch of one working copy; `run` it in the thread that opened the repository."""

    def __init__(
        self,
        repository: Repository,
        opened: Callable[[], Repository],
        options: Options,
        tell: Tell = lambda _report: None,
    ) -> None:
        """Prepares it.

        Args:
            repository: the working copy.
            opened: opens it once more, for a thread of its own.
            options: how to behave.
            tell: is told what happens.
        """
        self._repository = repository
        self._folder = repository.context.store.folder
        self._tell = tell
        self._plan = Plan(options)
        self._actions = Actions(repository, self._plan)
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._stop = Event()
        self._error: BaseException | None = None
        self._problem: Report | None = None
        self._version = 0
        self._follower = Follower(
            opened,
            lambda: self._inbox.put(self._plan.news),
            lambda live: self._inbox.put(lambda: self._take_live(live)),
            lambda error: self._inbox.put(lambda: self._fail(error)),
        )
        self._announcer = Announcer(
            opened, lambda report: self._inbox.put(lambda: self._report(report))
        )
        started = Moment(now())
        self._status = WatchStatus(
            alive=True,
            pid=os.getpid(),
            started=started,
            auto=options.auto,
            files="watchfiles" if has_watchfiles() else "polling",
            state=LiveState.CONNECTING.value,
            since=started,
            every=None,
            reason=None,
            last_event=None,
            last_event_time=None,
            last_push=None,
            waiting=(),
            problem=None,
            error=None,
        )

    def stop(self) -> None:
        """Ends `run` after the step that it is at; for signal handlers and other threads."""
        self._stop.set()
        self._inbox.put(lambda: None)

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end."""
        return self._stop.is_set()

    def run(self) -> None:
        """Watches until `stop`.

        Raises:
            StateConflict: another watch runs, or the project is on no server yet.
            SoporError: something that waiting does not help against, such as a revoked device.
        """
        context = self._repository.context
        if context.org is None:
            raise StateConflict(
                "the project is on no server yet", hint="publish it with `sopor push`"
            )
        _ = context.keys  # asks for the password now, if one is needed
        with watching(self._folder):
            write_watch(self._folder, self._status)
            self._report(self._beginning())
            try:
                with self._threads():
                    self._loop()
                if self._error is not None:
                    raise self._error
            except SoporError as error:
                self._keep(replace(self._status, error=error.message))
                raise
            except KeyboardInterrupt:
                write_watch(self._folder, None)
                raise
            self._report(Report("stopped", "Stopped"))
            write_watch(self._folder, None)

    def _beginning(self) -> Report:
        branch = self._repository.context.store.refs.current
        does = "commits and pushes edits" if self._plan.options.auto else "pulls only"
        text = f"Watching {self._repository.root} on branch {branch}; {does}"
        status = self._status
        about = {"pid": status.pid, "auto": status.auto, "files": status.files, "branch": branch}
        return Report("started", text, {**about, "root": str(self._repository.root)})

    @contextmanager
    def _threads(self) -> Iterator[None]:
        def files_changed() -> None:
            self._inbox.put(lambda: self._plan.files_changed(monotonic()))

        root = self._repository.root.resolve()
        threads = [
            Thread(target=self._follower.run, name="follow", daemon=True),
            Thread(
                target=watch_files,
                args=(root, files_changed, self._stop),
                name="files",
                daemon=True,
            ),
            Thread(target=self._announcer.run, name="presence", daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._follower.close()
            self._announcer.close()
            for thread in threads:
                thread.join(_FAREWELL_SECONDS)

    def _loop(self) -> None:
        self._version = self._data_version()
        self._plan.merging = self._actions.merging()
        for report in self._actions.under_way():
            self._take(report)
        while not self._stop.is_set():
            self._notice_commands()
            step = self._plan.next(monotonic())
            if step.doing is Doing.WAIT:
                self._wait(step.until)
                continue
            for report in self._actions.do(step.doing, monotonic()):
                self._take(report)
            if step.doing in {Doing.COMMIT, Doing.PUSH}:
                self._follower.wake()
            self._note_progress()

    def _wait(self, until: float | None) -> None:
        """Waits for what happens next, and takes all of it that is there."""
        left = _TICK_SECONDS if until is None else min(_TICK_SECONDS, until - monotonic())
        with suppress(Empty):
            self._inbox.get(timeout=max(left, 0.0))()
            while True:
                self._inbox.get_nowait()()

    # ------------------------------------------------------------------------------- what happened

    def _notice_commands(self) -> None:
        version = self._data_version()
        if version != self._version:
            self._version = version
            self._announcer.wake()
            self._plan.store_changed(monotonic(), self._actions.merging())

    def _data_version(self) -> int:
        """Returns a number that changes when another connection changes the store."""
        with self._repository.context.store.database.reading() as connection:
            (version,) = connection.execute("PRAGMA data_version").fetchone()
        return int(version)

    def _take_live(self, live: Live) -> None:
        if live.state is not LiveState.OFFLINE:
            self._plan.online()
        self._status = replace(
            self._status,
            state=live.state.value,
            since=live.since,
            every=live.every,
            reason=live.reason,
        )
        words = {
            LiveState.STREAMING: "Connected",
            LiveState.POLLING: "Asking the server now and then",
            LiveState.OFFLINE: f"Offline: {live.reason}",
            LiveState.CONNECTING: "Connecting",
        }
        about = {"state": live.state.value, "every": live.every, "reason": live.reason}
        self._report(Report("live", words[live.state], about))

    def _fail(self, error: BaseException) -> None:
        self._error = error
        self._stop.set()

    # ------------------------------------------------------------------------------ what is told

    def _take(self, report: Report) -> None:
        if report.event in _PROBLEMS:
            if report == self._problem:
                return
            self._problem = report
        self._report(report)

    def _note_progress(self) -> None:
        """Forgets the problem once nothing waits any more."""
        plan = self._plan
        waits = plan.held or plan.refused or plan.merging is not Merging.NO
        if self._problem is not None and not waits and self._problem.event != "error":
            self._problem = None
            self._keep(replace(self._status, waiting=(), problem=None))

    def _report(self, report: Report) -> None:
        moment = Moment(now())
        status = replace(self._status, last_event=report.text, last_event_time=moment)
        if report.event == "pushed":
            status = replace(status, last_push=moment)
            self._problem = None if _is_error(self._problem) else self._problem
        problem = self._problem
        documents = problem.details.get("documents", ()) if problem else ()
        waiting = tuple(map(str, documents)) if isinstance(documents, list | tuple) else ()
        self._keep(replace(status, waiting=waiting, problem=problem.text if problem else None))
        self._tell(report)

    def _keep(self, status: WatchStatus) -> None:
        self._status = status
        with suppress(DiskFull):  # what matters will meet the same and say so
            write_watch(self._folder, status)


def _is_error(report: Report | None) -> bool:
    return report is not None and report.event == "error"
