"""`sopor passwd`."""

from __future__ import annotations

import click

from sopor.cli.accounts import account_options, open_keystore
from sopor.cli.declaring import command as declare
from sopor.cli.rendering.changes import count
from sopor.cli.session import Session


@declare("passwd", examples=["sopor passwd", "sopor passwd --revoke-others"])
@account_options
@click.option("--revoke-others", is_flag=True, help="Log out all other devices.")
def command(session: Session, server: str | None, account: str | None, revoke_others: bool) -> None:
    """Changes the password. Secret key and recovery kit stay as they are.

    Other devices open with the old password until `sopor login` there.
    """
    from sopor.account import change_password, unlock
    from sopor.keystore import FixedPassword, PasswordRequest

    keystore = open_keystore()
    known = keystore.find(server, account)
    old = session.asking.password(PasswordRequest(known.login, known.server))
    with unlock(keystore, FixedPassword(old), known) as opened:
        new = session.asking.new_password(known.login)
        session.console.progress("changing the password")
        result = change_password(opened, old, new, revoke_others=revoke_others)
    lines = [f"Changed the password of {result.login}"]
    if result.revoked:
        lines.append(f"Logged out {count(len(result.revoked), 'other device')}")
    session.console.report(result, lines)
