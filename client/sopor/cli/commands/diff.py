"""`sopor diff`."""

from __future__ import annotations

import click

from sopor.cli import completing
from sopor.cli.declaring import command as declare
from sopor.cli.rendering.changes import change_lines, summary
from sopor.cli.rendering.diffs import diff_lines
from sopor.cli.session import Session
from sopor.cli.words import all_or_some, split_revisions


@declare(
    "diff",
    revisions=True,
    examples=[
        "sopor diff",
        "sopor diff HEAD~3 petstore.yaml",
        "sopor diff main..next -- 'List pets'",
    ],
)
@click.argument(
    "words",
    nargs=-1,
    metavar="[REVISION [REVISION]] [--] [DOCUMENT]...",
    shell_complete=completing.revisions_and_files,
)
@click.option("--stat", is_flag=True, help="Only which documents differ.")
def command(session: Session, words: tuple[str, ...], stat: bool) -> None:
    """Shows what differs, field by field, and word by word in long texts.

    Without a revision: from the last commit to the working files. With one: from there to the
    working files. With two: from one to the other.
    """
    with session.open() as repository:
        revisions, documents = split_revisions(repository, words, 2)
        old, new = [*revisions, None, None][:2]
        diffs = repository.diff(old, new, all_or_some(documents))
    changes = [diff.change for diff in diffs]
    if stat:
        session.console.result(changes, [*change_lines(changes), summary(changes)])
    else:
        session.console.result(diffs, diff_lines(diffs))
