"""What commands about organizations share: which account and which organization is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from sopor.cli.accounts import account_options, open_keystore
from sopor.cli.session import Session
from sopor.errors import NotFound

if TYPE_CHECKING:
    from sopor.account import Account
    from sopor.organization import Organization
    from sopor.organization.trust import TrustedKeys


def org_options(function: Callable[..., None]) -> Callable[..., None]:
    """Adds ``--org``, ``--server`` and ``--account``."""
    option = click.option(
        "--org",
        metavar="NAME",
        help="Which organization: that of this folder's project, or the only team, by default.",
    )
    return option(account_options(function))


@contextmanager
def open_account(session: Session, server: str | None, account: str | None) -> Iterator[Account]:
    """Unlocks the account that is meant."""
    from sopor.account import unlock

    keystore = open_keystore()
    with unlock(keystore, session.asking, keystore.find(server, account)) as opened:
        session.console.progress("asking the server")
        yield opened


@contextmanager
def open_organization(
    session: Session, org: str | None, server: str | None, account: str | None
) -> Iterator[Organization]:
    """Fetches and verifies the organization that is meant, and does what waits for this account."""
    from sopor.organization import find_organization
    from sopor.organization.settling import settle

    with open_account(session, server, account) as opened:
        word = org or _of_this_folder(session)
        found = find_organization(opened, word)
        yield found
        if found.me in found.log.access.members and not found.log.deleted:
            made = settle(found)
            if made:
                session.console.note(f"Made {made} new keys that were due")


def _of_this_folder(session: Session) -> str | None:
    """Returns the id of the organization of the project in this folder, if there is one."""
    try:
        with session.open() as repository:
            org = repository.context.org
    except NotFound:
        return None
    return org.hex() if org else None


def trusted_keys(organization: Organization) -> TrustedKeys:
    """Returns whose keys the account compared on this device."""
    from sopor.organization.trust import TrustedKeys

    return TrustedKeys(open_keystore().home, organization.me)
