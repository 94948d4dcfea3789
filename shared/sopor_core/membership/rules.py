"""What each kind of entry needs, and what it changes (SPEC section 8.2).

`judge` raises or returns the whole `Change`; only then the log applies it, so that a refused entry
leaves no trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import singledispatch
from typing import NoReturn, Protocol

from sopor_core.errors import Layer, VerificationError
from sopor_core.identity import PublicIdentity
from sopor_core.ids import NO_ENTRY, AccountId, InviteId, OrgId, ProjectId
from sopor_core.license import License
from sopor_core.limits import MAX_SEATS, MAX_WRAPS
from sopor_core.membership.entry import MembershipEntry
from sopor_core.membership.parts import Body, Epoch, Label, Status
from sopor_core.membership.people import (
    AccountRekey,
    Invite,
    InviteCancel,
    Join,
    Remove,
    SetRole,
    join_message,
    rekey_message,
)
from sopor_core.membership.roles import (
    Access,
    OpenInvite,
    Recipient,
    Role,
    Scope,
    Seat,
)
from sopor_core.membership.scopes import Genesis, NewEpochs, OrgSet, Plan, ProjectNew, ProjectSet
from sopor_core.push_entry import Citation
from sopor_core.signing import JOIN, REKEY, signed_message


@dataclass(frozen=True)
class ScopeKeys:
    """What the log says of a scope's present epoch.

    ``due``: a new epoch must be made before anybody writes. ``status`` is that of a project.
    """

    epoch: int
    commitment: bytes
    wraps: Mapping[AccountId, bytes]
    invites: Mapping[InviteId, bytes]
    due: bool = False
    status: Status = Status.ACTIVE


class State(Protocol):
    """What the rules ask of the log before the entry."""

    @property
    def org(self) -> OrgId:
        """The organization."""

    @property
    def kind(self) -> str:
        """``personal`` or ``team``."""

    @property
    def access(self) -> Access:
        """The present access."""

    def keys(self, scope: Scope) -> ScopeKeys:
        """Returns the present epoch of a scope; raises VerificationError (``membership``)."""

    def is_used(self, invite: InviteId) -> bool:
        """Tells whether an invite of this id was ever made."""

    def is_known(self, project: ProjectId) -> bool:
        """Tells whether a project of this id was ever made."""

    def login(self, account: AccountId) -> str:
        """Returns the login name with which a member came; raises VerificationError."""

    def last_cut(self, project: ProjectId) -> Citation:
        """Returns the newest place at which a push log was cut; (0, zeros) without one."""


@dataclass(frozen=True)
class Change:
    """What an accepted entry changes."""

    access: Access
    epochs: Mapping[Scope, Epoch] = field(default_factory=dict)
    wraps: Mapping[Scope, bytes] = field(default_factory=dict)
    recipient: Recipient | None = None
    due: Set[Scope] = frozenset()
    identity: PublicIdentity | None = None
    login: str | None = None
    label: tuple[Scope, Label] | None = None
    status: tuple[ProjectId, Status] | None = None
    license: License | None = None
    deleted: bool = False


def found(org: OrgId, entry: MembershipEntry) -> Change:
    """Judges entry 1."""
    body = entry.body
    if not isinstance(body, Genesis) or entry.seq != 1 or entry.org is not None:
        _refuse("an organization is founded once, by its first entry")
    if bytes(entry.hash) != bytes(org):
        _refuse("the genesis is of another organization")
    if entry.actor != body.owner.account:
        _refuse("the genesis is not by its owner")
    entry.verify_signature(body.owner.signing)
    access = Access(body.home).with_member(entry.actor, Seat(Role.OWNER))
    _check_first(body.first, access, body.home)
    return Change(
        access,
        epochs={body.home: body.first},
        identity=body.owner,
        login=body.login,
        label=(body.home, Label(1, body.label)),
    )


def judge(state: State, entry: MembershipEntry) -> Change:
    """Judges a later entry, whose signature by the actor's key was verified.

    A join's signature is that of the identity in it; `judge` checks the invite's proof.

    Raises:
        VerificationError: layer ``membership``, ``role``, ``epoch`` or ``signature``.
    """
    return _change(entry.body, state, entry)


@singledispatch
def _change(_body: Body, _state: State, _entry: MembershipEntry) -> Change:
    _refuse("an organization is founded once, by its first entry")


# ------------------------------------------------------------------------------------- people


@_change.register
def _invite(body: Invite, state: State, entry: MembershipEntry) -> Change:
    _check_administers(state, entry, owners_only={body.role})
    if state.kind == "personal":
        _refuse("nobody is invited to a personal organization")
    if state.is_used(body.invite):
        _refuse("the invite exists already")
    before = state.access
    unknown = body.projects.keys() - before.projects
    if unknown or (body.role.may_administer and body.projects):
        _refuse("the roles in projects of an invite do not fit")
    seat = Seat(body.role, dict(body.projects))
    _check_wraps(body.wraps, before.scopes_of(seat))
    given = OpenInvite(entry.actor, body.key, body.encryption, seat, body.expires)
    after = before.with_invite(body.invite, given)
    _check_size(after)
    return Change(after, wraps=body.wraps, recipient=body.invite)


@_change.register
def _invite_cancel(body: InviteCancel, state: State, entry: MembershipEntry) -> Change:
    _check_administers(state, entry, owners_only={_open_invite(state, body.invite).seat.role})
    after = state.access.without_invites([body.invite])
    _check_taken(state, after, body.epochs)
    return Change(after, epochs=body.epochs)


@_change.register
def _join(body: Join, state: State, entry: MembershipEntry) -> Change:
    invite = _open_invite(state, body.invite)
    if entry.actor != body.identity.account:
        _refuse("somebody joins with the keys of somebody else")
    if entry.actor in state.access.members:
        _refuse("who joins is a member already")
    if any(state.login(member) == body.login for member in state.access.members):
        _refuse("a member has that login name already")
    if entry.time > invite.expires:
        _refuse("the invite had expired")
    message = join_message(state.org, body.invite, entry.prev, body.identity, body.login)
    invite.key.verify(body.proof, signed_message(JOIN, message))
    _check_wraps(body.wraps, state.access.scopes_of(invite.seat))
    after = state.access.without_invites([body.invite]).with_member(entry.actor, invite.seat)
    return Change(
        after,
        wraps=body.wraps,
        recipient=entry.actor,
        identity=body.identity,
        login=body.login,
    )


@_change.register
def _set_role(body: SetRole, state: State, entry: MembershipEntry) -> Change:
    before = state.access
    seat = _seat(state, body.account)
    if body.project is None:
        _check_administers(state, entry, owners_only={seat.role, body.role})
        changed = Seat(body.role, {} if body.role.may_administer else seat.projects)
    else:
        _check_administers(state, entry)
        if seat.role.may_administer:
            _refuse("an owner or admin has no other role in a project")
        if body.project not in before.projects:
            _refuse("the organization has no such project")
        changed = Seat(seat.role, {**seat.projects, body.project: body.role})
    after = before.with_member(body.account, changed)
    _check_owner_stays(after)
    _check_wraps(body.wraps, after.scopes_of(changed) - before.scopes_of(seat))
    _check_taken(state, after, body.epochs)
    return Change(after, epochs=body.epochs, wraps=body.wraps, recipient=body.account)


@_change.register
def _remove(body: Remove, state: State, entry: MembershipEntry) -> Change:
    seat = _seat(state, body.account)
    after = state.access.without_member(body.account)
    _check_owner_stays(after)
    if entry.actor == body.account:
        if body.epochs:
            _refuse("who leaves makes no epochs")
        return Change(after, due=state.access.taken(after))
    _check_administers(state, entry, owners_only={seat.role})
    _check_taken(state, after, body.epochs)
    return Change(after, epochs=body.epochs)


@_change.register
def _account_rekey(body: AccountRekey, state: State, entry: MembershipEntry) -> Change:
    if body.identity.account != entry.actor:
        _refuse("somebody replaces the keys of somebody else")
    message = rekey_message(state.org, entry.prev, body.identity)
    body.identity.signing.verify(body.proof, signed_message(REKEY, message))
    before, seat = state.access, _seat(state, entry.actor)
    own = before.scopes_of(seat)
    _check_wraps(body.wraps, own)
    after = before.without_invites_of(entry.actor)
    return Change(
        after,
        wraps=body.wraps,
        recipient=entry.actor,
        due=own | before.taken(after),
        identity=body.identity,
    )


# ---------------------------------------------------------------------- projects, organization


@_change.register
def _project_new(body: ProjectNew, state: State, entry: MembershipEntry) -> Change:
    _check_administers(state, entry)
    if state.is_known(body.project):
        _refuse("the project exists already")
    after = state.access.with_project(body.project)
    _check_size(after)
    _check_first(body.first, after, body.project)
    return Change(
        after, epochs={body.project: body.first}, label=(body.project, Label(1, body.label))
    )


@_change.register
def _project_set(body: ProjectSet, state: State, entry: MembershipEntry) -> Change:
    _check_administers(state, entry)
    if body.project not in state.access.projects:
        _refuse("the organization has no such project")
    if body.label is not None:
        _check_label(body.label, state.keys(body.project))
    deleted = body.status is Status.DELETED
    return Change(
        state.access.without_project(body.project) if deleted else state.access,
        label=(body.project, body.label) if body.label else None,
        status=(body.project, body.status) if body.status else None,
    )


@_change.register
def _org_set(body: OrgSet, state: State, entry: MembershipEntry) -> Change:
    _check_owner(state, entry)
    home = state.access.home
    if body.label is None:
        if state.kind == "personal":
            _refuse("a personal organization is not deleted")
        return Change(state.access, deleted=True)
    _check_label(body.label, state.keys(home))
    return Change(state.access, label=(home, body.label))


@_change.register
def _new_epochs(body: NewEpochs, state: State, entry: MembershipEntry) -> Change:
    for scope in body.epochs:
        if scope not in state.access.scopes:
            _refuse("a new epoch is of a scope that is not there")
        role = state.access.role(entry.actor, scope)
        allowed = role is not None and (
            role.may_administer or (role.may_write and state.keys(scope).due)
        )
        if not allowed:
            raise VerificationError(Layer.ROLE, "the entry's actor may not make this epoch")
    _check_epochs(state, state.access, body.epochs)
    return Change(state.access, epochs=body.epochs)


@_change.register
def _plan(body: Plan, state: State, entry: MembershipEntry) -> Change:
    _check_owner(state, entry)
    if body.license.org != state.org:
        _refuse("the license is of another organization")
    return Change(state.access, license=body.license)


# -------------------------------------------------------------------------------------- checks


def _check_administers(
    state: State, entry: MembershipEntry, owners_only: Set[Role] = frozenset()
) -> None:
    role = state.access.role(entry.actor)
    if role is None or not role.may_administer:
        raise VerificationError(Layer.ROLE, f"the entry's actor is a {role}")
    if Role.OWNER in owners_only and role is not Role.OWNER:
        raise VerificationError(Layer.ROLE, "only an owner makes, changes or removes an owner")


def _check_owner(state: State, entry: MembershipEntry) -> None:
    role = state.access.role(entry.actor)
    if role is not Role.OWNER:
        raise VerificationError(Layer.ROLE, f"the entry's actor is a {role}, not an owner")


def _check_owner_stays(after: Access) -> None:
    if not after.owners():
        _refuse("one owner at least stays")


def _check_size(after: Access) -> None:
    # An organization never outgrows the entry that removes somebody from all of it.
    seats = len(after.members) + len(after.invites)
    if seats > MAX_SEATS or (seats + 3) * len(after.scopes) > MAX_WRAPS:
        raise VerificationError(
            Layer.MEMBERSHIP,
            "the organization has as many members, invites and projects as there may be",
            hint="cancel invites, remove members or delete projects that nobody needs",
        )


def _check_wraps(wraps: Mapping[Scope, bytes], expected: Set[Scope]) -> None:
    if wraps.keys() != expected:
        _refuse("keys are not wrapped for exactly the scopes that access is given to")


def _check_taken(state: State, after: Access, epochs: Mapping[Scope, Epoch]) -> None:
    if epochs.keys() != state.access.taken(after):
        _refuse("there are not new epochs of exactly the scopes that access is taken from")
    _check_epochs(state, after, epochs)


def _check_epochs(state: State, after: Access, epochs: Mapping[Scope, Epoch]) -> None:
    for scope, epoch in epochs.items():
        if epoch.number != state.keys(scope).epoch + 1:
            raise VerificationError(Layer.EPOCH, "a new epoch is not the next one")
        if not epoch.previous:
            raise VerificationError(Layer.EPOCH, "a new epoch lacks the key of the one before")
        if (epoch.cut is None) != (scope == after.home):
            _refuse("a new epoch of a project has a cut, that of a home has none")
        if epoch.cut is not None:
            _check_cut(epoch.cut, state.last_cut(scope))
        _check_recipients(epoch, after, scope)


def _check_cut(cut: Citation, before: Citation) -> None:
    if (cut.seq == 0) != (cut.hash == NO_ENTRY):
        _refuse("a cut is [0, zeros] for an empty push log alone")
    if cut.seq < before.seq or (cut.seq == before.seq and cut != before):
        _refuse("a cut goes back behind an earlier one")


def _check_label(label: Label, keys: ScopeKeys) -> None:
    # Who left of itself still has the secret of an epoch that is due to end.
    if label.epoch != keys.epoch or keys.due:
        raise VerificationError(Layer.EPOCH, "a name is sealed under an epoch that is not in force")


def _check_first(epoch: Epoch, after: Access, scope: Scope) -> None:
    if epoch.number != 1 or epoch.previous or epoch.cut is not None:
        raise VerificationError(Layer.EPOCH, "the first epoch is not the first")
    _check_recipients(epoch, after, scope)


def _check_recipients(epoch: Epoch, after: Access, scope: Scope) -> None:
    wanted = after.recipients(scope)
    if epoch.wraps.keys() != wanted.accounts or epoch.invites.keys() != wanted.invites:
        _refuse("an epoch's key is not wrapped for exactly the members and open invites")


def _open_invite(state: State, invite: InviteId) -> OpenInvite:
    found = state.access.invites.get(invite)
    if found is None:
        _refuse("the invite was used or cancelled, or never made")
    return found


def _seat(state: State, account: AccountId) -> Seat:
    seat = state.access.members.get(account)
    if seat is None:
        _refuse("the organization has no such member")
    return seat


def _refuse(message: str) -> NoReturn:
    raise VerificationError(Layer.MEMBERSHIP, message)
