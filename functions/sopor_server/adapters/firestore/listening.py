"""One stream of Firestore's Listen call, begun anew whenever it ends.

It ends for many reasons, none of which is final: Google ends old ones, an access token expires, a
connection is lost, the database does not answer. The next one comes at once after a stream that was
steady, else after a pause that doubles up to 5 seconds.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterable, Iterator
from itertools import count
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Protocol

from sopor_server.adapters.firestore.connection import Connection
from sopor_server.logs import FIELDS, log_failure
from sopor_server.ports.signals import Topic, Wake

if TYPE_CHECKING:
    from google.cloud.firestore_v1.types import ListenRequest

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_STEADY_SECONDS = 2.0
_WORTH_A_WARNING = 3
_log = logging.getLogger(__name__)


class _Call(Protocol):
    def __iter__(self) -> Iterator[Any]: ...

    def cancel(self) -> object: ...


class Line:
    """Follows some documents in a thread of its own, until it is stopped."""

    def __init__(self, database: str, connection: Connection, wake: Wake) -> None:
        """Takes the full name of the database."""
        self.connection = connection
        self._database = database
        self._wake = wake
        self._lock = Lock()
        self._stopped = Event()
        self._documents: dict[Topic, str] = {}
        # A number is never used again: what the server still says of an old one says nothing.
        self._numbers = count(1)
        self._targets: dict[int, Topic] = {}
        self._current: set[int] = set()
        self._requests: SimpleQueue[ListenRequest | None] | None = None
        self._call: _Call | None = None
        self._thread: Thread | None = None

    @property
    def size(self) -> int:
        """How many topics it follows."""
        return len(self._documents)

    @property
    def is_empty(self) -> bool:
        """Tells whether it follows nothing."""
        return not self._documents

    @property
    def is_alive(self) -> bool:
        """Tells whether it may still signal something."""
        return self._thread is not None and self._thread.is_alive()

    def add(self, topic: Topic, document: str) -> None:
        """Begins to follow a document, by its path."""
        with self._lock:
            self._documents[topic] = document
            if self._requests is not None:
                self._ask_for(topic, document, self._requests)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="firestore-listen", daemon=True)
                self._thread.start()

    def remove(self, topic: Topic) -> None:
        """Ends that."""
        with self._lock:
            self._documents.pop(topic, None)
            for number in [number for number, known in self._targets.items() if known == topic]:
                del self._targets[number]
                self._current.discard(number)
                if self._requests is not None:
                    self._requests.put(self._request(remove_target=number))

    def stop(self) -> None:
        """Ends the stream for good, without waiting."""
        self._stopped.set()
        with self._lock:
            if self._call is not None:
                self._call.cancel()

    def join(self) -> None:
        """Waits until nothing is signalled any more; it must have been stopped."""
        if self._thread is not None:
            self._thread.join()

    # --------------------------------------------------------------------------------- thread

    def _run(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            begun = time.monotonic()
            reason = self._listen()
            if self._stopped.is_set():
                return
            failures = 1 if time.monotonic() - begun >= _STEADY_SECONDS else failures + 1
            level = logging.WARNING if failures >= _WORTH_A_WARNING else logging.INFO
            fields = {"reason": reason, "failures": failures}
            _log.log(level, "listening is begun anew", extra={FIELDS: fields})
            self._stopped.wait(_pause(failures, reason))

    def _listen(self) -> str:
        """Hears one stream to its end; returns why it ended."""
        import grpc

        try:
            for response in self._begin():
                if refused := self._hear(type(response).pb(response)):
                    return refused
        except grpc.RpcError as error:
            return str(error.code().name)
        except Exception as error:  # noqa: BLE001
            # Whatever it is: nobody else would begin anew.
            log_failure(_log, "", error)
            return type(error).__name__
        finally:
            self._end()
        return "OK"

    def _begin(self) -> Iterable[Any]:
        client = self.connection.client()
        metadata = (
            *self.connection.metadata,
            ("google-cloud-resource-prefix", self._database),
            ("x-goog-request-params", f"database={self._database}"),
        )
        with self._lock:
            if self._stopped.is_set():
                return ()
            requests: SimpleQueue[ListenRequest | None] = SimpleQueue()
            for topic, document in self._documents.items():
                self._ask_for(topic, document, requests)
            self._requests = requests
            # The client's own method waits for the first answer, and could not be cancelled then.
            listen: Any = client.transport.listen
            self._call = call = listen(iter(requests.get, None), metadata=metadata)
            return call  # type: ignore[no-any-return]

    def _end(self) -> None:
        with self._lock:
            if self._call is not None:
                self._call.cancel()
            if self._requests is not None:
                self._requests.put(None)
            self._call = self._requests = None
            self._targets.clear()
            self._current.clear()

    def _ask_for(
        self, topic: Topic, document: str, requests: SimpleQueue[ListenRequest | None]
    ) -> None:
        number = next(self._numbers)
        self._targets[number] = topic
        documents = {"documents": [f"{self._database}/documents/{document}"]}
        requests.put(self._request(add_target={"target_id": number, "documents": documents}))

    def _request(self, **content: object) -> ListenRequest:
        from google.cloud.firestore_v1.types import ListenRequest

        return ListenRequest(database=self._database, **content)

    def _hear(self, response: Any) -> str:  # noqa: ANN401
        """Signals what a message tells of; returns why the stream is of no use any more, or ""."""
        kind = response.WhichOneof("response_type")
        said = getattr(response, kind)
        match kind:
            case "target_change":
                return self._hear_target(said)
            case "document_change":
                self._signal([*said.target_ids, *said.removed_target_ids])
            case "document_delete" | "document_remove":
                self._signal(said.removed_target_ids)
            case "filter":
                self._signal([said.target_id])
        return ""

    def _hear_target(self, change: Any) -> str:  # noqa: ANN401
        kind = type(change).TargetChangeType.Name(change.target_change_type)
        with self._lock:
            # None are named where all are meant.
            numbers = self._targets.keys() & (set(change.target_ids) or self._targets.keys())
            if kind == "CURRENT":
                self._current |= numbers
            elif kind == "RESET":
                self._current -= numbers
        if kind == "REMOVE" and numbers:
            return f"target refused: {change.cause.code}"
        if kind == "CURRENT":
            self._signal(numbers)
        return ""

    def _signal(self, numbers: Iterable[int]) -> None:
        """Signals those that are current: for the others that comes when they are."""
        with self._lock:
            topics = [
                self._targets[n] for n in numbers if n in self._targets and n in self._current
            ]
        for topic in topics:
            self._wake(topic)


def _pause(failures: int, reason: str) -> float:
    """Returns the seconds until the next attempt, drawn so that not all come at once."""
    longest = _FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 16)
    if reason == "RESOURCE_EXHAUSTED":
        longest = _LONGEST_PAUSE_SECONDS
    return min(longest, _LONGEST_PAUSE_SECONDS) * random.uniform(0.5, 1.0)  # noqa: S311
