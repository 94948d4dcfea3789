"""What commands about organizations share: which account and which organization is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from sopor.cli import completing
from sopor.cli.accounts import account_options, open_keystore
from sopor.cli.rendering.changes import count
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
        shell_complete=completing.organizations,
        help="Which organization: that of this folder's project, or the only team, by default.",
    )
    return option(account_options(function))


def yes_option(function: Callable[..., None]) -> Callable[..., None]:
    """Adds ``--yes``, for what asks first because it cannot be undone."""
    return click.option("-y", "--yes", is_flag=True, help="Do not ask.")(function)


def unless_yes(session: Session, yes: bool) -> Callable[[str], None]:
    """Returns what asks a person before something that cannot be undone, unless ``--yes``."""
    return _nothing if yes else session.asking.confirm


def _nothing(_what: str) -> None:
    """Asks nothing."""


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
    from sopor.organization.settling import settle

    with open_account(session, server, account) as opened:
        found = _find(opened, org, None if org else _of_this_folder(session))
        made = settle(found)
        if made:
            session.console.note(f"Made {count(made, 'new key')} that were waited for")
        yield found


def _find(account: Account, org: str | None, here: str | None) -> Organization:
    from sopor.organization import find_organization

    try:
        return find_organization(account, org or here)
    except NotFound:
        if here is None:
            raise
    raise NotFound(
        f"{account.login} is no member of the organization of this folder's project any more, "
        "or it was deleted",
        hint="name another one with --org: `sopor org list`",
    )


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
