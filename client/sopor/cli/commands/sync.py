"""`sopor sync`."""

from __future__ import annotations

from sopor.cli.declaring import command as declare
from sopor.cli.paint import one_line
from sopor.cli.rendering.conflicts import merge_lines
from sopor.cli.rendering.transfers import sync_lines
from sopor.cli.session import Session
from sopor.errors import MergeConflicts


@declare("sync", examples=["sopor sync"])
def command(session: Session) -> None:
    """Pulls and pushes the current branch, until both sides are equal.

    Stops where the pull meets conflicts, which `sopor resolve` settles.
    """
    with session.open() as repository:
        try:
            result = repository.sync()
        except MergeConflicts:
            merge = repository.merge_status()
            session.console.report(merge, merge_lines(merge) if merge else ())
            raise
        server = repository.context.server
    if result.push.created_project is not None:
        name = one_line(result.push.created_project)
        session.console.note(f"Created project {name} on {server}")
    session.console.report(result, sync_lines(result))
