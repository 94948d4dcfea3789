"""Compares and tells apart JSON values the way their canonical form does.

Python holds ``1 == True``, JSON does not; ``1`` and ``1.0`` are one number to both.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TypeAlias

from sopor.merge.algebra import Absent
from sopor.model.document import Json

MaybeJson: TypeAlias = "Json | Absent"


def same_json(first: MaybeJson, second: MaybeJson) -> bool:
    """Tells whether two values have the same canonical form."""
    pairs: list[tuple[MaybeJson, MaybeJson]] = [(first, second)]
    while pairs:
        one, other = pairs.pop()
        if one is other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            pairs += [(value, other[key]) for key, value in one.items()]
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            pairs += zip(one, other, strict=True)
        elif isinstance(one, bool) or isinstance(other, bool) or one != other:
            return False
    return True


def fingerprint(value: MaybeJson) -> Hashable:
    """Returns a key that two values share exactly if they are the same JSON."""
    return tuple(_tokens(value))


def _tokens(value: MaybeJson) -> Iterator[Hashable]:
    stack: list[MaybeJson] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            yield ("map", len(item))
            for key in sorted(item):
                stack += (item[key], key)
        elif isinstance(item, list):
            yield ("list", len(item))
            stack += item
        else:
            yield ("bool", item) if isinstance(item, bool) else item


def is_number(value: MaybeJson) -> bool:
    """Tells whether a value is a JSON number."""
    return isinstance(value, int | float) and not isinstance(value, bool)
