"""`sopor fsck`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sopor.cli.declaring import command as declare
from sopor.cli.paint import paint
from sopor.cli.rendering.changes import count
from sopor.cli.session import Session
from sopor.errors import DamagedStore

if TYPE_CHECKING:
    from sopor.repository.results import FsckReport


@declare("fsck", examples=["sopor fsck", "sopor fsck --json"])
def command(session: Session) -> None:
    """Verifies everything that this working copy holds: log, packs, documents, commits, branches.

    Files that a killed command left behind are deleted. Asks no server.
    """
    with session.open() as repository:
        report = repository.fsck()
    session.console.result(report, _lines(report))
    if not report.clean:
        found = count(len(report.findings), "thing")
        raise DamagedStore(f"{found} found wrong", hint="see the result")


def _lines(report: FsckReport) -> Iterator[str]:
    entries = "1 entry" if report.entries == 1 else f"{report.entries:,} entries"
    yield (
        f"Checked {count(report.commits, 'commit')}, {count(report.documents, 'document')}, "
        f"{count(report.packs, 'pack')}, {entries} of the log"
    )
    if report.swept:
        yield f"Deleted {count(report.swept, 'leftover file')}"
    for finding in report.findings:
        yield f"{paint('error', 'wrong:')} {finding.what}"
        yield f"       {paint('dim', finding.hint)}"
    if report.clean:
        yield "Nothing is wrong"
