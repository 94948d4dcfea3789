"""How commands end that may stop at conflicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sopor.cli.rendering.changes import count
from sopor.cli.rendering.transfers import merge_lines
from sopor.errors import MergeConflicts

if TYPE_CHECKING:
    from sopor.cli.session import Session
    from sopor.repository.results import MergeOutcome


def report_outcome(session: Session, outcome: MergeOutcome, done: str = "Merged as") -> None:
    """Reports a merge; raises MergeConflicts if it stopped."""
    session.console.report(outcome, merge_lines(outcome, done))
    raise_conflicts(outcome)


def raise_conflicts(outcome: MergeOutcome) -> None:
    """Raises MergeConflicts, for the exit code, if a merge stopped at some."""
    if outcome.kind == "conflicts":
        raise MergeConflicts(
            f"{count(len(outcome.conflicts), 'document')} in conflict",
            hint="settle them with `sopor resolve`, then run `sopor commit`; "
            "or give up with `sopor merge --abort`",
        )
