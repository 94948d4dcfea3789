"""The membership log of an organization and its replay (SPEC section 8.2).

`MembershipLog` holds only entries that verified: `append` is the one way in. It answers for every
point of the log, since a push entry is judged by the state that it cites.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from sopor_core.errors import ForkError, Layer, VerificationError
from sopor_core.identity import PublicIdentity
from sopor_core.ids import NO_ENTRY, AccountId, EntryHash, InviteId, OrgId, ProjectId
from sopor_core.license import License
from sopor_core.membership.entry import MembershipEntry
from sopor_core.membership.parts import Epoch, Label, Status
from sopor_core.membership.people import Invite, Join
from sopor_core.membership.roles import Access, Role, Scope
from sopor_core.membership.rules import Change, ScopeKeys, found, judge
from sopor_core.membership.scopes import Genesis
from sopor_core.push_entry import Citation
from sopor_core.signing import VerifyKey

T = TypeVar("T")


class _Timeline(Generic[T]):
    """A value that changes at some sequence numbers."""

    def __init__(self) -> None:
        self._seqs: list[int] = []
        self._values: list[T] = []

    def set(self, seq: int, value: T) -> None:
        self._seqs.append(seq)
        self._values.append(value)

    def at(self, seq: int) -> T | None:
        index = bisect_right(self._seqs, seq)
        return self._values[index - 1] if index else None

    @property
    def newest(self) -> T:
        return self._values[-1]


@dataclass(frozen=True, slots=True)
class Cut:
    """Says that a push entry behind ``push`` cites membership entry ``members`` or a later one."""

    members: int
    push: Citation


class MembershipLog:
    """The verified membership log of one organization; grows by `append` alone."""

    def __init__(self, org: OrgId) -> None:
        """Starts an empty log of the organization with this id."""
        self.org = org
        self.kind = ""
        self.license: License | None = None
        self.deleted = False
        self._hashes: list[EntryHash] = []
        self._access: _Timeline[Access] = _Timeline()
        self._identities: dict[AccountId, _Timeline[PublicIdentity]] = {}
        self._logins: dict[AccountId, str] = {}
        self._invited: set[InviteId] = set()
        self._keys: dict[Scope, _Timeline[ScopeKeys]] = {}
        self._epochs: dict[Scope, list[Epoch]] = {}
        self._labels: dict[Scope, Label] = {}
        self._cuts: dict[ProjectId, list[Cut]] = {}

    @classmethod
    def replay(cls, org: OrgId, entries: Iterable[bytes]) -> MembershipLog:
        """Verifies a whole log; raises VerificationError naming the first entry that fails."""
        log = cls(org)
        for data in entries:
            log.append(MembershipEntry.parse(data))
        return log

    @property
    def head(self) -> Citation:
        """The newest entry's place; (0, zeros) of an empty log."""
        return Citation(len(self._hashes), self._hashes[-1] if self._hashes else NO_ENTRY)

    def append(self, entry: MembershipEntry) -> None:
        """Verifies the entry against everything before it and takes it in.

        Raises:
            ForkError: the entry continues another history.
            VerificationError: layer ``chain``, ``membership``, ``role``, ``epoch`` or
                ``signature``; the log stays as it was.
        """
        self._apply(entry, self._checked(entry))
        self._hashes.append(entry.hash)

    def check(self, entry: MembershipEntry) -> None:
        """Raises as `append` does, and takes nothing in."""
        self._checked(entry)

    def _checked(self, entry: MembershipEntry) -> Change:
        if entry.seq != self.head.seq + 1:
            raise VerificationError(
                Layer.CHAIN, f"membership entry {entry.seq} where {self.head.seq + 1} belongs"
            )
        if entry.prev != self.head.hash:
            raise ForkError(f"membership entry {entry.seq} continues another history")
        if not self._hashes:
            return found(self.org, entry)
        if entry.org != self.org:
            raise VerificationError(Layer.MEMBERSHIP, "the entry is of another organization")
        if self.deleted:
            raise VerificationError(Layer.MEMBERSHIP, "the organization is deleted")
        if isinstance(entry.body, Join):
            entry.verify_signature(entry.body.identity.signing)
        else:
            if self.access.role(entry.actor) is None:
                raise VerificationError(Layer.ROLE, "the entry's actor is not a member")
            entry.verify_signature(self.signing_key(entry.actor, self.head.seq))
        return judge(self, entry)

    # --------------------------------------------------------------------------------- applying

    def _apply(self, entry: MembershipEntry, change: Change) -> None:
        body, seq = entry.body, entry.seq
        if isinstance(body, Genesis):
            self.kind = body.kind
        if isinstance(body, Invite):
            self._invited.add(body.invite)
        self._access.set(seq, change.access)
        if change.identity is not None:
            self._identities.setdefault(entry.actor, _Timeline()).set(seq, change.identity)
        if change.login is not None:
            self._logins[entry.actor] = change.login
        if change.label is not None:
            scope, label = change.label
            self._labels[scope] = label
        if change.license is not None:
            self.license = change.license
        self.deleted = change.deleted
        self._apply_keys(seq, change)

    def _apply_keys(self, seq: int, change: Change) -> None:
        for scope, epoch in change.epochs.items():
            self._start_epoch(seq, scope, epoch)
        for scope in change.wraps.keys() | change.due:
            self._keys[scope].set(seq, self._rewrapped(scope, change))
        if change.status is not None:
            project, status = change.status
            self._keys[project].set(seq, replace(self._keys[project].newest, status=status))

    def _rewrapped(self, scope: Scope, change: Change) -> ScopeKeys:
        """Returns the keys of a scope with the change's wrap, and without those of who is gone."""
        keys, wanted = self._keys[scope].newest, change.access.recipients(scope)
        wraps, invites = dict(keys.wraps), dict(keys.invites)
        who, wrap = change.recipient, change.wraps.get(scope)
        if wrap is not None and isinstance(who, InviteId):
            invites[who] = wrap
        elif wrap is not None and isinstance(who, AccountId):
            wraps[who] = wrap
        return replace(
            keys,
            wraps={a: wraps[a] for a in wraps if a in wanted.accounts},
            invites={i: invites[i] for i in invites if i in wanted.invites},
            due=keys.due or scope in change.due,
        )

    def _start_epoch(self, seq: int, scope: Scope, epoch: Epoch) -> None:
        timeline = self._keys.setdefault(scope, _Timeline())
        before = timeline.at(seq)
        status = before.status if before else Status.ACTIVE
        keys = ScopeKeys(epoch.number, epoch.commitment, epoch.wraps, epoch.invites, status=status)
        timeline.set(seq, keys)
        self._epochs.setdefault(scope, []).append(epoch)
        if epoch.cut is not None:
            self._cuts.setdefault(scope, []).append(Cut(seq, epoch.cut))

    # ----------------------------------------------------------------------------- the newest state

    @property
    def access(self) -> Access:
        """Members, open invites and projects now; of a log with one entry at least."""
        return self._access.newest

    @property
    def home(self) -> Scope:
        """The scope of the organization's name."""
        return self.access.home

    def members(self) -> dict[AccountId, Role]:
        """Returns the present members and their roles in the organization."""
        return {account: seat.role for account, seat in self.access.members.items()}

    def identity(self, account: AccountId) -> PublicIdentity:
        """Returns a present or former member's newest keys; raises VerificationError."""
        return self._identity_at(account, self.head.seq)

    def login(self, account: AccountId) -> str:
        """Returns the login name with which an account came; raises VerificationError."""
        if account not in self._logins:
            raise VerificationError(Layer.MEMBERSHIP, "no keys of that account are known")
        return self._logins[account]

    def is_used(self, invite: InviteId) -> bool:
        """Tells whether an invite of this id was ever made."""
        return invite in self._invited

    def is_known(self, project: ProjectId) -> bool:
        """Tells whether a project of this id was ever made, or the home has it."""
        return project in self._keys

    def projects(self) -> list[ProjectId]:
        """Returns the projects that are not deleted, in the order in which they were added."""
        present = self.access.projects
        return [scope for scope in self._keys if scope in present]

    def status(self, project: ProjectId) -> Status:
        """Returns the status of a project, deleted ones as well; raises VerificationError."""
        return self._newest_keys(project).status

    def keys(self, scope: Scope) -> ScopeKeys:
        """Returns the present epoch of a scope; raises VerificationError (``membership``)."""
        keys = self._newest_keys(scope)
        if keys.status is Status.DELETED:
            raise VerificationError(Layer.MEMBERSHIP, "the project is deleted")
        return keys

    def _newest_keys(self, scope: Scope) -> ScopeKeys:
        if scope not in self._keys:
            raise VerificationError(Layer.MEMBERSHIP, "the organization has no such project")
        return self._keys[scope].newest

    def epochs(self, scope: Scope) -> Sequence[Epoch]:
        """Returns all epochs of a scope, the first one first."""
        self._newest_keys(scope)
        return self._epochs[scope]

    def due(self) -> list[Scope]:
        """Returns the scopes that need a new epoch."""
        return [scope for scope in self.access.scopes if self._keys[scope].newest.due]

    def label(self, scope: Scope) -> Label:
        """Returns the sealed name of a project or of the home."""
        self._newest_keys(scope)
        return self._labels[scope]

    # ----------------------------------------------------------------------------- earlier states

    def check_citation(self, cited: Citation) -> None:
        """Raises unless the cited entry is in this log.

        Raises:
            VerificationError: layer ``membership``: the log is not known so far.
            ForkError: another entry stands there.
        """
        if not 1 <= cited.seq <= len(self._hashes):
            raise VerificationError(Layer.MEMBERSHIP, "an unknown membership state is cited")
        if self._hashes[cited.seq - 1] != cited.hash:
            raise ForkError(f"membership entry {cited.seq} is another one than is cited")

    def role_at(self, account: AccountId, seq: int, project: ProjectId) -> Role | None:
        """Returns the role in a project after entry ``seq``; None for who has no access then."""
        access = self._access.at(seq)
        return access.role(account, project) if access else None

    def signing_key(self, account: AccountId, seq: int) -> VerifyKey:
        """Returns the key that signs for the account after entry ``seq``."""
        return self._identity_at(account, seq).signing

    def _identity_at(self, account: AccountId, seq: int) -> PublicIdentity:
        timeline = self._identities.get(account)
        identity = timeline.at(seq) if timeline else None
        if identity is None:
            raise VerificationError(Layer.MEMBERSHIP, "no keys of that account are known")
        return identity

    def epoch_at(self, project: ProjectId, seq: int) -> int:
        """Returns the epoch under which a project is written after entry ``seq``.

        Raises:
            VerificationError: layer ``membership``, ``role`` or ``epoch``: the project is not
                there, or archived, or needs a new epoch first.
        """
        keys = self._keys[project].at(seq) if project in self._keys else None
        if keys is None or project == self.home:
            raise VerificationError(Layer.MEMBERSHIP, "the project is not of the organization")
        # Nothing follows a deletion, so only the newest state can be one.
        if self.deleted and seq == self.head.seq:
            raise VerificationError(Layer.ROLE, "the organization is deleted")
        return writable_epoch(keys.epoch, keys.status, due=keys.due)

    def cuts(self, project: ProjectId) -> Sequence[Cut]:
        """Returns the cuts of a project's push log, the oldest first."""
        return self._cuts.get(project, ())

    def last_cut(self, project: ProjectId) -> Citation:
        """Returns the newest place at which a push log was cut; (0, zeros) without one."""
        cuts = self.cuts(project)
        return cuts[-1].push if cuts else Citation(0, NO_ENTRY)

    def check_cut(self, project: ProjectId, entry: Citation, cited: int) -> None:
        """Raises unless a push entry stands on the right side of every cut.

        Raises:
            ForkError: another entry stands at a cut.
            VerificationError: layer ``role``: what was signed under an older state comes too late.
        """
        for cut in self.cuts(project):
            if entry.seq == cut.push.seq and entry.hash != cut.push.hash:
                raise ForkError(f"entry {entry.seq} is another one than the members agreed on")
            if entry.seq > cut.push.seq and cited < cut.members:
                raise VerificationError(
                    Layer.ROLE, f"entry {entry.seq} cites a state before a change of the members"
                )
            if entry.seq <= cut.push.seq and cited >= cut.members:
                raise VerificationError(
                    Layer.MEMBERSHIP, f"entry {entry.seq} cites a state after its own time"
                )


def writable_epoch(epoch: int, status: Status, *, due: bool) -> int:
    """Returns the epoch if a project may be written under it; raises VerificationError."""
    if status is not Status.ACTIVE:
        raise VerificationError(Layer.ROLE, f"the project is {status}")
    if due:
        raise VerificationError(
            Layer.EPOCH,
            "a member left or lost a device, and the project has no new key so far",
            hint="pull; a member who may write makes the key with the next push",
        )
    return epoch
