"""`sopor status`."""

from __future__ import annotations

import click

from sopor.cli.declaring import command as declare
from sopor.cli.paint import one_line
from sopor.cli.rendering.state import short_status_lines, status_lines
from sopor.cli.session import Session


@declare("status", examples=["sopor status", "sopor status --short"])
@click.option("-s", "--short", is_flag=True, help="One line a document.")
def command(session: Session, short: bool) -> None:
    """Shows the branch, how far it is from the server's, what changed, and what is in conflict.

    Asks no server: the distance is as of the last fetch.
    """
    with session.open() as repository:
        status = repository.status()
    for warning in status.warnings:
        session.console.warn(one_line(warning))
    lines = short_status_lines(status) if short else status_lines(status)
    session.console.result(status, lines)
    if short:
        return
    if status.merge:
        session.console.hint("`sopor resolve` settles conflicts, `sopor merge --abort` gives up")
    elif status.changes:
        session.console.hint("`sopor commit` keeps changes, `sopor restore` discards them")
