"""`sopor projects`."""

from __future__ import annotations

from sopor.cli.accounts import account_options
from sopor.cli.declaring import command as declare
from sopor.cli.rendering.listings import project_lines
from sopor.cli.session import Session


@declare("projects", examples=["sopor projects", "sopor projects --json"])
@account_options
def command(session: Session, server: str | None, account: str | None) -> None:
    """Lists the projects of the account."""
    from sopor.repository import projects

    session.console.progress("asking the server")
    found = projects(server=server, login=account, passwords=session.asking)
    session.console.result(found, project_lines(found))
