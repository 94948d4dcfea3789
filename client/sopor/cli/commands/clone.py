"""`sopor clone`."""

from __future__ import annotations

from pathlib import Path

import click

from sopor.cli import completing
from sopor.cli.accounts import account_options
from sopor.cli.declaring import command as declare
from sopor.cli.session import Session
from sopor.cli.words import describe_working_copy


@declare(
    "clone",
    examples=["sopor clone petstore", "sopor clone 3f2a91bc pets --branch next"],
)
@click.argument("project", shell_complete=completing.projects)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("-b", "--branch", help="The branch to start on.")
@account_options
def command(
    session: Session,
    project: str,
    folder: Path | None,
    branch: str | None,
    server: str | None,
    account: str | None,
) -> None:
    """Copies a PROJECT, named by its name or id, from the server into a new FOLDER."""
    from sopor.repository import clone

    with clone(
        project,
        folder,
        branch=branch,
        server=server,
        login=account,
        passwords=session.asking,
        progress=session.console.progress,
    ) as repository:
        made = describe_working_copy(repository)
    session.console.report(made, [f"Cloned {made['name']} into {made['root']}"])
