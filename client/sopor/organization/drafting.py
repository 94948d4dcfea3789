"""Makes the bodies of membership entries: who gets which key, and which epochs end (SPEC 8.2).

Pure: the caller gives the verified log, the account's keys, and where the push logs end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field

from sopor.crypto.account import AccountKeys
from sopor.crypto.epochs import Addresses, first_epoch, next_epoch, unlock_scope, wrap_context
from sopor.crypto.invites import InviteCode
from sopor.crypto.keys import FIRST_EPOCH, EpochSecret, ProjectKeys
from sopor.crypto.labels import seal_organization_label, seal_project_label
from sopor.crypto.wraps import wrap
from sopor.errors import InvalidInput, NotFound
from sopor.records import dataclass
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import AccountId, InviteId, ProjectId
from sopor_core.license import License
from sopor_core.membership import (
    Access,
    AccountRekey,
    Body,
    Epoch,
    Invite,
    InviteCancel,
    Join,
    Label,
    MembershipEntry,
    MembershipLog,
    NewEpochs,
    OrgSet,
    Plan,
    ProjectNew,
    ProjectSet,
    Recipient,
    Remove,
    Role,
    Scope,
    Seat,
    SetRole,
    Status,
    rekey_message,
)
from sopor_core.push_entry import Citation
from sopor_core.signing import REKEY, signed_message

Heads = Callable[[], Mapping[ProjectId, Citation]]
"""Tells where the push logs of the organization's projects end."""
MS = 1000


