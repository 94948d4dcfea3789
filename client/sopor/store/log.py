"""The verified part of the project's push log and of its organization's membership log.

What is here was verified before it was written; the last entry of each is the pin. A server that
shows less, or something else, is caught against it (SPEC section 11, promises P1 to P3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sopor.lazy import lazy_module
from sopor.store.database import Database
from sopor_core.ids import EntryHash, OpId, OrgId

if TYPE_CHECKING:
    from sopor_core import membership, push_entry, push_log
    from sopor_core.membership import MembershipEntry, MembershipLog
    from sopor_core.push_entry import Citation, PushEntry
    from sopor_core.push_log import LogCheckedEntry
else:
    membership = lazy_module("sopor_core.membership")
    push_entry = lazy_module("sopor_core.push_entry")
    push_log = lazy_module("sopor_core.push_log")


class Log:
    """The entries that this working copy has verified."""

    def __init__(self, database: Database) -> None:
        """Takes the database."""
        self._database = database
        self._membership: MembershipLog | None = None

    @property
    def pin(self) -> Citation:
        """The newest verified entry; (0, zeros) before the first."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1"
            ).fetchone()
        return push_entry.Citation(row[0], EntryHash(row[1])) if row else push_log.EMPTY_LOG

    @property
    def cited(self) -> int:
        """The newest membership entry that a push entry cites; 0 before the first."""
        newest = self.entry(self.pin.seq)
        return newest.members.seq if newest else 0

    def entry(self, seq: int) -> PushEntry | None:
        """Returns a verified entry, or None."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT data FROM entries WHERE seq = ?", (seq,)).fetchone()
        return push_entry.PushEntry.parse(row[0]) if row else None

    def holds_op(self, op: OpId) -> bool:
        """Tells whether an entry of this operation is in the log."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT 1 FROM entries WHERE op = ?", (op,)).fetchone()
        return row is not None

    def append(self, entry: LogCheckedEntry) -> None:
        """Moves the pin to an entry whose packs are verified as well."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO entries VALUES (?,?,?,?)",
                (entry.seq, entry.hash, entry.op, entry.encoded),
            )

    def membership(self, org: OrgId) -> MembershipLog:
        """Returns the verified membership log, replayed once for each process.

        What other processes have taken in since is taken in here as well.
        """
        with self._database.reading() as connection:
            (stored,) = connection.execute("SELECT max(seq) FROM membership").fetchone()
        known = self._membership
        if known is None or known.head.seq > (stored or 0):
            known = membership.MembershipLog(org)
        for data in self.membership_entries(known.head.seq) if known.head.seq != stored else ():
            known.append(membership.MembershipEntry.parse(data))
        self._membership = known
        return known

    def membership_entries(self, after: int = 0) -> list[bytes]:
        """Returns the verified membership entries after one as they came, in order."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT data FROM membership WHERE seq > ? ORDER BY seq", (after,)
            ).fetchall()
        return [data for (data,) in rows]

    def append_membership(self, entry: MembershipEntry) -> None:
        """Stores an entry that the membership log has taken in."""
        with self._database.transaction() as connection:
            connection.execute("INSERT INTO membership VALUES (?,?)", (entry.seq, entry.encoded))

    def forget_membership(self) -> None:
        """Drops the replayed log after a transaction that was rolled back."""
        self._membership = None
