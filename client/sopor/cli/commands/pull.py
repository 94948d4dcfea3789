"""`sopor pull`."""

from __future__ import annotations

import click

from sopor.cli.declaring import command as declare
from sopor.cli.outcomes import raise_conflicts
from sopor.cli.rendering.transfers import pull_lines
from sopor.cli.session import Session


@declare("pull", examples=["sopor pull", "sopor pull --keep-edits"])
@click.option(
    "--keep-edits", is_flag=True, help="Merge what comes into documents with uncommitted edits."
)
def command(session: Session, keep_edits: bool) -> None:
    """Fetches, then brings what is new into the current branch: forward, or by a merge.

    Documents that were edited and not committed are in the way of what changes them. With
    --keep-edits both are merged in the files, field by field, and the edits stay uncommitted; where
    both changed the same field, nothing is changed.
    """
    with session.open() as repository:
        result = repository.pull(keep_edits=keep_edits)
    session.console.report(result, pull_lines(result))
    raise_conflicts(result.merge)
