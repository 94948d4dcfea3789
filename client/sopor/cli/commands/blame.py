"""`sopor blame`."""

from __future__ import annotations

import click

from sopor.cli import completing
from sopor.cli.declaring import command as declare
from sopor.cli.rendering.blame import blame_lines
from sopor.cli.session import Session
from sopor.cli.words import split_revisions


@declare(
    "blame",
    revisions=True,
    examples=["sopor blame 'List pets'", "sopor blame HEAD~3 -- req_0a1b2c"],
)
@click.argument(
    "words",
    nargs=-1,
    required=True,
    metavar="[REVISION] [--] DOCUMENT",
    shell_complete=completing.revisions_and_files,
)
def command(session: Session, words: tuple[str, ...]) -> None:
    """Tells for each field of a document which commit gave it its value: who, and when.

    Headers and parameters are told apart by name or id, and so are the places inside the text of a
    design document. What came by a merge is told of the commit that made it.
    """
    with session.open() as repository:
        revisions, documents = split_revisions(repository, words, 1)
        if len(documents) != 1:
            raise click.UsageError("name one document")
        blame = repository.blame(documents[0], revisions[0] if revisions else None)
    session.console.result(blame, blame_lines(blame))
