"""`sopor rekey`."""

from __future__ import annotations

from pathlib import Path

import click

from sopor.cli.accounts import account_options, open_keystore
from sopor.cli.declaring import command as declare
from sopor.cli.rendering.changes import count
from sopor.cli.session import Session


@declare("rekey", examples=["sopor rekey", "sopor rekey --new-kit new-kit.txt"])
@click.option(
    "--new-kit",
    type=click.Path(path_type=Path),
    default="sopor-recovery-kit-new.txt",
    help="The file for the new kit.  [default: sopor-recovery-kit-new.txt]",
)
@account_options
def command(session: Session, new_kit: Path, server: str | None, account: str | None) -> None:
    """Replaces all your keys, after a device was lost or stolen while it was unlocked.

    Every organization gets your new keys, all projects that you can read get new ones, and all
    other devices are logged out: log in there again with the new recovery kit. The password
    stays; change it as well, with `sopor passwd`, if it may be known. If this is broken off, run it
    again.
    """
    from sopor.account import unlock
    from sopor.keystore import FixedPassword, PasswordRequest
    from sopor.organization.rekeying import rekey

    keystore = open_keystore()
    known = keystore.find(server, account)
    password = session.asking.password(PasswordRequest(known.login, known.server))
    with unlock(keystore, FixedPassword(password), known) as opened:
        session.console.progress("replacing keys")
        result = rekey(opened, password, new_kit)
    told = count(result.organizations, "organization")
    made = count(result.epochs, "new key")
    lines = [f"Replaced the keys of {result.login} in {told}, with {made}"]
    session.console.report(result, lines)
    if result.kit is None:
        session.console.note("the recovery kit which the run before wrote is the good one")
    else:
        session.console.warn(
            f"the new recovery kit is in {result.kit}: print it or put it where only you can get "
            "at it, then delete it here; the old one is worth nothing now"
        )
