"""`sopor pull`."""

from __future__ import annotations

from sopor.cli.declaring import command as declare
from sopor.cli.outcomes import raise_conflicts
from sopor.cli.rendering.transfers import pull_lines
from sopor.cli.session import Session


@declare("pull", examples=["sopor pull"])
def command(session: Session) -> None:
    """Fetches, then brings what is new into the current branch: forward, or by a merge."""
    with session.open() as repository:
        result = repository.pull()
    session.console.report(result, pull_lines(result))
    raise_conflicts(result.merge)
