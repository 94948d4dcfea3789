"""Carries a change into a YAML text of another style than ours, leaving its other lines alone.

Comments, quotes and indents of the existing file stay where nothing changed. The file is printed
twice in our style, before and after the change; the lines that differ replace those that they stand
for. The result has to mean what was to be written, else our own text is taken.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from sopor.formats.compare import same_json
from sopor.formats.yaml_read import YamlError, parse_yaml
from sopor.formats.yaml_write import emit_yaml
from sopor.model.document import Json

_LONGEST = 1 << 20


def emit_like(value: Json, text: str, before: Json) -> str:
    """Returns the YAML text of a value, with the lines of an existing text where they still fit.

    Args:
        value: what to write.
        text: the existing text, its lines ending in line feeds.
        before: the value of the existing text.
    """
    new = emit_yaml(value)
    if len(text) > _LONGEST:
        return new
    old = emit_yaml(before)
    if text == old:
        return new
    lines = [part.splitlines(keepends=True) for part in (text, old, new)]
    patched = "".join(_patched(*lines))
    try:
        fits = same_json(parse_yaml(patched), value)
    except YamlError:
        fits = False
    return patched if fits else new


def _patched(text: Sequence[str], old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """Yields the lines of the text, those from ``new`` where it differs from ``old``."""
    places = _Places(old, text)
    done = 0
    skipped = 0
    for start, end, new_start, new_end in _changes(old, new):
        if end <= skipped:
            continue
        first, first_place = places.before(max(start, skipped))
        last, last_place = places.after(end)
        if first_place < done:
            continue
        yield from text[done:first_place]
        yield from new[new_start - (start - first) : new_end + (last - end)]
        done, skipped = last_place, last
    yield from text[done:]


def _changes(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    for kind, start, end, new_start, new_end in _matcher(old, new).get_opcodes():
        if kind != "equal":
            yield start, end, new_start, new_end


def _matcher(one: Sequence[str], other: Sequence[str]) -> SequenceMatcher[str]:
    return SequenceMatcher(None, one, other)


class _Places:
    """Finds where in a text a line of our printing of it is."""

    def __init__(self, old: Sequence[str], text: Sequence[str]) -> None:
        self._blocks = _matcher(old, text).get_matching_blocks()
        self._starts = [block.a for block in self._blocks]

    def before(self, line: int) -> tuple[int, int]:
        """Returns the last line up to one that is in both, and its place in the text."""
        at = bisect_right(self._starts, line) - 1
        if at < 0:
            return 0, 0
        block = self._blocks[at]
        offset = min(line - block.a, block.size)
        return block.a + offset, block.b + offset

    def after(self, line: int) -> tuple[int, int]:
        """Returns the first line from one on that is in both, and its place in the text."""
        at = bisect_right(self._starts, line) - 1
        block = self._blocks[max(at, 0)]
        if at < 0 or line > block.a + block.size:
            block = self._blocks[at + 1]
            return block.a, block.b
        return line, block.b + line - block.a
