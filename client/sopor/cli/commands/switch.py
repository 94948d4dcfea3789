"""`sopor switch`."""

from __future__ import annotations

import click

from sopor.cli import completing
from sopor.cli.declaring import command as declare
from sopor.cli.rendering.changes import summary
from sopor.cli.session import Session


@declare(
    "switch",
    examples=["sopor switch main", "sopor switch -c next", "sopor switch -c hotfix main~2"],
)
@click.argument("branch", shell_complete=completing.branches)
@click.argument("revision", required=False)
@click.option("-c", "--create", is_flag=True, help="Create the branch, at REVISION if named.")
def command(session: Session, branch: str, revision: str | None, create: bool) -> None:
    """Goes to another BRANCH: the working files become its files.

    Changes that were not committed come along where they are not in the way. A branch that only
    the server has is created from there.
    """
    if revision is not None and not create:
        raise click.UsageError("a revision needs -c")
    with session.open() as repository:
        changes = repository.switch(branch, create=create, at=revision)
    lines = [f"Switched to {'a new ' if create else ''}branch {branch}"]
    if changes:
        lines.append(f" {summary(changes)}")
    session.console.report({"branch": branch, "changes": changes}, lines)
