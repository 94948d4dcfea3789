"""The push log in words: who moved which branch, entry by verified entry."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import field

from sopor.crypto.labels import open_branch_label
from sopor.errors import StateConflict
from sopor.moments import Moment
from sopor.organization.results import AuditEntry
from sopor.records import dataclass
from sopor.repository.context import Context
from sopor_core.errors import VerificationError
from sopor_core.ids import AccountId, BranchId
from sopor_core.membership import MembershipLog
from sopor_core.push_entry import BranchOp, PushEntry


def audit(context: Context, limit: int | None = None) -> tuple[AuditEntry, ...]:
    """Returns the verified entries of the project's push log, the newest first.

    Raises:
        StateConflict: the project is on no server.
    """
    if context.org is None:
        raise StateConflict("the project is on no server yet", hint="publish it with `sopor push`")
    membership = context.store.log.membership(context.org)
    teller = Teller(context, membership)
    found = []
    for seq in range(1, context.store.log.pin.seq + 1):
        entry = context.store.log.entry(seq)
        if entry is not None:
            found.append(teller.tell(entry))
    return tuple(reversed(found))[:limit]


@dataclass(frozen=True)
class Teller:
    """Puts entries into words, one after the other as they stand in the log."""

    context: Context
    membership: MembershipLog
    _names: dict[BranchId, str] = field(default_factory=dict)

    def copy(self) -> Teller:
        """Returns one that goes on from here by itself."""
        return Teller(self.context, self.membership, dict(self._names))

    def tell(self, entry: PushEntry) -> AuditEntry:
        """Returns an entry in words; a branch whose name does not open has its id."""
        names = self._names
        for op in entry.ops:
            if op.label is not None:
                with suppress(VerificationError):
                    names[op.branch] = open_branch_label(
                        self.context.keys, entry.epoch, op.branch, op.label
                    )
        text = ", ".join(_moved(op, names.get(op.branch, op.branch.short)) for op in entry.ops)
        kind = "revert" if any(commit.same for commit in entry.commits) else "push"
        return AuditEntry(
            entry.seq,
            Moment(entry.time),
            login_of(self.membership, entry.actor),
            kind,
            text,
            entry.hash.hex(),
        )


def _moved(op: BranchOp, name: str) -> str:
    if op.new is None:
        return f"deleted {name}"
    if op.old is None:
        return f"created {name} at {op.new.short}"
    return f"moved {name} from {op.old.short} to {op.new.short}"


def login_of(membership: MembershipLog, account: AccountId) -> str:
    """Returns the login name of a present or former member, else a short form of its id."""
    try:
        return membership.login(account)
    except VerificationError:
        return account.short
