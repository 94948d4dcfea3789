"""Names places inside a document: ``headers[User-Agent].value``.

A path is a tuple of steps: a ``str`` is the key of an object, an `ElementKey` the id or name of an
element in a list of objects, an ``int`` the place in any other list. As text:

    path    = [ key ] *( "." key / "[" element "]" )
    key     = plain / quoted        ; plain: no . [ ] " and not empty
    element = index / plain / quoted
    index   = digits                ; a place; an id or name that looks like one is quoted
    quoted  = a JSON string

The empty path is the whole document and is written as an empty string. A path may lead on into a
text that is a YAML or JSON object, as ``contents.info.title`` does.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypeAlias

from sopor.lazy import lazy_module
from sopor.merge.algebra import ABSENT
from sopor.merge.keys import KEY_FIELDS, key_field
from sopor.merge.values import MaybeJson
from sopor.model.document import Body, Json
from sopor_core.errors import InvalidValue

if TYPE_CHECKING:
    from sopor.merge import spec
else:
    spec = lazy_module("sopor.merge.spec")


class ElementKey(str):
    """The id or name of one object in a list."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"ElementKey({super().__repr__()})"


Path: TypeAlias = tuple[str | int, ...]

_PLAIN = r'[^.\[\]"\x00-\x1f]+'
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_STEP = re.compile(rf"(?:^|(?!^)\.)(?P<key>{_PLAIN}|{_QUOTED})|\[(?P<element>{_PLAIN}|{_QUOTED})\]")
_INDEX = re.compile(r"[0-9]+")


def format_path(path: Path) -> str:
    """Writes a path as text; `parse_path` reads it back."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif isinstance(step, ElementKey):
            text += f"[{_quote_unless_plain(step, like_index=True)}]"
        else:
            text += ("." if text else "") + _quote_unless_plain(step)
    return text


def _quote_unless_plain(step: str, *, like_index: bool = False) -> str:
    plain = re.fullmatch(_PLAIN, step) and not (like_index and _INDEX.fullmatch(step))
    return str(step) if plain else json.dumps(step, ensure_ascii=False)


def parse_path(text: str) -> Path:
    """Reads a path that `format_path` wrote or a person typed.

    Raises:
        InvalidValue: the text is not a path; the message names the place.
    """
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise InvalidValue(
                f"not a path: {text!r} is not understood from {text[position:]!r} on",
                hint='write it like headers[User-Agent].value, with odd names in "quotes"',
            )
        steps.append(_step(match))
        position = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> str | int:
    key, element = match["key"], match["element"]
    if key is not None:
        return _unquote(key)
    return int(element) if _INDEX.fullmatch(element) else ElementKey(_unquote(element))


def _unquote(text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text))
    except ValueError:
        raise InvalidValue(f"not a path: {text} is no quoted name") from None


def value_at(value: MaybeJson, path: Path) -> MaybeJson:
    """Returns what is at a path, or ``ABSENT`` where there is nothing."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step, ABSENT)
        elif isinstance(value, list):
            index = _index(value, step)
            value = ABSENT if index is None else value[index]
        else:
            inside = spec.parse_text(value)
            value = ABSENT if inside is None else value_at(inside, (step,))
    return value


def replace_at(document: Body, path: Path, value: MaybeJson) -> Body:
    """Returns a document with another value at a path; ``ABSENT`` takes it away.

    The document itself stays as it is, and shares with the result what did not change.

    Raises:
        InvalidValue: the way to the path does not exist, or the path is empty.
    """
    if not path:
        raise InvalidValue("the empty path is the document itself, not a place inside it")
    copy = dict(document)
    place: Json = copy
    for at, step in enumerate(path[:-1], start=1):
        text = value_at(place, (step,))
        if isinstance(text, str):
            inner = _replaced_inside(text, path[at:], value)
            if inner is None:
                raise InvalidValue(f"no place {format_path(path)} in this document")
            _put(place, step, inner, path)
            return copy
        place = _copy_below(place, step, path)
    _put(place, path[-1], value, path)
    return copy


def _replaced_inside(text: str, path: Path, value: MaybeJson) -> str | None:
    inside = spec.parse_text(text)
    return (
        None if inside is None else spec.write_text(replace_at(inside, path, value), text, inside)
    )


def _copy_below(place: Json, step: str | int, path: Path) -> Json:
    if isinstance(place, dict) and isinstance(step, str) and step in place:
        below = place[step] = _copy(place[step])
        return below
    index = _index(place, step) if isinstance(place, list) else None
    if not isinstance(place, list) or index is None:
        raise InvalidValue(f"no place {format_path(path)} in this document")
    below = place[index] = _copy(place[index])
    return below


def _copy(value: Json) -> Json:
    if isinstance(value, dict):
        return dict(value)
    return list(value) if isinstance(value, list) else value


def _put(place: Json, step: str | int, value: MaybeJson, path: Path) -> None:
    if isinstance(place, dict) and isinstance(step, str):
        if value is ABSENT:
            place.pop(step, None)
        else:
            place[step] = value
        return
    index = _index(place, step) if isinstance(place, list) else None
    if not isinstance(place, list) or index is None:
        raise InvalidValue(f"no place {format_path(path)} in this document")
    if value is ABSENT:
        del place[index]
    else:
        place[index] = value


def _index(elements: list[Json], step: str | int) -> int | None:
    if isinstance(step, int):
        return step if 0 <= step < len(elements) else None
    # The list may be known by name although each of its elements has got an id by now, or lost it.
    fields = KEY_FIELDS if key_field(elements) == "id" else reversed(KEY_FIELDS)
    for field in fields:
        for index, element in enumerate(elements):
            if isinstance(element, dict) and element.get(field) == step:
                return index
    return None