@dataclass
class Drafting:
    """Writes entries in the name of one account, after the newest entry of a log."""

    log: MembershipLog
    keys: AccountKeys
    heads: Heads
    _unlocked: dict[Scope, ProjectKeys] = field(default_factory=dict, repr=False)

    @property
    def me(self) -> AccountId:
        """The account that writes."""
        return self.keys.identity.account

    def entry(self, body: Body, time: int) -> MembershipEntry:
        """Returns the signed entry with a body; ``time`` in milliseconds."""
        head = self.log.head
        entry = MembershipEntry(self.log.org, head.seq + 1, head.hash, self.me, time, body)
        return entry.sign(self.keys)

    def unlock(self, scope: Scope) -> ProjectKeys:
        """Returns the keys of a scope; raises VerificationError (``epoch``, ``membership``)."""
        if scope not in self._unlocked:
            self._unlocked[scope] = unlock_scope(self.log, scope, self.me, self.keys)
        return self._unlocked[scope]

    # ----------------------------------------------------------------------------------- people

    def invite(self, code: InviteCode, role: Role, projects: Mapping[ProjectId, Role]) -> Invite:
        """Opens an invitation for who has the code."""
        keys = code.keys
        scopes = self.log.access.scopes_of(Seat(role, projects))
        return Invite(
            invite=keys.invite,
            key=keys.key,
            encryption=keys.encryption,
            role=role,
            projects=projects,
            expires=code.expires * MS,
            wraps=self._wraps(scopes, keys.invite, keys.encryption),
        )

    def cancel(self, invite: InviteId) -> InviteCancel:
        """Ends an invitation."""
        return InviteCancel(invite, self._epochs(self.log.access.without_invites([invite])))

    def set_role(self, account: AccountId, role: Role, project: ProjectId | None) -> SetRole:
        """Changes a role, in the organization or in one project."""
        before = self.log.access
        seat = before.members[account]
        if project is None:
            changed = Seat(role, {} if role.may_administer else seat.projects)
        else:
            changed = Seat(seat.role, {**seat.projects, project: role})
        after = before.with_member(account, changed)
        gained = after.scopes_of(changed) - before.scopes_of(seat)
        return SetRole(
            account,
            role,
            project,
            self._wraps(gained, account, self.log.identity(account).encryption),
            self._epochs(after),
        )

    def remove(self, account: AccountId) -> Remove:
        """Ends a membership; one's own without epochs, which others make then."""
        if account == self.me:
            return Remove(account, {})
        return Remove(account, self._epochs(self.log.access.without_member(account)))

    def rekey(self, new: AccountKeys) -> AccountRekey:
        """Replaces one's own keys; the entry is signed by the old ones."""
        scopes = self.log.access.scopes_of(self.log.access.members[self.me])
        message = rekey_message(self.log.org, self.log.head.hash, new.identity)
        return AccountRekey(
            new.identity,
            self._wraps(scopes, self.me, new.identity.encryption),
            new.sign(signed_message(REKEY, message)),
        )

    # ------------------------------------------------------------------- projects, organization

    def project_new(self, project: ProjectId, secret: EpochSecret, name: str) -> ProjectNew:
        """Adds a project with its first secret."""
        to = Addresses.of(self.log, self.log.access.with_project(project), project)
        label = seal_project_label(ProjectKeys(project, {FIRST_EPOCH: secret}), FIRST_EPOCH, name)
        return ProjectNew(project, first_epoch(self.log.org, project, secret, to), label)

    def project_status(self, project: ProjectId, status: Status) -> ProjectSet:
        """Archives, revives or deletes a project."""
        return ProjectSet(project, status)

    def project_name(self, project: ProjectId, name: str) -> ProjectSet:
        """Renames a project."""
        keys = self.unlock(project)
        sealed = seal_project_label(keys, keys.newest, name)
        return ProjectSet(project, label=Label(keys.newest, sealed))

    def name(self, name: str) -> OrgSet:
        """Renames the organization."""
        keys = self.unlock(self.log.home)
        return OrgSet(Label(keys.newest, seal_organization_label(keys, keys.newest, name)))

    def deletion(self) -> OrgSet:
        """Deletes the organization."""
        return OrgSet(None, deleted=True)

    def epochs(self, scopes: Iterable[Scope]) -> NewEpochs:
        """Starts new epochs."""
        return NewEpochs({scope: self._epoch(scope, self.log.access) for scope in scopes})

    def plan(self, license: License) -> Plan:  # noqa: A002 (the word of the format)
        """Installs a license."""
        return Plan(license)

    # ------------------------------------------------------------------------------------- keys

    def _epochs(self, after: Access) -> dict[Scope, Epoch]:
        return {scope: self._epoch(scope, after) for scope in self.log.access.taken(after)}

    def _epoch(self, scope: Scope, after: Access) -> Epoch:
        cut = None if scope == self.log.home else self._head(scope)
        to = Addresses.of(self.log, after, scope)
        return next_epoch(self.log.org, self.unlock(scope), to, cut)[1]

    def _head(self, project: ProjectId) -> Citation:
        head = self.heads().get(project)
        if head is None:
            raise NotFound(
                f"the server does not tell where project {project.short} ends", hint="try again"
            )
        return head

    def _wraps(self, scopes: Iterable[Scope], to: Recipient, key: bytes) -> dict[Scope, bytes]:
        return {scope: self.wrap_for(self.unlock(scope), to, key) for scope in scopes}

    def wrap_for(self, keys: ProjectKeys, to: Recipient, key: bytes) -> bytes:
        """Wraps the newest secret of a scope to a public key."""
        scope, epoch = keys.project, keys.newest
        context = wrap_context(self.log.org, self.log.home, scope, epoch, to)
        return wrap(keys.secret(epoch), key, context)


def join(log: MembershipLog, code: InviteCode, keys: AccountKeys, login: str) -> Join:
    """Uses an invitation: what the code opens is wrapped for the account's own key.

    Raises:
        InvalidInput: the invite is not open any more.
        VerificationError: it is another one than the code is of, or a key does not open.
    """
    mine, me = code.keys, keys.identity
    invite = log.access.invites.get(mine.invite)
    if invite is None:
        raise InvalidInput(
            "the invite was used or cancelled", hint="ask for a new one: `sopor org invite`"
        )
    if (invite.key, invite.encryption) != (mine.key, mine.encryption):
        raise VerificationError(
            Layer.MEMBERSHIP,
            "the invite is another one than the code is of",
            hint="join nothing; tell who invited you, and who runs the server",
        )
    drafting = Drafting(log, keys, dict)
    wraps = {
        scope: drafting.wrap_for(
            unlock_scope(log, scope, mine.invite, mine), me.account, me.encryption
        )
        for scope in log.access.scopes_of(invite.seat)
    }
    return Join(mine.invite, me, login, wraps, mine.vouch(log.head.hash, me, login))
