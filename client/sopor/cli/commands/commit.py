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

_SHOWN = 5


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
@click.option("--allow-secrets", is_flag=True, help="Say nothing of what looks like a secret.")
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

    What looks like a password, a token or a key is told of once. Private environments are the place
    for such values: they never leave this machine. `sopor config secrets refuse` stops such commits
    until --allow-secrets takes them.
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
    _warn_of_secrets(session, made.secrets)


def _warn_of_secrets(session: Session, secrets: Sequence[str]) -> None:
    for secret in secrets[:_SHOWN]:
        session.console.warn(f"the commit has what looks like {secret}")
    if len(secrets) > _SHOWN:
        session.console.warn(f"and {len(secrets) - _SHOWN} more")
    if secrets:
        session.console.hint(
            "all members of the project can read it, though the server cannot; keep such values "
            "in a private environment, or stop such commits: `sopor config secrets refuse`"
        )


def _commit_as_written(
    session: Session, repository: Repository, chosen: Sequence[str], options: _Options
) -> CommitDetail:
    allow_empty = options["allow_empty"]
    with written_message(session, repository, allow_empty=allow_empty) as text:
        return repository.commit(text, chosen, **options)
