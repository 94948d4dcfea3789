"""`sopor whoami`."""

from __future__ import annotations

import click

from sopor.cli.accounts import open_keystore
from sopor.cli.declaring import command as declare
from sopor.cli.rendering.listings import account_lines
from sopor.cli.session import Session
from sopor.errors import NotLoggedIn


@declare("whoami", examples=["sopor whoami", "sopor whoami --use ada@example.com"])
@click.option("--use", metavar="LOGIN", help="Mean this account where none is named.")
@click.option("--server", metavar="URL", help="The server of the account to use.")
def command(session: Session, use: str | None, server: str | None) -> None:
    """Shows the accounts of this device. Asks no server, and no password."""
    from sopor.account import whoami

    keystore = open_keystore()
    if server is not None and use is None:
        raise click.UsageError("--server goes with --use")
    if use is not None:
        keystore.set_default(keystore.find(server, use).account)
    accounts = whoami(keystore)
    if not accounts:
        raise NotLoggedIn(
            "no account is known on this device",
            hint="run `sopor login`, or `sopor register` for a new account",
        )
    session.console.result(accounts, account_lines(accounts))
