"""Whole membership logs, verified, kept in memory from one append to the next.

The server judges an entry as every client does: by a replay of the chain from its first entry. A
process that appended to the log lately replays only what came since.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from sopor_core.errors import VerificationError
from sopor_core.ids import OrgId
from sopor_core.membership import MembershipEntry, MembershipLog
from sopor_server.ports.metadata import MetadataStore
from sopor_server.ports.records import Organization

_ROOM = 32 * 1024 * 1024
_EVERYTHING = 2**62


@dataclass(slots=True)
class Replayed:
    """A verified log, and how many bytes its entries have."""

    log: MembershipLog
    size: int = 0

    def append(self, entry: MembershipEntry, size: int) -> None:
        """Takes in an entry; raises VerificationError, and the log stays as it was."""
        self.log.append(entry)
        self.size += size


class RecentLogs:
    """The logs that were appended to last; may be used from many threads.

    A log that is taken belongs to the taker alone, since it grows. Who does not give it back, or
    comes while it is away, costs a replay and nothing else.
    """

    def __init__(self, room: int = _ROOM) -> None:
        """Takes the most bytes of entries that are kept."""
        self._room = room
        self._lock = Lock()
        self._logs: OrderedDict[OrgId, Replayed] = OrderedDict()

    def take(self, org: OrgId) -> Replayed | None:
        """Returns the log of an organization and keeps it no longer."""
        with self._lock:
            return self._logs.pop(org, None)

    def give_back(self, replayed: Replayed) -> None:
        """Keeps a log, instead of those that were used least lately if they do not all fit."""
        with self._lock:
            self._logs[replayed.log.org] = replayed
            self._logs.move_to_end(replayed.log.org)
            while self._logs and sum(kept.size for kept in self._logs.values()) > self._room:
                self._logs.popitem(last=False)


def replayed(store: MetadataStore, recent: RecentLogs, found: Organization) -> Replayed:
    """Returns the log up to the head that was found, every entry of it verified.

    Raises:
        RuntimeError: what is stored does not verify, or has another head.
    """
    org = found.id
    kept = recent.take(org)
    if kept is not None and kept.log.head.seq <= found.head.seq:
        try:
            _extend(kept, store.membership_entries(org, kept.log.head.seq, _EVERYTHING), found)
        except VerificationError:
            kept = None
        if kept is not None and kept.log.head == found.head:
            return kept
    # Nothing was kept, or the store was put back to an older state meanwhile.
    anew = Replayed(MembershipLog(org))
    try:
        _extend(anew, store.membership_entries(org, 0, _EVERYTHING), found)
    except VerificationError as error:
        raise RuntimeError("a stored membership log does not verify") from error
    if anew.log.head != found.head:
        raise RuntimeError("a stored membership log does not have the head that is stored")
    return anew


def _extend(replayed: Replayed, entries: Sequence[bytes], found: Organization) -> None:
    for data in entries[: found.head.seq - replayed.log.head.seq]:
        replayed.append(MembershipEntry.parse(data), len(data))
