"""Says whether a push entry may follow a log: the rules that server and client share (SPEC 8.1).

Pure: the caller gives what it knows of the log so far, and stores the outcome. The client checks
further what only it can see: packs, content ids, states (`sopor.verify`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NewType, Protocol

from sopor_core.errors import ForkError, Layer, VerificationError
from sopor_core.ids import NO_ENTRY, AccountId, BranchId, CommitId, ProjectId
from sopor_core.membership import Role
from sopor_core.push_entry import BranchOp, Citation, ListedCommit, PushEntry
from sopor_core.signing import VerifyKey

LogCheckedEntry = NewType("LogCheckedEntry", PushEntry)
"""An entry whose chain, signature, role, operations and epoch hold; its packs may still lie."""

EMPTY_LOG = Citation(0, NO_ENTRY)


class MembershipView(Protocol):
    """What a checker asks of a membership log, or of its newest state alone.

    The docstrings of `sopor_core.membership.MembershipLog` say what is answered and raised.
    """

    def check_citation(self, cited: Citation) -> None:
        """Raises unless the cited entry is known here."""

    def role_at(self, account: AccountId, seq: int, project: ProjectId) -> Role | None:
        """Returns the role in a project after entry ``seq``, or None."""

    def signing_key(self, account: AccountId, seq: int) -> VerifyKey:
        """Returns the key that signs for the account after entry ``seq``."""

    def epoch_at(self, project: ProjectId, seq: int) -> int:
        """Returns the epoch in force after entry ``seq``."""

    def check_cut(self, project: ProjectId, entry: Citation, cited: int) -> None:
        """Raises unless the entry stands on the right side of every cut."""


@dataclass(frozen=True)
class LogPosition:
    """What a checker knows of the log before an entry.

    ``head_of`` gives a branch's head or None; ``commit`` gives what earlier entries listed of a
    commit, or None; ``cited`` is the sequence number of the newest membership entry cited so far.
    """

    project: ProjectId
    head: Citation
    cited: int
    head_of: Callable[[BranchId], CommitId | None]
    commit: Callable[[CommitId], ListedCommit | None]


def check_entry(
    entry: PushEntry, position: LogPosition, membership: MembershipView
) -> LogCheckedEntry:
    """Checks everything about an entry that needs no project key.

    Raises:
        ForkError: the entry does not continue this history.
        VerificationError: layer ``chain``, ``membership``, ``signature``, ``role``, ``ops`` or
            ``epoch``.
    """
    _check_chain(entry, position)
    _check_actor(entry, position, membership)
    listed = _check_commits(entry, position)
    for op in entry.ops:
        _check_op(op, position, listed)
    return LogCheckedEntry(entry)


def _check_chain(entry: PushEntry, position: LogPosition) -> None:
    if entry.project != position.project:
        raise VerificationError(Layer.CHAIN, "the entry belongs to another project")
    if entry.seq != position.head.seq + 1:
        raise VerificationError(
            Layer.CHAIN, f"entry {entry.seq} where entry {position.head.seq + 1} belongs"
        )
    if entry.prev != position.head.hash:
        raise ForkError(f"entry {entry.seq} continues another history than the one known here")


def _check_actor(entry: PushEntry, position: LogPosition, membership: MembershipView) -> None:
    if entry.members.seq < position.cited:
        raise VerificationError(Layer.MEMBERSHIP, "the cited membership state goes back")
    membership.check_citation(entry.members)
    membership.check_cut(entry.project, entry.citation, entry.members.seq)
    role = membership.role_at(entry.actor, entry.members.seq, entry.project)
    if role is None:
        raise VerificationError(Layer.ROLE, "the entry's actor has no access to the project")
    entry.verify_signature(membership.signing_key(entry.actor, entry.members.seq))
    if not role.may_write:
        raise VerificationError(Layer.ROLE, f"the entry's actor is a {role}, who may not write")
    current = membership.epoch_at(entry.project, entry.members.seq)
    if entry.epoch != current:
        raise VerificationError(
            Layer.EPOCH, f"the entry is written under epoch {entry.epoch}, not {current}"
        )


def _check_commits(entry: PushEntry, position: LogPosition) -> dict[CommitId, ListedCommit]:
    listed: dict[CommitId, ListedCommit] = {}
    heads = {op.old for op in entry.ops}
    for commit in entry.commits:
        known = position.commit(commit.id)
        if known is not None and (known.parents, known.root) != (commit.parents, commit.root):
            raise VerificationError(Layer.OPS, f"commit {commit.id.short} is listed differently")
        for parent in commit.parents:
            known_parent = parent in listed or parent in heads
            if not known_parent and position.commit(parent) is None:
                raise VerificationError(
                    Layer.OPS, f"commit {commit.id.short} has an unknown parent"
                )
        if commit.same is not None:
            _check_same(commit, commit.same, position, listed)
        listed[commit.id] = commit
    return listed


def _check_same(
    commit: ListedCommit,
    same: CommitId,
    position: LogPosition,
    listed: dict[CommitId, ListedCommit],
) -> None:
    target = listed.get(same) or position.commit(same)
    if target is None or target.root != commit.root:
        raise VerificationError(
            Layer.OPS, f"commit {commit.id.short} does not restore the state that it names"
        )
    if not _is_ancestor(same, commit, position, listed):
        raise VerificationError(
            Layer.OPS, f"commit {commit.id.short} restores a commit that is no ancestor"
        )


def _is_ancestor(
    target: CommitId,
    commit: ListedCommit,
    position: LogPosition,
    listed: dict[CommitId, ListedCommit],
) -> bool:
    todo, seen = list(commit.parents), set(commit.parents)
    while todo:
        current = todo.pop()
        if current == target:
            return True
        node = listed.get(current) or position.commit(current)
        for parent in node.parents if node else ():
            if parent not in seen:
                seen.add(parent)
                todo.append(parent)
    return False


def _check_op(op: BranchOp, position: LogPosition, listed: dict[CommitId, ListedCommit]) -> None:
    if op.old != position.head_of(op.branch):
        raise VerificationError(Layer.OPS, "an operation starts from another head of its branch")
    if op.new is None or op.new == op.old:
        return
    if op.old is None:
        if op.new not in listed and position.commit(op.new) is None:
            raise VerificationError(Layer.OPS, "a branch is created at an unknown commit")
    elif not _descends(op.old, op.new, listed):
        raise VerificationError(Layer.OPS, "a branch is moved, but not forward")


def _descends(old: CommitId, new: CommitId, listed: dict[CommitId, ListedCommit]) -> bool:
    todo, seen = [new], {new}
    while todo:
        current = todo.pop()
        if current == old:
            return True
        for parent in listed[current].parents if current in listed else ():
            if parent not in seen:
                seen.add(parent)
                todo.append(parent)
    return False
