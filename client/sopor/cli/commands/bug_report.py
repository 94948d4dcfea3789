"""`sopor bug-report`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from sopor.cli import completing
from sopor.cli.declaring import command as declare
from sopor.cli.diagnosing import examined
from sopor.cli.session import Session
from sopor.errors import InvalidInput


@declare("bug-report", examples=["sopor bug-report", "sopor bug-report --output report.txt"])
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    shell_complete=completing.files,
    help="The file to write, which must not be there; - is stdout.",
)
@click.option("--offline", is_flag=True, help="Ask no server.")
def command(session: Session, output: Path | None, offline: bool) -> None:
    """Writes a text file for a bug report: versions, checks, counts, the last error.

    It holds no keys, tokens, passwords or contents, and no names of documents, branches, projects,
    people, servers or files. Read it before you send it: it says what is in it.
    """
    from sopor.diagnosis.checks import examine
    from sopor.diagnosis.report import write_report
    from sopor.disk import create_private

    with examined(session, offline=offline) as scope:
        text = write_report(scope, examine(scope))
    if output is not None and str(output) == "-":
        session.console.result({"report": text}, text.splitlines())
        return
    path = output or Path(f"sopor-report-{datetime.now(UTC):%Y%m%d-%H%M%S}.txt")
    try:
        create_private(path, text.encode())
    except (FileExistsError, FileNotFoundError) as error:
        what = "exists" if isinstance(error, FileExistsError) else "has no folder to be in"
        raise InvalidInput(f"{path} {what}", hint="name another file with --output") from None
    session.console.result(
        {"file": str(path), "bytes": len(text.encode())},
        [f"Wrote {path}: versions, checks, counts and the last error; read it before you send it"],
    )
