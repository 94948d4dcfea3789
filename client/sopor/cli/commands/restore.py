"""`sopor restore`."""

from __future__ import annotations

import click

from sopor.cli import completing
from sopor.cli.declaring import command as declare
from sopor.cli.rendering.changes import change_lines, summary
from sopor.cli.session import Session
from sopor.cli.words import documents


@declare(
    "restore",
    examples=[
        "sopor restore 'List pets'",
        "sopor restore --source HEAD~2 petstore.yaml",
        "sopor restore .",
    ],
)
@click.argument(
    "words", nargs=-1, required=True, metavar="DOCUMENT...", shell_complete=completing.files
)
@click.option("-s", "--source", metavar="REVISION", help="Where from; the last commit by default.")
def command(session: Session, words: tuple[str, ...], source: str | None) -> None:
    """Brings documents in the working files back to what they are in a commit.

    Changes that were not committed are lost. `.` stands for everything.
    """
    with session.open() as repository:
        changes = repository.restore(documents(repository, words), source)
    session.console.report(changes, [*change_lines(changes), summary(changes)])
