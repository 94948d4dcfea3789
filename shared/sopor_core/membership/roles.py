"""Roles, and who has access to what: the part of a membership state that decides (SPEC 8.2).

`Access` never changes; every entry makes a new one, so that the state before and after an entry can
be compared, and the state that a push entry cites can be asked later.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from sopor_core.ids import AccountId, InviteId, ProjectId
from sopor_core.signing import VerifyKey

Scope: TypeAlias = ProjectId
"""What has epochs: a project, or the home of the organization."""
Recipient: TypeAlias = AccountId | InviteId
"""Who a scope's secret is wrapped for."""


class Role(StrEnum):
    """What a member may do, in the organization or in one project."""

    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    VIEWER = "viewer"
    NONE = "none"
    """In one project only: the member has no access to it."""

    @property
    def may_write(self) -> bool:
        """Tells whether the role may push."""
        return self in (Role.OWNER, Role.ADMIN, Role.EDITOR)

    @property
    def may_administer(self) -> bool:
        """Tells whether the role may invite and remove members and create projects."""
        return self in (Role.OWNER, Role.ADMIN)

    def may_give(self, role: Role) -> bool:
        """Tells whether the role may invite to another one, and take it away."""
        return self is Role.OWNER or (self is Role.ADMIN and role is not Role.OWNER)


ORGANIZATION_ROLES = (Role.OWNER, Role.ADMIN, Role.EDITOR, Role.VIEWER)
PROJECT_ROLES = (Role.EDITOR, Role.VIEWER, Role.NONE)


@dataclass(frozen=True)
class Seat:
    """A role in the organization, and other roles in some projects."""

    role: Role
    projects: Mapping[ProjectId, Role] = field(default_factory=dict)

    def role_in(self, project: ProjectId) -> Role:
        """Returns the role in a project."""
        if self.role.may_administer:
            return self.role
        return self.projects.get(project, self.role)


@dataclass(frozen=True)
class OpenInvite:
    """An invitation that nobody has used so far: its two public keys, and what it gives."""

    inviter: AccountId
    key: VerifyKey
    encryption: bytes
    seat: Seat
    expires: int


@dataclass(frozen=True)
class Recipients:
    """The members and the open invites that have access to a scope."""

    accounts: frozenset[AccountId]
    invites: frozenset[InviteId]


@dataclass(frozen=True)
class Access:
    """Members, open invites and projects after some entry."""

    home: Scope
    members: Mapping[AccountId, Seat] = field(default_factory=dict)
    invites: Mapping[InviteId, OpenInvite] = field(default_factory=dict)
    projects: frozenset[ProjectId] = frozenset()

    @property
    def scopes(self) -> frozenset[Scope]:
        """The home and all projects that are not deleted."""
        return self.projects | {self.home}

    def role(self, account: AccountId, scope: Scope | None = None) -> Role | None:
        """Returns a role in the organization or a scope; None for who has no access."""
        seat = self.members.get(account)
        if seat is None:
            return None
        role = seat.role if scope in (None, self.home) else seat.role_in(scope)
        return None if role is Role.NONE else role

    def scopes_of(self, seat: Seat | None) -> frozenset[Scope]:
        """Returns the scopes that a seat has access to."""
        if seat is None:
            return frozenset()
        closed = {project for project in self.projects if seat.role_in(project) is Role.NONE}
        return self.scopes - closed

    def recipients(self, scope: Scope) -> Recipients:
        """Returns whom a scope's secret must be wrapped for."""
        return Recipients(
            frozenset(a for a, seat in self.members.items() if self._has(seat, scope)),
            frozenset(i for i, invite in self.invites.items() if self._has(invite.seat, scope)),
        )

    def _has(self, seat: Seat, scope: Scope) -> bool:
        return scope == self.home or seat.role_in(scope) is not Role.NONE

    def owners(self) -> set[AccountId]:
        """Returns the owners."""
        return {a for a, seat in self.members.items() if seat.role is Role.OWNER}

    def with_member(self, account: AccountId, seat: Seat) -> Access:
        """Returns the access after an account became a member, or its seat changed.

        Its open invites that it could not make with this role are cancelled.
        """
        lost = [
            invite
            for invite, given in self.invites.items()
            if given.inviter == account and not seat.role.may_give(given.seat.role)
        ]
        return replace(self, members={**self.members, account: seat}).without_invites(lost)

    def without_member(self, account: AccountId) -> Access:
        """Returns the access after a member is gone, and the invites that it made."""
        members = {a: seat for a, seat in self.members.items() if a != account}
        return replace(self, members=members).without_invites_of(account)

    def with_invite(self, invite: InviteId, given: OpenInvite) -> Access:
        """Returns the access after an invite."""
        return replace(self, invites={**self.invites, invite: given})

    def without_invites(self, invites: Collection[InviteId]) -> Access:
        """Returns the access after invites were used or cancelled."""
        return replace(self, invites={i: v for i, v in self.invites.items() if i not in invites})

    def without_invites_of(self, inviter: AccountId) -> Access:
        """Returns the access after the invites of a member were cancelled."""
        return self.without_invites([i for i, v in self.invites.items() if v.inviter == inviter])

    def with_project(self, project: ProjectId) -> Access:
        """Returns the access after a project was added."""
        return replace(self, projects=self.projects | {project})

    def without_project(self, project: ProjectId) -> Access:
        """Returns the access after a project was deleted."""
        members = {account: _without(seat, project) for account, seat in self.members.items()}
        return replace(self, members=members, projects=self.projects - {project})

    def taken(self, after: Access) -> frozenset[Scope]:
        """Returns the scopes, there before and after, that need a new epoch after a change.

        Somebody had access to them only before, or may write in them no longer: without the cut of
        a new epoch, who is a viewer now could push on under the older state.
        """
        kept = self.scopes & after.scopes
        return frozenset(scope for scope in kept if self._loses(after, scope))

    def _loses(self, after: Access, scope: Scope) -> bool:
        # Members and invites are compared apart: nothing keeps an invite from having the id of an
        # account, and it must not stand in for a member who is gone.
        had, has = self.recipients(scope), after.recipients(scope)
        return bool(
            had.accounts - has.accounts
            or had.invites - has.invites
            or self._writers(scope) - after._writers(scope)
        )

    def _writers(self, scope: Scope) -> set[AccountId]:
        # The home has no push log.
        if scope == self.home:
            return set()
        return {a for a, seat in self.members.items() if seat.role_in(scope).may_write}


def _without(seat: Seat, project: ProjectId) -> Seat:
    if project not in seat.projects:
        return seat
    return replace(seat, projects={p: r for p, r in seat.projects.items() if p != project})
