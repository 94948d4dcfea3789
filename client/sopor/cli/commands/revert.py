"""`sopor revert`."""

from __future__ import annotations

import click

from sopor.cli.declaring import command as declare
from sopor.cli.messages import joined
from sopor.cli.outcomes import report_outcome
from sopor.cli.rendering.commits import made_lines
from sopor.cli.session import Session
from sopor.cli.words import current_branch


@declare(
    "revert",
    examples=["sopor revert HEAD", "sopor revert --to 3f2a91bc -m 'Back to Friday'"],
)
@click.argument("commit", required=False)
@click.option("--to", metavar="COMMIT", help="Bring the whole project back to this commit's state.")
@click.option("-m", "--message", multiple=True, help="The message of the new commit.")
def command(session: Session, commit: str | None, to: str | None, message: tuple[str, ...]) -> None:
    """Undoes one COMMIT, whatever came after it; or with --to goes back to one.

    Either is a new commit: history stays as it is.
    """
    if (commit is None) == (to is None):
        raise click.UsageError("name the commit to undo, or with --to the one to go back to")
    with session.open() as repository:
        if to is not None:
            made = repository.revert_to(to, joined(message))
            session.console.report(made, made_lines(made, current_branch(repository)))
            return
        outcome = repository.revert(commit or "HEAD", joined(message))
    report_outcome(session, outcome, "Undone by")
