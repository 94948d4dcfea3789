"""`sopor fetch`."""

from __future__ import annotations

from sopor.cli.declaring import command as declare
from sopor.cli.rendering.transfers import fetch_lines
from sopor.cli.session import Session


@declare("fetch", examples=["sopor fetch", "sopor fetch && sopor diff HEAD..remote/main"])
def command(session: Session) -> None:
    """Gets and verifies what is new on the server, and changes no branch and no file."""
    with session.open() as repository:
        result = repository.fetch()
    session.console.report(result, fetch_lines(result))
