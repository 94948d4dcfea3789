"""`sopor login`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sopor.cli.accounts import (
    choose_login,
    choose_server,
    load_kit,
    secret_key,
    setup_options,
    warn_of_end,
)
from sopor.cli.declaring import command as declare
from sopor.cli.session import Session

if TYPE_CHECKING:
    from sopor.account import Setup


@declare(
    "login",
    examples=[
        "sopor login ada@example.com --server https://sopor.example.com --kit kit.txt",
        "sopor login  # again, on a device that knows the account",
    ],
)
@click.argument("login", required=False)
@click.option("--kit", type=click.Path(path_type=Path), help="The recovery kit, on a new device.")
@setup_options
def command(
    session: Session,
    login: str | None,
    kit: Path | None,
    server: str | None,
    setup: Setup,
) -> None:
    """Uses an account on this device.

    A new device needs the secret key beside the password: from the recovery kit, a file that
    SOPOR_SECRET_KEY_FILE names, or typed. Where the server asks for single sign-on, a browser
    opens for that as well: it gives the session, never the keys.
    """
    from sopor.account import login as log_in
    from sopor.keystore import PasswordRequest
    from sopor_core.names import normalize_login

    papers = load_kit(kit)
    address = setup.address(choose_server(server, papers))
    url = str(address)
    name = normalize_login(choose_login(login, papers, url))
    key = secret_key(session, name, papers, known=setup.known(address, name) is not None)
    password = session.asking.password(PasswordRequest(name, url))
    session.console.progress("logging in")
    server_id = papers.server_id if papers else None
    result = log_in(setup, url, name, password, key, server_id)
    result.account.close()
    info = result.info
    if result.first_contact:
        session.console.warn(
            f"this device meets {info.server} for the first time and will know it as "
            f"{info.server_id.short}; compare with the recovery kit"
        )
    warn_of_end(session, result.account)
    session.console.report(result, [f"Logged in as {info.login} at {info.server}"])
