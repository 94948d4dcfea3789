"""Finds the lines that differ between two texts, and the words that differ inside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal, TypeAlias

from sopor.merge.sequences import common_runs
from sopor.merge.text import split_lines
from sopor.model.document import Body, Json
from sopor.records import dataclass

Sign: TypeAlias = Literal[" ", "-", "+"]

CONTEXT = 3
"""How many equal lines are shown around a change."""

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a line; ``changed`` if the other version of the line does not have it."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a diff: equal (" "), removed ("-") or added ("+"); its pieces make it up."""

    sign: Sign
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """The whole line, with the newline at its end if it has one."""
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class TextHunk:
    """Lines that follow each other, and the place of the first one in both texts, from 0."""

    before_start: int
    after_start: int
    lines: tuple[Line, ...]

    def to_json(self) -> Body:
        """Returns the hunk as a JSON object; a line is its sign and its pieces."""
        lines: list[Json] = [
            {
                "sign": line.sign,
                "pieces": [{"text": piece.text, "changed": piece.changed} for piece in line.pieces],
            }
            for line in self.lines
        ]
        return {"before": self.before_start, "after": self.after_start, "lines": lines}


def diff_lines(before: str, after: str, context: int = CONTEXT) -> tuple[TextHunk, ...]:
    """Returns the stretches in which two texts differ, with some equal lines around each."""
    old, new = split_lines(before), split_lines(after)
    if old == new:
        return ()
    matcher = SequenceMatcher(None, old, new)
    return tuple(
        TextHunk(group[0][1], group[0][3], tuple(_lines(old, new, group)))
        for group in matcher.get_grouped_opcodes(context)
    )


def _lines(
    old: Sequence[str], new: Sequence[str], group: Sequence[tuple[str, int, int, int, int]]
) -> Iterator[Line]:
    for tag, old_from, old_to, new_from, new_to in group:
        if tag == "equal":
            for line in old[old_from:old_to]:
                yield Line(" ", (Piece(line, changed=False),))
        else:
            yield from _changed(old[old_from:old_to], new[new_from:new_to])


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    pairs = [diff_words(one or "", other or "") for one, other in zip_longest(old, new)]
    for before, _ in pairs[: len(old)]:
        yield Line("-", before)
    for _, after in pairs[: len(new)]:
        yield Line("+", after)


def diff_words(before: str, after: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Returns two versions of a line in pieces; one piece each if they have little in common."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    runs = list(common_runs(old, new))
    shared = sum(len(word) for start, _, length in runs for word in old[start : start + length])
    if shared < _ALIKE * max(len(before), len(after)):
        return _whole(before), _whole(after)
    return (
        _pieces(old, [(start, length) for start, _, length in runs]),
        _pieces(new, [(start, length) for _, start, length in runs]),
    )


def _whole(line: str) -> tuple[Piece, ...]:
    return (Piece(line, changed=True),) if line else ()


def _pieces(words: Sequence[str], equal: Sequence[tuple[int, int]]) -> tuple[Piece, ...]:
    pieces = []
    at = 0
    for start, length in [*equal, (len(words), 0)]:
        pieces.append(Piece("".join(words[at:start]), changed=True))
        pieces.append(Piece("".join(words[start : start + length]), changed=False))
        at = start + length
    return tuple(piece for piece in pieces if piece.text)
