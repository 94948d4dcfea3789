"""Founds an organization: the first entry of its membership log (SPEC section 8.2)."""

from __future__ import annotations

from sopor.crypto.account import AccountKeys
from sopor.crypto.epochs import Addresses, first_epoch
from sopor.crypto.keys import FIRST_EPOCH, EpochSecret, ProjectKeys
from sopor.crypto.labels import seal_organization_label
from sopor.crypto.wraps import HOME
from sopor_core.ids import NO_ENTRY
from sopor_core.membership import Genesis, MembershipEntry, Scope


def genesis_entry(
    keys: AccountKeys, login: str, name: str, kind: str, time: int
) -> MembershipEntry:
    """Makes the signed genesis of a new organization; its hash is the organization's id.

    Args:
        keys: the owner's keys.
        login: the owner's login name.
        name: the organization's name, which the server does not learn.
        kind: ``personal`` or ``team``.
        time: milliseconds since 1970.

    Raises:
        InvalidValue: the name is not acceptable.
    """
    identity, home, secret = keys.identity, Scope.random(), EpochSecret.random()
    owner = Addresses({identity.account: identity.encryption}, {})
    first = first_epoch(HOME, home, secret, owner)
    label = seal_organization_label(ProjectKeys(home, {FIRST_EPOCH: secret}), FIRST_EPOCH, name)
    body = Genesis(kind, home, identity, login, first, label)
    return MembershipEntry(None, 1, NO_ENTRY, identity.account, time, body).sign(keys)
