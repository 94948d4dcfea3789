"""`repair`: brings a server forward that was restored from an older backup (promise P10).

Everything that the server lost is in the verified log of this working copy, signed by who made it,
and its packs are here as they came. So repairing sends the same bytes again, in the same order; it
makes nothing new, and the server checks it like any push.
"""

from __future__ import annotations

from collections.abc import Sequence

from sopor.errors import DamagedStore, ForkError, NotFound, StateConflict
from sopor.records import dataclass
from sopor.remote import LogMoved
from sopor.repository.connection import Connection
from sopor.repository.context import Context
from sopor.repository.forks import HistoriesDiffer, find_fork
from sopor.repository.results import RepairResult
from sopor_core.ids import OrgId
from sopor_core.membership import MembershipEntry, MembershipLog
from sopor_core.push_entry import Citation
from sopor_core.push_log import EMPTY_LOG


def repair(context: Context) -> RepairResult:
    """Publishes again what the server lost.

    Raises:
        StateConflict: the project is on no server, or the server's membership log went on since.
        HistoriesDiffer: the server has another history than this working copy, not a shorter one.
        ForkError: it has another membership log.
        PermissionDenied: an entry that is missing was made by another account, which must repair.
    """
    with context.store.exclusive():
        connection = Connection.of(context)
        repairer = _Repairer(
            context, connection, connection.org, context.store.log.membership_entries()
        )
        head = repairer.common_head()
        pin = context.store.log.pin
        for seq in range(head.seq + 1, pin.seq + 1):
            repairer.publish(seq)
            context.progress(f"published entry {seq} of {pin.seq}")
        return RepairResult(max(0, pin.seq - head.seq), repairer.appended)


@dataclass
class _Repairer:
    context: Context
    connection: Connection
    org: OrgId
    membership: list[bytes]
    appended: int = 0
    members: int = 0

    def common_head(self) -> Citation:
        """Returns where the server's log ends, after making sure that it is a part of ours."""
        theirs = self.connection.remote.organizations.entries(self.org, 0)
        if any(one != other for one, other in zip(self.membership, theirs, strict=False)):
            raise ForkError("the server has another membership log than this working copy")
        self.members = len(theirs)
        head = self._head()
        common = head if head.seq <= self.context.store.log.pin.seq else self.context.store.log.pin
        if common.seq:
            self._compare(common, theirs)
        return head

    def _compare(self, common: Citation, members: Sequence[bytes]) -> None:
        """Raises HistoriesDiffer unless the server has this entry where it stands here."""
        try:
            self.connection.remote.pull(self.context.project, common, self.members)
        except ForkError:
            longer = max(members, self.membership, key=len)
            membership = MembershipLog.replay(self.org, longer)
            remote = self.connection.remote
            raise HistoriesDiffer(find_fork(self.context, remote, membership, common.seq)) from None

    def _head(self) -> Citation:
        log = self.context.store.log
        try:
            seq = self.connection.remote.branches(self.context.project).seq
        except NotFound:
            return EMPTY_LOG
        entry = log.entry(min(seq, log.pin.seq))
        if entry is None:
            return EMPTY_LOG
        return entry.citation if seq <= log.pin.seq else Citation(seq, entry.hash)

    def publish(self, seq: int) -> None:
        """Sends one entry again with its packs, after the membership entries that it cites."""
        entry = self.context.store.log.entry(seq)
        if entry is None:
            raise DamagedStore(f"entry {seq} is missing here", hint="run `sopor fsck`")
        self._bring_membership(entry.members.seq)
        files = self.context.store.files
        packs = {pack.id: files.read(pack.id) for pack in entry.packs}
        try:
            self.connection.remote.push(self.context.project, entry, packs)
        except LogMoved:
            raise StateConflict(
                f"the server does not take entry {seq}: its logs moved meanwhile",
                hint="run `sopor repair` again; if that does not help, another member has the rest",
            ) from None

    def _bring_membership(self, seq: int) -> None:
        for data in self.membership[self.members : seq]:
            self.connection.remote.organizations.append(self.org, MembershipEntry.parse(data))
            self.members += 1
            self.appended += 1
