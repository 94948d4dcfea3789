"""What a member's client does for the organization by itself, at its next contact.

Somebody who leaves, or who changes keys after a lost device, cannot be trusted with the next
secrets; so the next member who may write makes them. Invites that expired still open the present
secrets to who holds the code and the server's data; so they are cancelled, with new secrets.
"""

from __future__ import annotations

from collections.abc import Collection

from sopor.moments import now
from sopor.organization.organization import Organization
from sopor_core.ids import AccountId, InviteId
from sopor_core.membership import MembershipLog, Scope


def settle(organization: Organization) -> int:
    """Makes the keys that are due and that the account may make; returns how many.

    Raises:
        SoporError: what `Organization.append` raises.
    """
    made = 0
    for invite in _expired(organization):
        if invite in organization.log.access.invites:
            made += _cancel(organization, invite)
    due = due_for(organization.log, organization.me)
    if due:
        organization.append(lambda drafting: drafting.epochs(due_for(drafting.log, drafting.me)))
    return made + len(due)


def _cancel(organization: Organization, invite: InviteId) -> int:
    from sopor.organization.describing import new_epochs

    return new_epochs(organization.append(lambda drafting: drafting.cancel(invite)))


def due_for(log: MembershipLog, account: AccountId) -> Collection[Scope]:
    """Returns the scopes that need a new secret which an account may make."""
    roles = {scope: log.access.role(account, scope) for scope in log.due()}
    return [scope for scope, role in roles.items() if role is not None and role.may_write]


def _expired(organization: Organization) -> list[InviteId]:
    access = organization.log.access
    role = access.role(organization.me)
    if role is None:
        return []
    time = now()
    return [
        invite
        for invite, given in access.invites.items()
        if given.expires < time and role.may_give(given.seat.role)
    ]
