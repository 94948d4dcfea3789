"""Documents that changed, one a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from sopor.cli.paint import one_line, paint
from sopor.model.document import RECORD_TYPE

if TYPE_CHECKING:
    from sopor.repository.results import DocumentChange

INDENT = " " * 8
STYLES = {"added": "add", "modified": "change", "deleted": "delete"}
_LETTERS = {"added": "A", "modified": "M", "deleted": "D"}


def change_lines(changes: Iterable[DocumentChange]) -> Iterator[str]:
    """Yields ``modified:  request "Get pets"  petstore.yaml``."""
    for change in changes:
        kind = change.kind.value
        yield f"{INDENT}{paint(STYLES[kind], f'{kind}:')}{' ' * (10 - len(kind))}{titled(change)}"


def short_lines(changes: Iterable[DocumentChange]) -> Iterator[str]:
    """Yields ``M req_1 request "Get pets"  petstore.yaml``."""
    for change in changes:
        kind = change.kind.value
        letter = paint(STYLES[kind], _LETTERS[kind])
        yield f"{letter} {one_line(change.id)} {titled(change)}"


def titled(change: DocumentChange) -> str:
    """Returns type, name and file of a document."""
    return f"{title(change.type, change.name)}{file_of(change)}"


def file_of(change: DocumentChange) -> str:
    """Returns the file of a document behind two spaces, or nothing."""
    return f"  {paint('dim', one_line(change.file))}" if change.file else ""


def title(kind: str, name: str) -> str:
    """Returns type and name of a document; the record of a file is called a file."""
    shown = "file" if kind == RECORD_TYPE else one_line(kind)
    return f'{shown} "{one_line(name)}"'


def summary(changes: Sequence[DocumentChange]) -> str:
    """Returns ``3 documents changed: 1 added, 2 modified``."""
    counts = Counter(change.kind.value for change in changes)
    parts = [f"{counts[kind]} {kind}" for kind in STYLES if counts[kind]]
    tail = f": {', '.join(parts)}" if parts else ""
    return f"{count(len(changes), 'document')} changed{tail}"


def count(number: int, noun: str) -> str:
    """Returns a number with its noun: ``1 document``, ``1,200 documents``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
