"""What somebody can open with everything that is on a disk, however it is tried.

The logs and packs that are tried come from the server; nothing here asks for permission.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from sopor.crypto.epochs import Unwrapper, open_epochs, unlock_scope
from sopor.crypto.keys import EpochSecret, ProjectKeys
from sopor.crypto.labels import (
    open_branch_label,
    open_organization_label,
    open_project_label,
)
from sopor.crypto.pack import PackHeader, open_pack
from sopor.crypto.wraps import HOME, WrapContext
from sopor_core.errors import VerificationError
from sopor_core.ids import PackId, ProjectId
from sopor_core.membership import (
    Epoch,
    MembershipEntry,
    MembershipLog,
    NewEpochs,
    OrgSet,
    ProjectNew,
    ProjectSet,
    Recipient,
    Scope,
)
from sopor_core.push_entry import BranchOp, PushEntry
from sopor_core.wire.parts import PartKind
from tests.support.evil import Parts


@dataclass(frozen=True)
class Loot:
    """Private keys, and all secrets that they opened at some time."""

    keys: Unwrapper
    secrets: tuple[EpochSecret, ...]

    @classmethod
    def taken(cls, keys: Unwrapper, who: Recipient, log: MembershipLog) -> Loot:
        """Takes what somebody's keys open of a log."""
        found: list[EpochSecret] = []
        for scope in sorted(log.access.scopes):
            unlocked = unlock_scope(log, scope, who, keys)
            found += [unlocked.secret(epoch.number) for epoch in log.epochs(scope)]
        return cls(keys, tuple(found))

    def opens(
        self, log: MembershipLog, members: Iterable[bytes], pushed: Iterable[Parts], project: Scope
    ) -> set[str]:
        """Returns the kinds of things that open among these entries and packs."""
        found: set[str] = set()
        for data in members:
            found |= self._opens_of(log, MembershipEntry.parse(data))
        for entry, *packs in pushed:
            found |= self._opens_labels(PushEntry.parse(entry.data), project)
            found |= {"a pack" for part in packs if self._opens_pack(part.data, project)}
            assert all(part.kind is PartKind.PACK for part in packs)
        return found

    def _opens_of(self, log: MembershipLog, entry: MembershipEntry) -> set[str]:
        found = set()
        for scope, epoch in epochs_of(entry):
            if any(True for _ in self._unwrapped(log, scope, epoch)):
                found.add("a wrap")
            if any(self._is_or_opens(secret, log, scope, epoch) for secret in self.secrets):
                found.add("an epoch")
        body = entry.body
        if isinstance(body, OrgSet | ProjectSet) and body.label is not None:
            number, sealed = body.label.epoch, body.label.sealed
            scope = log.home if isinstance(body, OrgSet) else body.project
            open_label = open_organization_label if isinstance(body, OrgSet) else open_project_label
            if self._any(scope, number, lambda keys: open_label(keys, number, sealed)):
                found.add("a name")
        return found

    def _unwrapped(self, log: MembershipLog, scope: Scope, epoch: Epoch) -> Iterator[EpochSecret]:
        bound = HOME if scope == log.home else log.org
        everybody: set[Recipient] = {*epoch.wraps, *epoch.invites}
        for wrapped in (*epoch.wraps.values(), *epoch.invites.values()):
            for who in everybody:
                context = WrapContext(bound, scope, epoch.number, who)
                try:
                    yield self.keys.unwrap(wrapped, context, epoch.commitment)
                except VerificationError:
                    continue

    @staticmethod
    def _is_or_opens(secret: EpochSecret, log: MembershipLog, scope: Scope, epoch: Epoch) -> bool:
        until = [each for each in log.epochs(scope) if each.number <= epoch.number]
        return _works(
            lambda: secret.check_commitment(scope, epoch.number, epoch.commitment)
        ) or _works(lambda: open_epochs(secret, scope, until[-2:]))

    def _opens_labels(self, entry: PushEntry, project: Scope) -> set[str]:
        def opens(op: BranchOp, label: bytes) -> bool:
            epoch = entry.epoch
            act = partial(open_branch_label, epoch=epoch, branch=op.branch, label=label)
            return self._any(project, epoch, act)

        labels = [(op, op.label) for op in entry.ops if op.label is not None]
        return {"a branch's name" for op, label in labels if opens(op, label)}

    def _opens_pack(self, data: bytes, project: Scope) -> bool:
        epoch = PackHeader.parse(data[:46]).epoch
        pack = PackId(sha256(data).digest())
        return self._any(project, epoch, lambda keys: open_pack(keys, data, pack, len(data)))

    def _any(self, scope: ProjectId, epoch: int, act: Callable[[ProjectKeys], object]) -> bool:
        tried = [
            ProjectKeys(scope, {1: first, epoch: secret})
            for first in self.secrets
            for secret in self.secrets
        ]
        return any(_works(partial(act, keys)) for keys in tried)


def epochs_of(entry: MembershipEntry) -> Iterator[tuple[Scope, Epoch]]:
    """Yields the epochs that an entry starts."""
    body = entry.body
    if isinstance(body, ProjectNew):
        yield body.project, body.first
    elif isinstance(body, NewEpochs):
        yield from body.epochs.items()
    else:
        yield from getattr(body, "epochs", {}).items()


def _works(act: Callable[[], object]) -> bool:
    try:
        act()
    except VerificationError:
        return False
    return True
