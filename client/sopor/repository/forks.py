"""Two histories of one project: where they part, and what each has that the other lacks.

After a restore of an older backup this comes about honestly: one device knows entries that the
server lost, another has pushed on top of what was left. Nothing is stored and nothing is sent; the
server's side is checked like any entry (chain, signatures, roles), but its packs are not fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sopor.errors import ForkError
from sopor.organization.results import AuditEntry
from sopor.records import dataclass
from sopor.remote import Remote
from sopor.repository.auditing import Teller
from sopor.repository.context import Context
from sopor_core.ids import BranchId, CommitId
from sopor_core.membership import MembershipLog
from sopor_core.push_entry import Citation, ListedCommit, PushEntry
from sopor_core.push_log import EMPTY_LOG, LogPosition, check_entry

_MOST_PAGES = 64


@dataclass(frozen=True, slots=True)
class Fork:
    """Where two histories part: ``common`` is the number of the last entry that both have.

    ``here`` are the entries of this working copy after it, ``there`` those of the server, the
    oldest first.
    """

    common: int
    here: tuple[AuditEntry, ...]
    there: tuple[AuditEntry, ...]


class HistoriesDiffer(ForkError):
    """Says that server and working copy have gone different ways, and carries both."""

    def __init__(self, fork: Fork) -> None:
        super().__init__(
            f"server and working copy have different histories after entry {fork.common}: "
            f"{len(fork.here)} entries are here only, {len(fork.there)} there only",
            hint="nothing was changed on either side; if a backup was restored, clone the project "
            "to another folder, copy your files there and commit: keep this folder until then",
        )
        self.fork = fork


def find_fork(context: Context, remote: Remote, membership: MembershipLog, upto: int) -> Fork:
    """Compares the server's push log with the verified one of this working copy.

    Args:
        context: the working copy.
        remote: its server, which has another entry in the place of entry ``upto``, or before.
        membership: the verified membership log, as long as both sides know it.
        upto: the number of an entry that is here.

    Raises:
        VerificationError: what the server shows does not even continue what both have.
    """
    log, members = context.store.log, membership.head.seq

    def cited(seq: int) -> Citation:
        entry = log.entry(seq) if seq else None
        return entry.citation if entry is not None else EMPTY_LOG

    def is_common(seq: int) -> bool:
        try:
            remote.pull(context.project, cited(seq), members)
        except ForkError:
            return False
        return True

    common, differs = 0, upto
    while differs - common > 1:
        middle = (common + differs) // 2
        common, differs = (middle, differs) if is_common(middle) else (common, middle)
    mine = [log.entry(seq) for seq in range(1, log.pin.seq + 1)]
    ours = [entry for entry in mine if entry is not None]
    theirs = _checked(context, membership, ours[:common], _pulled(context, remote, cited(common)))
    teller = Teller(context, membership)
    for entry in ours[:common]:
        teller.tell(entry)
    return Fork(
        common,
        tuple(map(teller.copy().tell, ours[common:])),
        tuple(map(teller.copy().tell, theirs)),
    )


def _pulled(context: Context, remote: Remote, after: Citation) -> Iterator[PushEntry]:
    for _ in range(_MOST_PAGES):
        answer = remote.pull(context.project, after, 0)
        if answer is None or not answer.entries:
            return
        for data in answer.entries:
            entry = PushEntry.parse(data)
            yield entry
            after = entry.citation
        if not answer.more:
            return


def _checked(
    context: Context,
    membership: MembershipLog,
    before: Sequence[PushEntry],
    entries: Iterator[PushEntry],
) -> list[PushEntry]:
    heads: dict[BranchId, CommitId] = {}
    listed: dict[CommitId, ListedCommit] = {}
    head, cited = EMPTY_LOG, 0
    found: list[PushEntry] = []

    def take(entry: PushEntry) -> None:
        nonlocal head, cited
        for op in entry.ops:
            if op.new is None:
                heads.pop(op.branch, None)
            else:
                heads[op.branch] = op.new
        listed.update({commit.id: commit for commit in entry.commits})
        head, cited = entry.citation, entry.members.seq

    for entry in before:
        take(entry)
    for entry in entries:
        position = LogPosition(context.project, head, cited, heads.get, listed.get)
        found.append(check_entry(entry, position, membership))
        take(entry)
    return found
