"""`sopor rotate`."""

from __future__ import annotations

import click

from sopor.cli import completing
from sopor.cli.declaring import command as declare
from sopor.cli.organizations import open_organization, org_options
from sopor.cli.rendering.organizations import changed_lines
from sopor.cli.session import Session


@declare("rotate", examples=["sopor rotate", "sopor rotate petstore --org Acme"])
@click.argument("projects", nargs=-1, metavar="[PROJECT]...", shell_complete=completing.projects)
@org_options
def command(
    session: Session,
    projects: tuple[str, ...],
    org: str | None,
    server: str | None,
    account: str | None,
) -> None:
    """Makes new keys for projects, all of the organization's by default.

    What is written from now on is under the new keys. Removing a member does this by itself.
    """
    from sopor.organization.managing import rotate

    with open_organization(session, org, server, account) as organization:
        changed = rotate(organization, projects)
    session.console.report(changed, changed_lines(changed))
