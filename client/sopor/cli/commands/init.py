"""`sopor init`."""

from __future__ import annotations

from pathlib import Path

import click

from sopor.cli.declaring import command as declare
from sopor.cli.session import Session
from sopor.cli.words import describe_working_copy


@declare(
    "init",
    examples=["sopor init", "sopor init my-project --name 'Pet store'"],
)
@click.argument("folder", default=".", type=click.Path(path_type=Path))
@click.option("--name", help="The project's name; the folder's by default.")
@click.option("-b", "--branch", default="main", help="The first branch.  [default: main]")
def command(session: Session, folder: Path, name: str | None, branch: str) -> None:
    """Puts the files of a folder under version control.

    Nothing leaves this machine: `sopor push` publishes the project when you want that.
    """
    from sopor.repository import Repository

    with Repository.init(folder, name=name, branch=branch) as repository:
        made = describe_working_copy(repository)
    session.console.report(made, [f"Started project {made['name']} in {made['root']}"])
    session.console.hint("`sopor status` shows what a first `sopor commit` would take")
