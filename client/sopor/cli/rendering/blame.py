"""A document field by field, each with the commit that set it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sopor.cli.paint import one_line, paint
from sopor.cli.rendering.changes import title
from sopor.cli.rendering.commits import commit_line
from sopor.cli.rendering.diffs import field_lines
from sopor.cli.rendering.times import short_time
from sopor.cli.rendering.values import inline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sopor.repository.results import DocumentBlame, DocumentStep

_WIDEST_AUTHOR = 20
_LONGEST_VALUE = 60


def blame_lines(blame: DocumentBlame) -> Iterator[str]:
    """Yields a line for each field: commit, time, author, place and value."""
    yield f"{paint('title', title(blame.type, blame.name))} {paint('dim', one_line(blame.id))}"
    authors = [one_line(field.commit.author)[:_WIDEST_AUTHOR] for field in blame.fields]
    width = max(map(len, authors), default=0)
    for field, author in zip(blame.fields, authors, strict=True):
        when = short_time(field.commit.time.milliseconds)
        who = f"{paint('hash', field.commit.id.short)} {paint('dim', when)} {author:{width}}"
        yield f"{who}  {one_line(field.path)}: {_shortened(inline(field.value))}"


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."


def step_lines(steps: Iterable[DocumentStep], current: str, *, form: str) -> Iterator[str]:
    """Yields each commit of a document's log with what it changed in the document."""
    for number, step in enumerate(steps):
        if number:
            yield ""
        yield from commit_line(step.commit, current, form=form)
        for field in step.fields:
            yield from field_lines(field)
