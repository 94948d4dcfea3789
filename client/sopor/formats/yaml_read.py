"""Reads YAML the way Insomnia's own YAML library does: version 1.2, core schema, plain JSON out.

``yes``, ``on``, ``1_000``, ``12:30`` and ``2024-01-01`` are strings, ``0o17`` is 15, ``<<`` is a
key like any other, and keys become strings as JavaScript makes them. libyaml does the scanning: it
is some fifty times faster than a parser in Python. It follows YAML 1.1 in some points, which are
evened out here: it breaks lines at U+0085, U+2028 and U+2029, and it refuses some characters raw
and a tab where a block of text begins.

What JSON can't hold is refused: infinities, tags of applications, lists as keys, several documents.
"""

from __future__ import annotations

import re
from dataclasses import field
from typing import TypeAlias, cast

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
)

from sopor.formats.base import DEFAULT_LIMITS, Limits
from sopor.formats.scalars import js_number, resolve
from sopor.model.document import Json
from sopor.records import dataclass

try:
    from yaml._yaml import CParser
except ImportError:  # a PyYAML without libyaml reads the same, slowly
    from yaml import Loader as CParser  # type: ignore[assignment]

_FOREIGN = re.compile(
    r"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]"
)
_LITERAL_FROM_TAB = re.compile(r"(\|[-+0-9]*\n(?: *\n)* +)\t")
_FOLDED_FROM_TAB = re.compile(r">([-+]?\n(?: *\n)*)( +)(?=\t)")
_LINE_START = re.compile(r" *(?:- +)*")
_SPARE_FIRST = 0x10F000
_SPARE_LAST = 0x10FFFD
_CORE = "tag:yaml.org,2002:"
_RESOLVED_TAGS = frozenset(_CORE + name for name in ("null", "bool", "int", "float"))

_Pending: TypeAlias = "tuple[Container, str | None, str | None, int]"
Container: TypeAlias = "dict[str, Json] | list[Json]"


CORRECT = "correct the file, or restore it"


