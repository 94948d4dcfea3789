"""`sopor push`."""

from __future__ import annotations

import click

from sopor.cli import completing
from sopor.cli.declaring import command as declare
from sopor.cli.paint import one_line
from sopor.cli.rendering.transfers import push_lines
from sopor.cli.session import Session


@declare("push", examples=["sopor push", "sopor push next", "sopor push --all", "sopor push -n"])
@click.argument("branch", required=False, shell_complete=completing.branches)
@click.option("--all", "everything", is_flag=True, help="All branches, in one step.")
@click.option("--upto", metavar="REVISION", help="Only commits up to this one.")
@click.option(
    "--org",
    metavar="NAME",
    shell_complete=completing.organizations,
    help="The organization of a new project; your own by default.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Only tell what would be pushed.")
def command(
    session: Session,
    branch: str | None,
    everything: bool,
    upto: str | None,
    dry_run: bool,
    org: str | None,
) -> None:
    """Publishes the commits of a BRANCH, the current one by default.

    The first push creates the project on the server.
    """
    if everything and (branch or upto):
        raise click.UsageError("--all pushes all branches, whole, and takes no name")
    with session.open() as repository:
        result = repository.push(
            branch, all_branches=everything, upto=upto, dry_run=dry_run, org=org
        )
        server = repository.context.server
    if result.created_project is not None:
        name = one_line(result.created_project)
        session.console.note(f"Created project {name} on {server}")
    session.console.report(result, push_lines(result))
