"""Signals of changes from Firestore: one stream of its Listen call follows up to 100 documents.

Each topic is one document, and each followed document one *target* of a stream: topics come and go
while the stream stays. A target is followed from the moment that the server calls it current; that
moment is signalled, and every change after it. So whatever was committed before is read by who gets
the first signal, and after a break, when all targets are added anew, the first signals tell of what
happened meanwhile.

Firestore names no limit of the targets of a stream and advises against more than 100 listeners of a
client; a connection carries 100 streams.

Sources: https://cloud.google.com/firestore/docs/reference/rpc/google.firestore.v1 (Listen),
https://firebase.google.com/docs/firestore/best-practices
"""

from __future__ import annotations

from collections import Counter
from threading import Lock

from sopor_core.ids import DeviceId, OrgId, ProjectId
from sopor_server.adapters.firestore.accounts import device_path
from sopor_server.adapters.firestore.connection import Connection
from sopor_server.adapters.firestore.listening import Line
from sopor_server.adapters.firestore.organizations import (
    organization_path,
    presence_path,
    project_path,
)
from sopor_server.ports.signals import Topic, TopicKind, Wake

TOPICS_A_LINE = 100
_LINES_A_CONNECTION = 50


class FirestoreSignals:
    """Implements `sopor_server.ports.signals.Signals`; docstrings there are the contract.

    Nothing is opened before the first topic is followed, so that it may be made before a fork.
    """

    def __init__(self, project: str, database: str, emulator: str | None, wake: Wake) -> None:
        """Takes the ids of Google Cloud's project and of the database, and whom to wake."""
        self._database = f"projects/{project}/databases/{database}"
        self._emulator = emulator
        self._wake = wake
        self._lock = Lock()
        self._closed = False
        self._lines: dict[Topic, Line] = {}
        self._running: set[Line] = set()
        self._ending: set[Line] = set()
        self._connections: list[Connection] = []

    def follow(self, topic: Topic) -> None:  # noqa: D102
        with self._lock:
            if self._closed or topic in self._lines:
                return
            line = self._with_room()
            self._lines[topic] = line
            line.add(topic, document_of(topic))

    def unfollow(self, topic: Topic) -> None:  # noqa: D102
        with self._lock:
            line = self._lines.pop(topic, None)
            if line is None:
                return
            line.remove(topic)
            if line.is_empty:
                line.stop()
                self._running.discard(line)
                self._ending = {line, *(ended for ended in self._ending if ended.is_alive)}

    def close(self) -> None:  # noqa: D102
        with self._lock:
            self._closed = True
            self._lines.clear()
            lines = self._running | self._ending
            connections, self._connections = self._connections, []
        for line in lines:
            line.stop()
        for line in lines:
            line.join()
        for connection in connections:
            connection.close()

    def _with_room(self) -> Line:
        for line in self._running:
            if line.size < TOPICS_A_LINE:
                return line
        line = Line(self._database, self._connection(), self._wake)
        self._running.add(line)
        return line

    def _connection(self) -> Connection:
        used = Counter(line.connection for line in self._running)
        for connection in self._connections:
            if used[connection] < _LINES_A_CONNECTION:
                return connection
        self._connections.append(Connection(self._emulator, listening=True))
        return self._connections[-1]


def document_of(topic: Topic) -> str:
    """Returns the path of the document that changes when a topic does."""
    match topic.kind:
        case TopicKind.PROJECT:
            return project_path(ProjectId(topic.id))
        case TopicKind.ORGANIZATION:
            return organization_path(OrgId(topic.id))
        case TopicKind.DEVICE:
            return device_path(DeviceId(topic.id))
        case TopicKind.PRESENCE:
            return presence_path(ProjectId(topic.id))
