"""`sopor projects`, which `sopor project` is as well without a command of its own."""

from __future__ import annotations

from collections.abc import Callable

import click

from sopor.cli import completing
from sopor.cli.accounts import account_options
from sopor.cli.declaring import command as declare
from sopor.cli.rendering.listings import project_lines
from sopor.cli.session import Session


def projects_options(function: Callable[..., None]) -> Callable[..., None]:
    """Adds ``--org``, without which all organizations are meant, and the account's options."""
    option = click.option(
        "--org",
        metavar="NAME",
        shell_complete=completing.organizations,
        help="Only those of one organization.",
    )
    return option(account_options(function))


def list_all(session: Session, org: str | None, server: str | None, account: str | None) -> None:
    """Lists the projects of the account, in all its organizations or in one."""
    from sopor.repository import projects

    session.console.progress("asking the server")
    found = projects(org=org, server=server, login=account, passwords=session.asking)
    session.console.result(found, project_lines(found))
    if not found:
        session.console.hint("publish one with `sopor push`, or join a team with `sopor org join`")


@declare("projects", examples=["sopor projects", "sopor projects --org Acme --json"])
@projects_options
def command(session: Session, org: str | None, server: str | None, account: str | None) -> None:
    """Lists the projects that the account has access to, in all its organizations."""
    list_all(session, org, server, account)
