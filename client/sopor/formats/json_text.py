"""Reads JSON strictly, knowing where in the text each part stands, and prints it in a given style.

Refused are duplicate keys, NaN, infinities and anything after the value. Source: RFC 8259.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from json.decoder import JSONDecodeError
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Never

from sopor.formats.errors import FormatError
from sopor.model.document import Body, Json
from sopor.records import dataclass

_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|NaN|-?Infinity', re.DOTALL)
_ESCAPED = re.compile(r"\\u(?:00[89a-f]|0[1-9a-f]|[1-9a-f])", re.IGNORECASE)
_scalar = json.JSONEncoder(allow_nan=False, check_circular=False).encode
_SECOND_LINE = re.compile(r"[{\[]\n([ \t]*)\S")


class _Refused(ValueError):
    """Stops the decoder at what JSON allows and a document can't have."""


def _pairs(pairs: list[tuple[str, Json]]) -> Body:
    body = dict(pairs)
    if len(body) != len(pairs):
        raise _Refused("a key occurs twice in one object")
    return body


def _constant(name: str) -> Never:
    raise _Refused(f"{name} has no place in JSON")


_decoder = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant)


@dataclass(frozen=True, slots=True)
class JsonText:
    """The text of a JSON file and the path to name in errors."""

    text: str
    path: str

    def value(self, start: int) -> tuple[Json, int]:
        """Returns the value that starts at a place, and where it ends.

        Raises:
            FormatError: there is no such value, with line and column.
        """
        try:
            return _decoder.raw_decode(self.text, start)
        except JSONDecodeError as error:
            raise self.error(f"invalid JSON: {error.msg}", error.pos) from None
        except _Refused as error:
            raise self.error(str(error), _refused_place(self.text, start)) from None
        except RecursionError:
            raise self.error("nested too deeply", start) from None
        except ValueError:
            raise self.error("a number has too many digits", start) from None

    def whole(self) -> Json:
        """Returns the value that is the whole text."""
        value, end = self.value(self.skip(0))
        self.expect_end(end)
        return value

    def skip(self, place: int) -> int:
        """Returns the place after white space."""
        found = _SPACE.match(self.text, place)
        return found.end() if found else place

    def expect(self, char: str, place: int) -> int:
        """Returns the place after a character that must follow."""
        place = self.skip(place)
        if not self.text.startswith(char, place):
            raise self.error(f"invalid JSON: expected {char!r}", place)
        return place + 1

    def expect_end(self, place: int) -> None:
        """Checks that only white space follows."""
        place = self.skip(place)
        if place != len(self.text):
            raise self.error("invalid JSON: extra text after the end", place)

    def more(self, place: int, end: str) -> tuple[bool, int]:
        """Tells whether a comma or the end of a list or object follows; returns the place after."""
        place = self.skip(place)
        if self.text.startswith(end, place):
            return False, place + 1
        return True, self.skip(self.expect(",", place))

    def line(self, place: int) -> int:
        """Returns the line of a place, from 1."""
        return self.text.count("\n", 0, place) + 1

    def error(self, reason: str, place: int) -> FormatError:
        """Returns an error about a place."""
        column = place - (self.text.rfind("\n", 0, place) + 1) + 1
        return FormatError(
            reason,
            path=self.path,
            line=self.line(place),
            column=column,
            hint="correct the file, or restore it",
        )


def _refused_place(text: str, start: int) -> int:
    """Returns the place of the first double key or NaN of a value, or its start."""
    keys: list[set[str]] = [set()]
    last = start
    for token in _TOKEN.finditer(text, start):
        mark = token[0]
        if mark in {"{", "["}:
            keys.append(set())
        elif mark in {"}", "]"}:
            keys.pop()
        elif mark == ":":
            key = text[last : token.start()].rstrip()
            if key in keys[-1]:
                return last
            keys[-1].add(key)
        else:
            last = token.start()
            if mark[-1] in {"N", "y"}:
                return last
        if not keys:
            break
    return start


@dataclass(frozen=True, slots=True)
class JsonStyle:
    """How JSON is laid out: the indent of a level, None for all on one line, and ASCII or not."""

    indent: str | None = "  "
    ascii: bool = False

    @classmethod
    def of(cls, text: str) -> JsonStyle:
        """Returns the style of an existing text."""
        escaped = text.isascii() and bool(_ESCAPED.search(text))
        second = _SECOND_LINE.search(text[:4096])
        if second:
            return cls(second[1], escaped)
        return cls(None if "\n" not in text.strip() else "  ", escaped)

    def print(self, value: Json, base: str = "") -> str:
        """Returns a value as text whose further lines start with ``base``."""
        if self.indent is not None:
            quote = encode_basestring_ascii if self.ascii else encode_basestring
            return _indented(value, f"\n{base}", self.indent, quote)
        return json.dumps(
            value,
            ensure_ascii=self.ascii,
            allow_nan=False,
            separators=(",", ":"),
            check_circular=False,
        )


def _indented(value: Json, line: str, step: str, quote: Callable[[str], str]) -> str:
    """Returns what `json.dumps` would; its C encoder does not indent, and its Python is slow."""
    if isinstance(value, str):
        return quote(value)
    if not isinstance(value, dict | list):
        return _scalar(value)
    inside = line + step
    if isinstance(value, list):
        parts = [_indented(item, inside, step, quote) for item in value]
        return f"[{inside}{f',{inside}'.join(parts)}{line}]" if parts else "[]"
    parts = [f"{quote(key)}: {_indented(item, inside, step, quote)}" for key, item in value.items()]
    return f"{{{inside}{f',{inside}'.join(parts)}{line}}}" if parts else "{}"
