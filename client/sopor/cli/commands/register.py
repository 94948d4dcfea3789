"""`sopor register`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sopor.cli.accounts import choose_server, setup_options, warn_of_end
from sopor.cli.declaring import command as declare
from sopor.cli.session import Session

if TYPE_CHECKING:
    from sopor.account import Setup


@declare(
    "register",
    examples=[
        "sopor register ada@example.com --server https://sopor.example.com --kit kit.txt",
    ],
)
@click.argument("login")
@click.option(
    "--kit",
    type=click.Path(path_type=Path),
    default="sopor-recovery-kit.txt",
    help="The file for the recovery kit.  [default: sopor-recovery-kit.txt]",
)
@setup_options
def command(
    session: Session,
    login: str,
    kit: Path,
    server: str | None,
    setup: Setup,
) -> None:
    """Creates an account under the name LOGIN, and its recovery kit.

    The kit holds the keys that other devices need once, and that open the account when the
    password is forgotten. The server never gets them, nor the password.
    """
    from sopor.account import register

    address = choose_server(server)
    password = session.asking.first_password(login)
    session.console.progress("making keys")
    result = register(setup, address, login, password, kit)
    result.account.close()
    info = result.info
    session.console.report(result, [f"Registered {info.login} at {info.server}"])
    warn_of_end(session, result.account)
    session.console.warn(
        f"the recovery kit is in {result.kit}: print it or put it where only you can get at it, "
        "then delete it here; nobody can replace it"
    )
