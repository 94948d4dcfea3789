"""JSON values as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sopor.model.document import Json

LINE_WIDTH = 72


def inline(value: Json) -> str:
    """Returns a value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)


def is_short(value: Json) -> bool:
    """Tells whether a value is fit for one line."""
    if isinstance(value, str) and "\n" in value:
        return False
    return len(inline(value)) <= LINE_WIDTH


def value_lines(value: Json) -> Iterator[str]:
    """Yields a value on one line where it fits, a text by its lines, else indented JSON."""
    if is_short(value):
        yield inline(value)
    elif isinstance(value, str):
        yield from value.split("\n")
    else:
        yield from indented(value)


def indented(value: Json) -> Iterator[str]:
    """Yields a value as indented JSON."""
    yield from json.dumps(value, ensure_ascii=False, indent=2).split("\n")
