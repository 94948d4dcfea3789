"""Carries out a change against others who change the same: reads, commits, and looks again.

A commit without an answer may have been carried out, or may be in a moment. Its preconditions make
a second one harmless: either it is refused, and looking again shows the first one's result, or the
first one is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from sopor_server.adapters.firestore.database import Database
from sopor_server.adapters.firestore.outcomes import Contended, Moved, Uncertain
from sopor_server.adapters.google.retries import attempts
from sopor_server.ports.errors import StoreUnavailable

if TYPE_CHECKING:
    from google.cloud.firestore_v1.types import Write

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attempt:
    """Which attempt this is, from 0 on, and whether an earlier one may have been carried out."""

    number: int
    uncertain: bool


Prepare: TypeAlias = "Callable[[Attempt], Sequence[Write] | None]"


def settle(database: Database, prepare: Prepare) -> None:
    """Commits what ``prepare`` returns until it is carried out.

    ``prepare`` returns None when nothing is left to do, and raises what the port says.

    Raises:
        StoreUnavailable: the last attempt was not carried out, or nobody knows.
    """
    uncertain = False
    reason = ""
    for number in attempts():
        writes = prepare(Attempt(number, uncertain))
        if writes is None:
            return
        try:
            database.commit(writes)
        except Uncertain as error:
            uncertain, reason = True, str(error)
        except (Moved, Contended) as error:
            reason = str(error)
        else:
            return
    raise StoreUnavailable(f"Firestore did not carry out a commit: {reason}")


class Recent(Generic[T]):
    """Remembers the newest values under their keys; may be used from many threads."""

    def __init__(self, size: int) -> None:
        """Takes how many values are remembered."""
        self._size = size
        self._lock = Lock()
        self._values: OrderedDict[str, T] = OrderedDict()

    def note(self, key: str, value: T) -> None:
        """Remembers a value instead of the one before."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            if len(self._values) > self._size:
                self._values.popitem(last=False)

    def find(self, key: str) -> T | None:
        """Returns the value, or None."""
        with self._lock:
            return self._values.get(key)

    def forget(self, key: str) -> None:
        """Forgets the value, if there is one."""
        with self._lock:
            self._values.pop(key, None)
