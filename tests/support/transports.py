"""Stands between an adapter and Google: counts what is billed, and makes bad weather.

transport = Watched(GoogleTransport(emulated=True))
transport.plan(":commit", Fault.AFTER)
...
assert transport.billed == Billed(reads=3, writes=3)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from threading import Lock

from sopor_server.adapters.google.transport import Answer, Transport, Unanswered


@dataclass(frozen=True)
class Billed:
    """What Google bills: documents read, written and deleted, and operations on objects.

    Puts and lists of objects are of class A, the others of class B; deletions are free.
    """

    reads: int = 0
    writes: int = 0
    deletes: int = 0
    class_a: int = 0
    class_b: int = 0

    def __add__(self, other: Billed) -> Billed:
        return Billed(
            self.reads + other.reads,
            self.writes + other.writes,
            self.deletes + other.deletes,
            self.class_a + other.class_a,
            self.class_b + other.class_b,
        )

    def __sub__(self, other: Billed) -> Billed:
        return Billed(
            self.reads - other.reads,
            self.writes - other.writes,
            self.deletes - other.deletes,
            self.class_a - other.class_a,
            self.class_b - other.class_b,
        )


class Fault(Enum):
    """What happens to one request."""

    BEFORE = "it does not arrive, the answer is 503"
    AFTER = "it is carried out, the answer is 503"
    LOST = "it is carried out, no answer comes"
    ABORTED = "it is refused, since another one had its documents"
    EXHAUSTED = "it is refused, since there are too many"
    REFUSED = "it is refused for good"
    BROKEN = "a part of the answer comes, then 503"
    HELD = "it is carried out, and who asked waits until it has waited enough"
    CUT = "it is carried out, and the connection is cut before the answer"


_ABORTED = b'{"error":{"code":409,"status":"ABORTED","message":"contention"}}'
_UNAVAILABLE = b'{"error":{"code":503,"status":"UNAVAILABLE","message":"weather"}}'


class Watched:
    """A transport that counts, and that fails when it is told to."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self._lock = Lock()
        self._plans: list[tuple[str, Fault]] = []
        self.billed = Billed()
        self.requests: list[str] = []

    def plan(self, part: str, *faults: Fault) -> None:
        """Lets the next requests fail whose method and URL contain ``part``, one for each fault."""
        self._plans += [(part, fault) for fault in faults]

    @property
    def is_done(self) -> bool:
        """Tells whether every planned fault has happened."""
        return not self._plans

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> Answer:
        fault = self._fault(f"{method} {url}")
        if fault is Fault.BEFORE:
            return Answer(503, {}, _UNAVAILABLE)
        if fault is Fault.ABORTED:
            return Answer(409, {}, _ABORTED)
        answer = self._inner.send(method, url, headers, body, seconds)
        with self._lock:
            self.billed += _bill(method, url, body, answer)
        if fault is Fault.AFTER:
            return Answer(503, {}, _UNAVAILABLE)
        if fault is Fault.LOST:
            raise Unanswered("the connection broke")
        return answer

    def _fault(self, request: str) -> Fault | None:
        with self._lock:
            self.requests.append(request)
            for number, (part, fault) in enumerate(self._plans):
                if part in request:
                    del self._plans[number]
                    return fault
        return None


def _bill(method: str, url: str, body: bytes, answer: Answer) -> Billed:
    if "/storage/v1/" in url:
        return _bill_objects(method, url)
    if answer.status != 200:
        return Billed()
    asked, found = json.loads(body), json.loads(answer.body)
    if url.endswith(":batchGet"):
        return Billed(reads=len(asked["documents"]))
    if url.endswith(":runQuery"):
        # A query that finds nothing is billed as one read.
        return Billed(reads=max(1, sum("document" in item for item in found)))
    deletes = sum("delete" in write for write in asked["writes"])
    return Billed(writes=len(asked["writes"]) - deletes, deletes=deletes)


def _bill_objects(method: str, url: str) -> Billed:
    if method == "DELETE":
        return Billed()
    is_list = method == "GET" and url.partition("?")[0].endswith("/o")
    return Billed(class_a=1) if method == "POST" or is_list else Billed(class_b=1)
