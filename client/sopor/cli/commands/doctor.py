"""`sopor doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sopor.cli.declaring import command as declare
from sopor.cli.diagnosing import examined
from sopor.cli.paint import one_line, paint
from sopor.cli.rendering.changes import count
from sopor.cli.session import Session

if TYPE_CHECKING:
    from sopor.diagnosis.checks import Diagnosis

FOUND = 1
_STYLES = {"ok": "add", "warning": "warning", "problem": "error"}


@declare("doctor", examples=["sopor doctor", "sopor doctor --offline --json"])
@click.option("--offline", is_flag=True, help="Ask no server.")
def command(session: Session, offline: bool) -> None:
    """Checks this device, this working copy and their server, and says what to do.

    Looks at versions, clock, disk, keystore, server, and at what the working copy holds and has
    left unfinished. Never asks for a password; one in SOPOR_PASSWORD_FILE is used. Exits with 1 if
    something is wrong; warnings alone exit with 0.
    """
    from sopor.diagnosis.checks import examine

    with examined(session, offline=offline) as scope:
        found = examine(scope)
    session.console.result(found, _lines(found))
    if found.problems:
        click.get_current_context().exit(FOUND)


def _lines(found: Diagnosis) -> Iterator[str]:
    for check in found.checks:
        level = paint(_STYLES[check.level], f"{check.level:7}")
        yield f"{level}  {paint('dim', check.group)}: {one_line(check.text)}"
        if check.hint:
            yield f"{'':9}{paint('hint', 'hint:')} {one_line(check.hint)}"
    yield ""
    if not found.problems and not found.warnings:
        yield "All is well"
    else:
        yield f"{count(found.problems, 'problem')}, {count(found.warnings, 'warning')}"
