"""The signals port on SQLite: one thread looks whether the file was changed, by any process.

``PRAGMA data_version`` tells that at the price of a look into shared memory. Only where it did are
the numbers of what is followed read, all as of one moment.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path
from threading import Condition, Thread, current_thread

from sopor_server.adapters.sqlite.connections import Connections
from sopor_server.ports.errors import StoreError
from sopor_server.ports.signals import Topic, TopicKind, Wake

_LOOK_SECONDS = 0.02
_RETRY_SECONDS = 0.5
_IDS_A_QUERY = 500
_QUERIES = {
    TopicKind.DEVICE: "SELECT device, revoked FROM devices WHERE device IN ({})",
    TopicKind.ORGANIZATION: "SELECT org, seq FROM organizations WHERE org IN ({})",
    TopicKind.PROJECT: "SELECT project, seq FROM projects WHERE project IN ({})",
    TopicKind.PRESENCE: "SELECT project, count(*) || ' ' || max(number) FROM presence"
    " WHERE project IN ({}) GROUP BY project",
}
"""In the order of signals: who is told of a push has been told before of what forbids it."""
_UNKNOWN = object()
_log = logging.getLogger(__name__)


class SqliteSignals:
    """Implements `sopor_server.ports.signals.Signals`; docstrings there are the contract.

    What is followed anew is signalled once in any case: it may have changed while it began.
    """

    def __init__(self, path: Path, wake: Wake) -> None:
        """Takes the database file. Does nothing before something is followed."""
        self._connections = Connections(path)
        self._wake = wake
        self._changed = Condition()
        self._seen: dict[Topic, object] = {}
        self._fresh = False
        self._closed = False
        self._thread: Thread | None = None

    def follow(self, topic: Topic) -> None:  # noqa: D102
        with self._changed:
            if self._closed or topic in self._seen:
                return
            self._seen[topic] = _UNKNOWN
            self._fresh = True
            if self._thread is None:
                self._thread = Thread(target=self._run, name="signals", daemon=True)
                self._thread.start()
            self._changed.notify()

    def unfollow(self, topic: Topic) -> None:  # noqa: D102
        with self._changed:
            self._seen.pop(topic, None)

    def close(self) -> None:  # noqa: D102
        with self._changed:
            self._closed = True
            self._seen.clear()
            self._changed.notify()
        if self._thread is not None and self._thread is not current_thread():
            self._thread.join()

    def _run(self) -> None:
        while not self._closed:
            try:
                with closing(self._connections.own()) as db:
                    self._watch(db)
            except (sqlite3.Error, StoreError) as error:
                _log.warning("signals are interrupted: %s", type(error).__name__)
                with self._changed:
                    self._seen = dict.fromkeys(self._seen, _UNKNOWN)
                    self._changed.wait_for(lambda: self._closed, _RETRY_SECONDS)

    def _watch(self, db: sqlite3.Connection) -> None:
        version = None
        while self._wait():
            (found,) = db.execute("PRAGMA data_version").fetchone()
            if found != version or self._fresh:
                version, self._fresh = found, False
                self._compare(db)

    def _wait(self) -> bool:
        """Returns after a moment, at once if something is followed anew; False at the end."""
        with self._changed:
            if not self._fresh:
                self._changed.wait_for(lambda: self._closed or self._fresh, _LOOK_SECONDS)
            self._changed.wait_for(lambda: self._closed or self._seen)
            return not self._closed

    def _compare(self, db: sqlite3.Connection) -> None:
        with self._changed:
            topics = list(self._seen)
        for topic, value in _values(db, topics).items():
            with self._changed:
                moved = self._seen.get(topic, value) != value
                if moved:
                    self._seen[topic] = value
            if moved and not self._closed:
                self._wake(topic)


def _values(db: sqlite3.Connection, topics: Collection[Topic]) -> Mapping[Topic, object]:
    """Returns what tells a change of each topic, None of one that is not there."""
    found: dict[Topic, object] = {}
    db.execute("BEGIN")
    try:
        for kind, query in _QUERIES.items():
            ids = [topic.id for topic in topics if topic.kind is kind]
            found |= dict.fromkeys((Topic(kind, id_) for id_ in ids), None)
            for start in range(0, len(ids), _IDS_A_QUERY):
                some = ids[start : start + _IDS_A_QUERY]
                rows = db.execute(query.format(",".join("?" * len(some))), some)
                found |= {Topic(kind, id_): value for id_, value in rows}
    finally:
        db.execute("COMMIT")
    return found
