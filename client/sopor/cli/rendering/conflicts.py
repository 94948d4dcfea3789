"""Conflicts of a merge: what is in conflict, and the versions of each place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from sopor.cli.paint import one_line, paint
from sopor.cli.rendering.changes import INDENT, count, title
from sopor.cli.rendering.values import value_lines

if TYPE_CHECKING:
    from sopor.merge.values import MaybeJson
    from sopor.model.document import Document
    from sopor.repository.resolving import Versions
    from sopor.repository.results import ConflictInfo, MergeStatus

_WHOLE = "the whole document"
_SIDES = (("base", "dim"), ("ours", "delete"), ("theirs", "add"))


def conflict_lines(conflicts: Iterable[ConflictInfo]) -> Iterator[str]:
    """Yields each document in conflict with the places inside it that are not settled."""
    for conflict in conflicts:
        state, style = ("resolved", "add") if conflict.resolved else (conflict.kind, "delete")
        name = title(conflict.type, conflict.name)
        yield f"{INDENT}{paint(style, f'{state}:')} {name} {paint('dim', one_line(conflict.id))}"
        for field in conflict.fields:
            yield f"{INDENT}    {one_line(field) or _WHOLE}"
        for note in conflict.notes:
            yield f"{INDENT}    {one_line(note)}"


def merge_lines(merge: MergeStatus) -> Iterator[str]:
    """Yields what is merged, and how far its conflicts are settled."""
    left = sum(not conflict.resolved for conflict in merge.conflicts)
    state = f"{count(left, 'document')} in conflict" if left else "all conflicts are resolved"
    yield f"Merging {one_line(merge.label)}: {state}"
    yield from conflict_lines(merge.conflicts)


def version_lines(conflict: ConflictInfo, versions: Versions) -> Iterator[str]:
    """Yields, for each place in conflict, what the common ancestor and the two sides have there."""
    from sopor.merge.paths import parse_path, value_at

    yield f"{paint('title', title(conflict.type, conflict.name))} {one_line(conflict.id)}"
    if conflict.resolved:
        yield "  resolved"
    for field in conflict.fields:
        yield f"  {paint('title', one_line(field) or _WHOLE)}"
        path = parse_path(field)
        for side, style in _SIDES:
            document: Document | None = getattr(versions, side)
            value = value_at(document.body, path) if document else _absent()
            yield from _side(side, style, value)


def _absent() -> MaybeJson:
    from sopor.merge.algebra import ABSENT

    return ABSENT


def _side(side: str, style: str, value: MaybeJson) -> Iterator[str]:
    from sopor.merge.algebra import Absent

    lines: Sequence[str] = (
        [paint("dim", "(not there)")] if isinstance(value, Absent) else list(value_lines(value))
    )
    first, *others = lines
    yield f"    {paint(style, f'{side}:')}{' ' * (7 - len(side))}{first}"
    for line in others:
        yield f"            {line}"
