"""`sopor show`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sopor.cli import completing
from sopor.cli.declaring import command as declare
from sopor.cli.rendering.changes import change_lines, summary
from sopor.cli.rendering.commits import full_lines
from sopor.cli.rendering.diffs import diff_lines
from sopor.cli.rendering.values import indented
from sopor.cli.session import Session
from sopor.cli.words import current_branch, split_revisions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sopor.repository.results import CommitDetail, DocumentDiff


@declare(
    "show",
    revisions=True,
    examples=["sopor show", "sopor show HEAD~2 --stat", "sopor show HEAD~2 'List pets'"],
)
@click.argument(
    "words",
    nargs=-1,
    metavar="[REVISION] [--] [DOCUMENT]",
    shell_complete=completing.revisions_and_files,
)
@click.option("--stat", is_flag=True, help="Only which documents changed.")
def command(session: Session, words: tuple[str, ...], stat: bool) -> None:
    """Shows a commit and what it changed; with a DOCUMENT, that document as it was then."""
    with session.open() as repository:
        revisions, documents = split_revisions(repository, words, 1)
        revision = revisions[0] if revisions else "HEAD"
        if len(documents) > 1 or (documents and stat):
            raise click.UsageError("one document at a time, and without --stat")
        if documents:
            body = repository.document(documents[0], revision).body
            session.console.result(body, indented(body))
            return
        detail = repository.show(revision)
        diffs = None if stat else repository.show_diff(revision)
        branch = current_branch(repository)
    value = {"commit": detail.commit, "changes": detail.changes}
    if diffs is not None:
        value["diff"] = diffs
    session.console.result(value, _lines(detail, diffs, branch))


def _lines(
    detail: CommitDetail, diffs: Sequence[DocumentDiff] | None, branch: str
) -> Iterator[str]:
    yield from full_lines(detail.commit, branch)
    yield ""
    if diffs is None:
        yield from change_lines(detail.changes)
        yield f" {summary(detail.changes)}"
    else:
        yield from diff_lines(diffs)
