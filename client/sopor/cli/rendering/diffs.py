"""Differences field by field; of long texts the lines, and in them the words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sopor.cli.paint import one_line, paint
from sopor.cli.rendering.changes import STYLES, file_of, title
from sopor.cli.rendering.values import inline, is_short, value_lines

if TYPE_CHECKING:
    from sopor.merge.lines import Line
    from sopor.model.document import Json
    from sopor.repository.results import DocumentDiff, FieldChange

_STYLES = {"-": "delete", "+": "add"}
_WORD_STYLES = {"-": "delete-word", "+": "add-word"}


def diff_lines(diffs: Iterable[DocumentDiff]) -> Iterator[str]:
    """Yields the differences of documents, each under a line that names it."""
    for number, diff in enumerate(diffs):
        if number:
            yield ""
        change = diff.change
        kind = change.kind.value
        name = paint("title", title(change.type, change.name))
        identity = paint("dim", one_line(change.id))
        yield f"{paint(STYLES[kind], kind)} {name} {identity}{file_of(change)}"
        for field in diff.fields:
            yield from field_lines(field)


def field_lines(change: FieldChange) -> Iterator[str]:
    """Yields one difference: what was there before, and what is now."""
    path = one_line(change.path)
    if change.kind == "added":
        yield from _one_sided("+", path, change.after)
    elif change.kind == "removed":
        yield from _one_sided("-", path, change.before)
    elif change.kind == "moved":
        yield f"  {path}: order changed"
        yield f"  {paint('delete', f'- {inline(change.before)}')}"
        yield f"  {paint('add', f'+ {inline(change.after)}')}"
    elif isinstance(change.before, str) and isinstance(change.after, str):
        yield from _texts(path, change.before, change.after)
    elif is_short(change.before) and is_short(change.after):
        yield _pair(path, change.before, change.after)
    else:
        yield from _one_sided("-", path, change.before)
        yield from _one_sided("+", path, change.after)


def _one_sided(sign: str, path: str, value: Json) -> Iterator[str]:
    style = _STYLES[sign]
    if path and is_short(value):
        yield f"  {paint(style, f'{sign} {path}: {inline(value)}')}"
        return
    if path:
        yield f"  {paint(style, f'{sign} {path}:')}"
    for line in value_lines(value):
        yield f"  {paint(style, f'{sign}   {line}' if path else f'{sign} {line}')}"


def _pair(path: str, before: Json, after: Json) -> str:
    return f"  {path}: {paint('delete', inline(before))} -> {paint('add', inline(after))}"


def _texts(path: str, before: str, after: str) -> Iterator[str]:
    from sopor.merge.lines import diff_lines as compare

    if is_short(before) and is_short(after):
        yield _pair(path, before, after)
        return
    yield f"  {path}:"
    for number, hunk in enumerate(compare(before, after)):
        if number:
            yield f"    {paint('dim', '...')}"
        for line in hunk.lines:
            yield f"    {_text_line(line)}"


def _text_line(line: Line) -> str:
    if line.sign == " ":
        return f"  {line.text.rstrip(chr(10))}"
    whole = all(piece.changed for piece in line.pieces)
    pieces = []
    for piece in line.pieces:
        changed = piece.changed and not whole
        style = (_WORD_STYLES if changed else _STYLES)[line.sign]
        pieces.append(paint(style, piece.text.rstrip("\n")))
    return paint(_STYLES[line.sign], f"{line.sign} ") + "".join(pieces)
