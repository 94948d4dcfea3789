"""`sopor commit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from sopor.cli import completing
from sopor.cli.declaring import command as declare
from sopor.cli.messages import given_message, message_options, written_message
from sopor.cli.rendering.commits import made_lines
from sopor.cli.session import Session
from sopor.cli.words import all_or_some, current_branch, documents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sopor.repository import Repository
    from sopor.repository.results import CommitDetail


class _Options(TypedDict):
    allow_empty: bool
    allow_secrets: bool


@declare(
    "commit",
    examples=[
        "sopor commit -m 'Add the health check'",
        "sopor commit -m 'Rename it' 'List pets' environments.yaml",
        "sopor commit -F message.txt",
    ],
)
@click.argument("words", nargs=-1, metavar="[DOCUMENT]...", shell_complete=completing.files)
@message_options
@click.option("--allow-empty", is_flag=True, help="Commit although nothing changed.")
@click.option("--allow-secrets", is_flag=True, help="Commit also what looks like a secret.")
def command(
    session: Session,
    words: tuple[str, ...],
    message: tuple[str, ...],
    file: Path | None,
    allow_empty: bool,
    allow_secrets: bool,
) -> None:
    """Keeps the changes of the working files: of all documents, or of those that are named.

    Without -m or -F the editor asks for the message. During a merge this finishes the merge.

    What looks like a password, a token or a key and is new stops the commit. Private environments
    are the place for such values: they never leave this machine. --allow-secrets commits them, and
    the same values are never asked about again.
    """
    text = given_message(session, message, file)
    with session.open() as repository:
        chosen = all_or_some(documents(repository, words))
        options = _Options(allow_empty=allow_empty, allow_secrets=allow_secrets)
        if text is None:
            made = _commit_as_written(session, repository, chosen, options)
        else:
            made = repository.commit(text, chosen, **options)
        branch = current_branch(repository)
    session.console.report(made, made_lines(made, branch))


def _commit_as_written(
    session: Session, repository: Repository, chosen: Sequence[str], options: _Options
) -> CommitDetail:
    allow_empty = options["allow_empty"]
    with written_message(session, repository, allow_empty=allow_empty) as text:
        return repository.commit(text, chosen, **options)
