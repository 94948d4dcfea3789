"""`sopor recover`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sopor.cli.accounts import (
    choose_login,
    choose_server,
    load_kit,
    recovery_key,
    setup_options,
)
from sopor.cli.declaring import command as declare
from sopor.cli.rendering.changes import count
from sopor.cli.session import Session

if TYPE_CHECKING:
    from sopor.account import Setup


@declare(
    "recover",
    examples=[
        "sopor recover --kit kit.txt --new-kit new-kit.txt",
        "sopor recover ada@example.com --server https://sopor.example.com",
    ],
)
@click.argument("login", required=False)
@click.option("--kit", type=click.Path(path_type=Path), help="The recovery kit.")
@click.option(
    "--new-kit",
    type=click.Path(path_type=Path),
    default="sopor-recovery-kit-new.txt",
    help="The file for the new kit.  [default: sopor-recovery-kit-new.txt]",
)
@click.option("--revoke-others", is_flag=True, help="Log out all other devices.")
@setup_options
def command(
    session: Session,
    login: str | None,
    kit: Path | None,
    new_kit: Path,
    revoke_others: bool,
    server: str | None,
    setup: Setup,
) -> None:
    """Opens an account without its password, and gives it a new one and a new recovery kit.

    Without --kit, the recovery key comes from a file that SOPOR_RECOVERY_KEY_FILE names, or is
    typed. The old kit is worth nothing afterwards.
    """
    from sopor.account import recover

    papers = load_kit(kit)
    address = choose_server(server, papers)
    name = choose_login(login, papers, address)
    key = recovery_key(session, name, papers)
    password = session.asking.new_password(name)
    session.console.progress("recovering the account")
    server_id = papers.server_id if papers else None
    result = recover(
        setup, address, name, key, password, new_kit, server_id, revoke_others=revoke_others
    )
    result.account.close()
    lines = [f"Recovered {result.info.login} at {result.info.server}"]
    if result.revoked:
        lines.append(f"Logged out {count(len(result.revoked), 'other device')}")
    session.console.report(result, lines)
    session.console.warn(
        f"the new recovery kit is in {result.kit}, and the old one is worth nothing now: print "
        "the new one or put it where only you can get at it, then delete it here"
    )
