"""`sopor logout`."""

from __future__ import annotations

import click

from sopor.cli.accounts import account_options, open_keystore
from sopor.cli.declaring import command as declare
from sopor.cli.session import Session


@declare("logout", examples=["sopor logout", "sopor logout --forget"])
@account_options
@click.option("--forget", is_flag=True, help="Forget the keys here, and ask neither you nor it.")
def command(session: Session, server: str | None, account: str | None, forget: bool) -> None:
    """Ends the session of this device and forgets the account's keys here.

    Working copies stay, but cannot push or pull until you log in again.
    """
    from sopor.account import logout

    keystore = open_keystore()
    known = keystore.find(server, account)
    session.console.progress("logging out")
    result = logout(keystore, known, None if forget else session.asking)
    session.console.report(result, [f"Logged out {result.login} at {result.server}"])
    if not result.revoked:
        session.console.warn(
            "the server was not told: revoke this device from another one with "
            f"`sopor devices revoke {result.device.short}`"
        )
