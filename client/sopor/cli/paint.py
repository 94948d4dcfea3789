"""Styles for text, and what keeps foreign text from taking over the terminal.

Names, messages and documents come from other people. Whatever in them would move a cursor, colour
or reverse text is shown as an escape. Our own styles are marked by a sequence that nobody outside
of this process can know, and become terminal codes, or nothing, when a text is written.
"""

from __future__ import annotations

import os
import re

_MARK = f"\x00{os.urandom(8).hex()}"
_CODES = {
    "add": "32",
    "delete": "31",
    "change": "33",
    "add-word": "32;7",
    "delete-word": "31;7",
    "hash": "33",
    "branch": "36",
    "title": "1",
    "dim": "2",
    "error": "31;1",
    "warning": "33;1",
    "hint": "36",
    "graph": "35",
    "": "0",
}
_SPECIAL = re.compile(
    _MARK + r"(?P<style>[a-z-]*);"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
    r"|[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def paint(style: str, text: str) -> str:
    """Marks a text with a style: the same text on a terminal without colours."""
    return f"{_MARK}{style};{text}{_MARK};" if text else ""


def finish(text: str, *, colour: bool) -> str:
    """Returns a text as it is written: styles as terminal codes or gone, controls as escapes."""

    def replace(match: re.Match[str]) -> str:
        style = match["style"]
        if style is None:
            return match[0].encode("unicode_escape", "surrogatepass").decode("ascii")
        return f"\x1b[{_CODES[style]}m" if colour else ""

    return _SPECIAL.sub(replace, text)


def one_line(text: str) -> str:
    """Returns a text with its line breaks and tabs as escapes: a name can't pretend to be lines."""
    return text.replace("\n", "\\n").replace("\t", "\\t")
