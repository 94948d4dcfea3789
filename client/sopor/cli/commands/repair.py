"""`sopor repair`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sopor.cli.declaring import command as declare
from sopor.cli.rendering.organizations import audit_lines
from sopor.cli.session import Session

if TYPE_CHECKING:
    from sopor.repository.forks import Fork
    from sopor.repository.results import RepairResult


@declare("repair", examples=["sopor fsck && sopor repair"])
def command(session: Session) -> None:
    """Publishes again what a server lost that was restored from an older backup.

    Sends the signed entries and the packs that this working copy has and the server has not, as
    they were. A server that has another history, not a shorter one, is refused: both are shown,
    and neither is changed.
    """
    from sopor.repository.forks import HistoriesDiffer

    with session.open() as repository:
        try:
            result = repository.repair()
        except HistoriesDiffer as differ:
            session.console.result(differ.fork, _sides(differ.fork))
            raise
    session.console.report(result, _lines(result))


def _sides(fork: Fork) -> Iterator[str]:
    """Yields what each side has after the last entry that both have."""
    yield f"Both have the entries up to {fork.common}" if fork.common else "No entry is common"
    for title, entries in (("Only here", fork.here), ("Only on the server", fork.there)):
        yield ""
        yield f"{title}:"
        yield from (f"  {line}" for line in audit_lines(entries))


def _lines(result: RepairResult) -> Iterator[str]:
    total = result.entries + result.membership_entries
    if not total:
        yield "The server has everything"
        return
    yield f"Published {total} lost {'entry' if total == 1 else 'entries'} again"