class YamlError(Exception):
    """Says what is wrong with a YAML text and where (line and column count from 1)."""

    def __init__(
        self, reason: str, line: int | None, column: int | None = None, hint: str | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.column = column
        self.hint = hint


def parse_yaml(text: str, limits: Limits = DEFAULT_LIMITS) -> Json:
    """Returns the JSON value that a YAML text stands for.

    Raises:
        YamlError: the text is no YAML, or holds what JSON or the limits do not allow.
    """
    text, restore = for_libyaml(text)
    builder = _Builder(limits, restore)
    try:
        builder.run(CParser(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = error.problem or error.context or "not valid YAML"
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise YamlError(f"invalid YAML: {reason}", line, column, CORRECT) from None
    except yaml.YAMLError as error:
        raise YamlError(f"invalid YAML: {error}", None, hint=CORRECT) from None
    return builder.result


def for_libyaml(text: str) -> tuple[str, dict[str, str]]:
    """Returns a text that libyaml reads as Insomnia does, and which of its characters to restore.

    Lines and columns stay what they were, but for the header of some folded blocks.
    """
    text = text.removeprefix("\ufeff")
    if "\r\n" in text:
        text = text.replace("\r\n", "\n")
    spares = _spares(text)
    if spares:
        text = _FOREIGN.sub(lambda match: spares[match[0]], text)
    if "\t" in text:
        text = _LITERAL_FROM_TAB.sub(lambda match: match[1] + spares["\t"], text)
        text = _FOLDED_FROM_TAB.sub(_with_indent_shown, text)
    return text, {spare: char for char, spare in spares.items()}


def _with_indent_shown(match: re.Match[str]) -> str:
    """Returns the start of a folded block with the number of spaces that its lines begin with."""
    text, place = match.string, match.start()
    line = text[text.rfind("\n", 0, place) + 1 : place]
    found = _LINE_START.match(line)
    start = found[0] if found else ""
    parent = len(start) if line.removeprefix(start).strip() else start.rfind("-")
    step = len(match[2]) - max(parent, 0)
    return f">{step}{match[1]}{match[2]}" if 0 < step < 10 else match[0]


def _spares(text: str) -> dict[str, str]:
    """Returns a stand-in of the private use area for each character that libyaml mistreats."""
    found = set(_FOREIGN.findall(text))
    if "\t" in text and _LITERAL_FROM_TAB.search(text):
        found.add("\t")
    if not found:
        return {}
    used = set(text)
    free = (chr(code) for code in range(_SPARE_FIRST, _SPARE_LAST) if chr(code) not in used)
    return dict(zip(sorted(found), free, strict=False))


@dataclass
class _Builder:
    """Builds the value from libyaml's events, without recursion and without expanding aliases."""

    limits: Limits
    restore: dict[str, str]
    result: Json = None
    stack: list[_Pending] = field(default_factory=list)
    anchors: dict[str, tuple[Json, int]] = field(default_factory=dict)
    open_anchors: set[str] = field(default_factory=set)
    size: int = 0
    documents: int = 0

    def run(self, parser: CParser) -> None:
        """Takes every event of the parser."""
        container: Container | None = None
        key: str | None = None
        get = parser.get_event
        while (event := get()) is not None:
            if isinstance(event, ScalarEvent):
                if key is None and isinstance(container, dict):
                    key = self.key(event, container)
                    continue
                value = self.scalar(event)
            elif isinstance(event, CollectionStartEvent):
                self.open(event, container, key)
                container, key = ({} if isinstance(event, MappingStartEvent) else []), None
                continue
            elif isinstance(event, CollectionEndEvent):
                value = container
                container, key = self.close(value)
            elif isinstance(event, AliasEvent):
                value = self.alias(event, container, key)
            else:
                self.boundary(event)
                continue
            if isinstance(container, dict):
                container[cast("str", key)] = value
                key = None
            elif container is None:
                self.result = value
            else:
                container.append(value)

    def boundary(self, event: Event) -> None:
        """Sees to it that there is one document."""
        self.documents += isinstance(event, DocumentStartEvent)
        if self.documents > 1:
            raise _at(event, "the file holds more than one YAML document")

    def key(self, event: ScalarEvent, container: dict[str, Json]) -> str:
        """Returns a mapping's next key as JavaScript would make it, refusing a double one."""
        value = self.scalar(event)
        if not isinstance(value, str):
            value = _as_key(value)
        if value in container:
            raise _at(event, f"the key {value!r} occurs twice", hint="keep one of the two")
        return value

    def scalar(self, event: ScalarEvent) -> Json:
        """Returns the value of a scalar, resolved by the core schema where it is plain."""
        text: str = event.value
        if self.restore:
            text = "".join(self.restore.get(char, char) for char in text)
        self.size += len(text) + 1
        tag = event.tag
        if tag is not None and tag != "!" and tag != _CORE + "str":
            if tag not in _RESOLVED_TAGS:
                raise _at(event, f"the tag {tag} is not supported", hint="remove the tag")
            value: Json = self.resolved(event, text)
        elif event.style or tag is not None:
            value = text
        else:
            value = self.resolved(event, text)
        if event.anchor:
            self.anchors[event.anchor] = (value, len(text) + 1)
        return value

    def resolved(self, event: ScalarEvent, text: str) -> Json:
        """Returns what a plain scalar stands for."""
        try:
            return resolve(text)
        except ValueError as error:
            raise _at(event, str(error), hint="put it in quotes") from None

    def open(
        self, event: CollectionStartEvent, container: Container | None, key: str | None
    ) -> None:
        """Enters a mapping or a list."""
        if type(container) is dict and key is None:
            raise _at(event, "a key must be a single value, not a list or mapping")
        if len(self.stack) >= self.limits.depth:
            raise _at(event, f"nested deeper than {self.limits.depth} levels")
        tag = event.tag
        if tag not in {None, "!", _CORE + "map", _CORE + "seq"}:
            raise _at(event, f"the tag {tag} is not supported", hint="remove the tag")
        if event.anchor:
            self.open_anchors.add(event.anchor)
        self.stack.append((cast("Container", container), key, event.anchor, self.size))

    def close(self, value: Json) -> tuple[Container | None, str | None]:
        """Leaves a mapping or a list; returns the one around it with its waiting key."""
        container, key, anchor, size = self.stack.pop()
        if anchor:
            self.open_anchors.discard(anchor)
            self.anchors[anchor] = (value, self.size - size)
        return container, key

    def alias(self, event: AliasEvent, container: Container | None, key: str | None) -> Json:
        """Returns the value that an alias repeats; the sizes count, so that no bomb goes off."""
        name = event.anchor or ""
        if type(container) is dict and key is None:
            raise _at(event, "an alias can't be a key")
        if name in self.open_anchors or name not in self.anchors:
            what = "contains itself" if name in self.open_anchors else "is not defined"
            raise _at(event, f"the alias *{name} {what}")
        value, size = self.anchors[name]
        self.size += size
        if self.size > self.limits.expanded_chars:
            raise _at(
                event,
                f"its aliases expand to more than {self.limits.expanded_chars} characters",
                hint="write the repeated parts out, or remove them",
            )
        return value


def _as_key(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return js_number(cast("int | float", value))


def _at(event: Event, reason: str, hint: str | None = None) -> YamlError:
    mark = event.start_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
    return YamlError(reason, line, column, hint)
