"""Folds long lines of YAML scalars at 80 columns, where a reader puts them together again.

A line is broken at the last single space before the limit; a line without one stays long, except in
double quotes, where an escaped line break may stand anywhere. At deep indents at least 20 columns
of content are left to each line.
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum

from sopor.records import dataclass

_WIDTH = 80
_MIN_CONTENT = 20
_ESCAPE_LENGTHS = {"x": 3, "u": 5, "U": 9}
_NO_PLACE_TO_FOLD = frozenset(" \n\t")


class Mode(Enum):
    """Says by which rules a scalar is folded."""

    FLOW = "flow"
    QUOTED = "quoted"
    BLOCK = "block"


def fold(text: str, indent: str, mode: Mode, at_start: int | None = None) -> str:
    """Returns a scalar on one line (FLOW or QUOTED) with long lines broken.

    Args:
        text: a scalar with its quotes and escapes; its own line breaks are indented already.
        indent: what a new line starts with.
        mode: by which rules to fold.
        at_start: how many columns are taken on the first line, if not those of the indent.
    """
    folding = _Folding(text, len(indent), mode)
    if len(text) <= folding.step:
        return text
    if at_start is not None and at_start > _WIDTH - _MIN_CONTENT:
        folding.folds.append(0)
    elif at_start is not None:
        folding.end = _WIDTH - at_start
    return folding.folded(indent) if folding.run() else text


def fold_block(text: str, indent: str) -> str | None:
    """Returns the body of a folded block, or None if one of its lines can't be broken."""
    folding = _Folding(text, len(indent), Mode.BLOCK)
    if len(text) <= folding.step:
        return text
    return folding.folded(indent) if folding.run() else None


@dataclass(slots=True)
class _Folding:
    text: str
    indent: int
    mode: Mode
    step: int = 0
    end: int = 0
    at: int = -1
    split: int = -1
    escape: tuple[int, int] = (-1, -1)
    folds: list[int] = field(default_factory=list)
    escaped: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.step = max(1 + _MIN_CONTENT, 1 + _WIDTH - self.indent)
        self.end = max(_WIDTH - self.indent, _MIN_CONTENT)

    def run(self) -> bool:
        """Finds the places to fold; False if a line can't be folded as it must."""
        text, size = self.text, len(self.text)
        if self.mode is Mode.BLOCK:
            self._skip_deeper_lines()
            if self.at != -1:
                self.end = self.at + self.step
        before = ""
        self.at += 1
        while self.at < size:
            char = text[self.at]
            if char == "\\" and self.mode is Mode.QUOTED:
                self._skip_escape()
            if char == "\n":
                self._next_line()
            else:
                if char == " " and before and before not in _NO_PLACE_TO_FOLD:
                    after = text[self.at + 1 : self.at + 2]
                    if after and after not in _NO_PLACE_TO_FOLD:
                        self.split = self.at
                place = self.at
                if place >= self.end and not self._fold(before):
                    return False
                if self.at != place:
                    char = text[self.at : self.at + 1]
            before = char
            self.at += 1
        return True

    def folded(self, indent: str) -> str:
        """Returns the text, broken at the places found."""
        parts: list[str] = []
        start = 0
        for place in self.folds:
            parts.append(self.text[start:place])
            if place in self.escaped and place:
                parts.append(f"{self.text[place]}\\")
            parts.append(f"\n{indent}")
            start = place + 1 if place else 0
        parts.append(self.text[start:])
        return "".join(parts)

    def _next_line(self) -> None:
        if self.mode is Mode.BLOCK:
            self._skip_deeper_lines()
        self.end = self.at + self.indent + self.step
        self.split = -1

    def _skip_escape(self) -> None:
        start = self.at
        self.at += _ESCAPE_LENGTHS.get(self.text[start + 1 : start + 2], 1)
        self.escape = (start, self.at)

    def _fold(self, before: str) -> bool:
        if self.split >= 0:
            self.folds.append(self.split)
            self.end = self.split + self.step
            self.split = -1
            return True
        if self.mode is not Mode.QUOTED:
            return self.mode is Mode.FLOW
        while before in {" ", "\t"} and self.at < len(self.text):
            before = self.text[self.at]
            self.at += 1
        start, end = self.escape
        place = self.at - 2 if self.at > end + 1 else start - 1
        if "\ud800" <= self.text[place] < "\udc00":
            place -= 1  # never between the halves of a character
        if place in self.escaped:
            return False
        self.folds.append(place)
        self.escaped.add(place)
        self.end = place + self.step
        self.split = -1
        return True

    def _skip_deeper_lines(self) -> None:
        """Moves to the end of the last of the more indented lines that follow; those stay long."""
        text, at = self.text, self.at
        end, start = at, at + 1
        while text[start : start + 1] in {" ", "\t"}:
            if at < start + self.indent:
                at += 1
                if text[at : at + 1] not in {" ", "\t"}:
                    break
                continue
            found = text.find("\n", at + 1)
            at = found if found >= 0 else len(text)
            end, start = at, at + 1
        self.at = end
