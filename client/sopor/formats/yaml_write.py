"""Writes YAML in the style that Insomnia writes: block mappings, plain text where it can be plain.

The style is that of the `yaml` library for JavaScript with its default options, so that a file that
Insomnia wrote comes out the same and Insomnia's own rewriting of ours changes nothing: two spaces,
lists indented below their key, double quotes where quotes are needed (single ones around text with
double quotes), literal blocks for text of many lines, lines folded at 80 columns.
"""

from __future__ import annotations

from math import isfinite

from sopor.formats.scalars import js_number
from sopor.formats.yaml_text import INDENT, render_key, render_text
from sopor.model.document import Json

_FIRST_INEXACT = 2**53
_MAX_IMPLICIT_KEY = 1024
_NEVER_FOLDED = 9


def emit_yaml(value: Json) -> str:
    """Returns the YAML text of a JSON value, with a line break at its end.

    Raises:
        ValueError: a number is NaN or infinite.
    """
    writer = _Writer()
    if isinstance(value, dict | list) and value:
        writer.collection(value, "")
    elif isinstance(value, str):
        writer.out.append(render_key(value, outermost=True))
    else:
        writer.out.append(writer.scalar(value, INDENT, None))
    writer.out.append("\n")
    return "".join(writer.out)


class _Writer:
    """Collects the parts of a text; remembers short texts, since most occur many times."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self._keys: dict[tuple[str, bool], str] = {}
        self._short: dict[str, str] = {}

    def collection(self, value: dict[str, Json] | list[Json], indent: str) -> None:
        """Writes a non-empty mapping or list whose first line has been indented already."""
        add = self.out.append
        separator = f"\n{indent}"
        first = True
        if isinstance(value, dict):
            for key, item in value.items():
                if not first:
                    add(separator)
                first = False
                self._pair(key, item, indent)
            return
        inner = indent + INDENT
        for item in value:
            add("- " if first else f"{separator}- ")
            first = False
            if isinstance(item, dict | list) and item:
                self.collection(item, inner)
            else:
                add(self.scalar(item, inner, None))

    def _pair(self, key: str, value: Json, indent: str) -> None:
        add = self.out.append
        name = self._key(key, indent)
        inner = indent + INDENT
        explicit = len(name) > _MAX_IMPLICIT_KEY
        add(f"? {name}\n{indent}:" if explicit else f"{name}:")
        if isinstance(value, dict | list) and value:
            add(" " if explicit else f"\n{inner}")
            self.collection(value, inner)
            return
        text = self.scalar(value, inner, None if explicit else len(f"{name}: "))
        add(text if text.startswith("\n") else f" {text}")

    def _key(self, key: str, indent: str) -> str:
        outermost = not indent
        known = self._keys.get((key, outermost))
        if known is None:
            known = self._keys[key, outermost] = render_key(key, outermost=outermost)
        return known

    def scalar(self, value: Json, indent: str, at_start: int | None) -> str:
        """Returns what stands for a value that has no lines of its own below it."""
        if isinstance(value, str):
            return self._text(value, indent, at_start)
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, dict | list):
            return "{}" if isinstance(value, dict) else "[]"
        return _number(value)

    def _text(self, text: str, indent: str, at_start: int | None) -> str:
        if len(text) > _NEVER_FOLDED or "\n" in text:
            return render_text(text, indent, at_start)
        known = self._short.get(text)
        if known is None:
            known = self._short[text] = render_text(text, indent, at_start)
        return known


def _number(value: int | float) -> str:
    if isinstance(value, float) and isfinite(value) and abs(value) >= _FIRST_INEXACT:
        return repr(value)  # all digits of an integer would read back as another number
    return js_number(value)
