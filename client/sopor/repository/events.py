"""What happens in a published project, as it happens and after it was verified.

Nothing here changes a file or a local branch: remote branches move as a fetch moves them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self, TypeAlias

from sopor.crypto.labels import open_branch_label
from sopor.moments import Moment
from sopor.records import dataclass
from sopor.remote.events.failures import Gap
from sopor.remote.events.feed import Feed
from sopor.remote.events.live import Live, LiveState
from sopor.remote.events.messages import News, Notes
from sopor.remote.events.source import EventSource
from sopor.repository.auditing import login_of
from sopor.repository.connection import Connection
from sopor.repository.context import Context
from sopor.repository.presence import Present, Reader
from sopor.sync.overlap import Missing
from sopor_core.ids import AccountId, CommitId
from sopor_core.push_entry import BranchOp, PushEntry
from sopor_core.wire.events import Cursor, Place

__all__ = [
    "BranchMoved",
    "Event",
    "Events",
    "Live",
    "LiveState",
    "MembersChanged",
    "Presence",
    "Pushed",
]


@dataclass(frozen=True, slots=True)
class BranchMoved:
    """A remote branch that was moved, created (``old`` None) or deleted (``new`` None)."""

    branch: str
    old: CommitId | None
    new: CommitId | None


@dataclass(frozen=True, slots=True)
class Pushed:
    """A verified entry of the push log, of this device as well.

    Attributes:
        seq: its number.
        time: when it was made, by its author's clock.
        account: who made it.
        by: the login name of that account.
        moves: the branches that it moved.
        commits: the commits that it brought, parents before children.
    """

    seq: int
    time: Moment
    account: AccountId
    by: str
    moves: tuple[BranchMoved, ...]
    commits: tuple[CommitId, ...]


@dataclass(frozen=True, slots=True)
class MembersChanged:
    """Verified entries ``first`` to ``last`` of the organization's membership log."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Presence:
    """Others are present, or on other branches, than was told before: all who are present now.

    It is told while the server streams, and holds as long as it does.
    """

    present: tuple[Present, ...]


Event: TypeAlias = Pushed | MembersChanged | Presence | Live


class Events:
    """Iterates over events until it is closed; see `sopor.repository.Repository.events`.

    One thread opens the repository and iterates; `close`, `wake` and `live` are for any thread.
    """

    def __init__(self, context: Context, *, presence: bool = False) -> None:
        """Connects; raises StateConflict if the project is on no server yet."""
        connection = Connection.of(context)
        source = EventSource(connection.remote, presence=presence)
        self._feed = Feed(source, _Taker(context, connection))
        self._events = iter(self._feed)

    @property
    def live(self) -> Live:
        """How the feed stands now."""
        return self._feed.live

    def wake(self) -> None:
        """Tells that somebody works here: a feed that polls or waits tries again soon."""
        self._feed.wake()

    def close(self) -> None:
        """Ends the iteration, also while another thread waits in it; again, it does nothing."""
        self._feed.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Taker:
    """Verifies messages of one project, and tells what is verified and was not told so far."""

    def __init__(self, context: Context, connection: Connection) -> None:
        self._context = context
        self._connection = connection
        self._names = context.store.refs.remote_names()
        self._told = self._place()
        self._reader = Reader(context, connection)
        self._notes: Notes | None = None
        self._present: tuple[Present, ...] | None = None

    def _place(self) -> Place:
        return Place(self._context.store.log.pin.seq, self._connection.membership.head.seq)

    def places(self) -> Cursor:
        return Cursor({self._context.project: self._place()})

    def take(self, news: News) -> Sequence[Event]:
        with self._context.store.exclusive():
            try:
                self._connection.take(news.answer)
            except Missing:
                raise Gap from None
            return self._untold()

    def pull(self) -> Sequence[Event]:
        with self._context.store.exclusive():
            self._connection.fetch()
            return self._untold()

    def show(self, notes: Notes) -> Sequence[Event]:
        self._notes = notes
        present = self._reader.read(notes.notes)
        before, self._present = self._present, present
        if before is not None and _places(before) == _places(present):
            return []
        return [Presence(present)]

    def _untold(self) -> list[Event]:
        before, self._told = self._told, self._place()
        found: list[Event] = []
        if self._told.members > before.members:
            found.append(MembersChanged(before.members + 1, self._told.members))
            # Whose note did not verify may have joined, and who was shown may be gone.
            found += self.show(self._notes) if self._notes else []
        return found + list(self._pushes(before.push + 1, self._told.push))

    def _pushes(self, first: int, last: int) -> Iterator[Pushed]:
        for seq in range(first, last + 1):
            entry = self._context.store.log.entry(seq)
            if entry is not None:
                yield self._pushed(entry)

    def _pushed(self, entry: PushEntry) -> Pushed:
        return Pushed(
            entry.seq,
            Moment(entry.time),
            entry.actor,
            login_of(self._connection.membership, entry.actor),
            tuple(self._moved(op, entry.epoch) for op in entry.ops),
            tuple(commit.id for commit in entry.commits),
        )

    def _moved(self, op: BranchOp, epoch: int) -> BranchMoved:
        if op.label is not None:
            keys = self._context.keys
            self._names[op.branch] = open_branch_label(keys, epoch, op.branch, op.label)
        return BranchMoved(self._names.get(op.branch, op.branch.short), op.old, op.new)


def _places(present: Sequence[Present]) -> list[tuple[object, ...]]:
    """Returns what matters of who is present: a device says the same once a minute."""
    return [(one.account, one.device, one.name, one.branch, one.since) for one in present]
