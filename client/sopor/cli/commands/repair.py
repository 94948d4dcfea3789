"""`sopor repair`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sopor.cli.declaring import command as declare
from sopor.cli.session import Session

if TYPE_CHECKING:
    from sopor.repository.results import RepairResult


@declare("repair", examples=["sopor fsck && sopor repair"])
def command(session: Session) -> None:
    """Publishes again what a server lost that was restored from an older backup.

    Sends the signed entries and the packs that this working copy has and the server has not, as
    they were. A server that has another history, not a shorter one, is refused.
    """
    with session.open() as repository:
        result = repository.repair()
    session.console.report(result, _lines(result))


def _lines(result: RepairResult) -> Iterator[str]:
    total = result.entries + result.membership_entries
    if not total:
        yield "The server has everything"
        return
    yield f"Published {total} lost {'entry' if total == 1 else 'entries'} again"
