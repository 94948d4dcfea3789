"""`sopor merge`."""

from __future__ import annotations

import click

from sopor.cli import completing
from sopor.cli.declaring import command as declare
from sopor.cli.messages import joined
from sopor.cli.outcomes import report_outcome
from sopor.cli.rendering.commits import made_lines
from sopor.cli.session import Session
from sopor.cli.words import current_branch


@declare(
    "merge",
    examples=[
        "sopor merge next",
        "sopor merge remote/main -m 'Take theirs in'",
        "sopor merge --continue",
        "sopor merge --abort",
    ],
)
@click.argument("revision", required=False, shell_complete=completing.branches)
@click.option("-m", "--message", multiple=True, help="The message of the merge.")
@click.option("--continue", "action", flag_value="continue", help="Commit a resolved merge.")
@click.option("--abort", "action", flag_value="abort", help="Give the merge up.")
def command(
    session: Session, revision: str | None, message: tuple[str, ...], action: str | None
) -> None:
    """Brings the commits of a branch, or any REVISION, into the current branch.

    Conflicts are kept until they are settled: see `sopor resolve`.
    """
    if (revision is None) == (action is None):
        raise click.UsageError("name what to merge, or give --continue or --abort")
    if action == "abort" and message:
        raise click.UsageError("--abort takes no message")
    with session.open() as repository:
        if action == "abort":
            repository.merge_abort()
            session.console.report({"aborted": True}, ["Gave the merge up"])
            return
        if action == "continue":
            made = repository.merge_continue(joined(message))
            session.console.report(made, made_lines(made, current_branch(repository)))
            return
        outcome = repository.merge(revision or "", joined(message))
    report_outcome(session, outcome)
