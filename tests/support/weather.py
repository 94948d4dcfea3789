"""What the relays between the adapters and Google count, and the bad weather that they make."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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
