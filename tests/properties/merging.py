"""Draws documents and what two people may have made of them.

Everything is made from one draw of bytes: many times faster than composed strategies, and it still
shrinks, because a byte of zero stands for the simplest choice everywhere.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st

from sopor.model.document import Body, Document, DocumentId, Json

T = TypeVar("T")

law = settings(max_examples=int(os.environ.get("SOPOR_EXAMPLES", "500")), deadline=None)
"""Laws of the merge are tried on more examples than the profile says."""

fewer = settings(max_examples=max(1, law.max_examples // 10), deadline=None)
"""For laws whose examples take milliseconds each."""


class Dice:
    """Makes choices from drawn bytes; when they are used up, always the first one."""

    def __init__(self, drawn: bytes) -> None:
        self._left = iter(drawn)

    def upto(self, most: int) -> int:
        return next(self._left, 0) % (most + 1)

    def of(self, options: Sequence[T]) -> T:
        return options[self.upto(len(options) - 1)]

    def some(self, options: Sequence[T]) -> list[T]:
        """Chooses some of the options, in an order of its own."""
        left, count = list(options), self.upto(len(options))
        return [left.pop(self.upto(len(left) - 1)) for _ in range(count)]


def dice(size: int = 160) -> st.SearchStrategy[Dice]:
    return st.binary(min_size=size, max_size=size).map(Dice)


# Few different values, so that two people often touch the same place in the same way.
SCALARS: list[Json] = ["", "x", "y", None, True, False, 0, 1, 1.5]
LINES = ["x\n", "y\n", "z\n", "{\n", "\n", "no newline"]
KEYS = ["a", "b", "name", "type", "modified"]
LETTERS = list("pqrst")


def text(dice: Dice) -> str:
    return "".join(dice.of(LINES) for _ in range(dice.upto(6)))


def scalar(dice: Dice) -> Json:
    return dice.of(SCALARS)


def keyed_list(dice: Dice, field: str) -> list[Json]:
    """Makes a list of headers or parameters, each told by ``field``."""
    return [_element(dice, field, key) for key in dice.some(LETTERS)]


def _element(dice: Dice, field: str, key: str) -> Body:
    element: Body = {"value": scalar(dice), "text": text(dice)}
    if field == "id":
        return {"id": f"pair_{key}", "name": dice.of("pq"), **element}
    if not dice.upto(3):
        element["id"] = f"new_{dice.of(LETTERS)}"
    return {"name": key, **element}


def plain_list(dice: Dice) -> list[Json]:
    kind = dice.upto(3)
    if kind == 0:
        return [*dice.some(LETTERS)]
    if kind == 1:
        return [{dice.of(KEYS): scalar(dice), "id": dice.upto(9)} for _ in range(dice.upto(3))]
    if kind == 2:
        return [[*dice.some([1, 2, 3])] for _ in range(dice.upto(3))]
    return [scalar(dice) for _ in range(dice.upto(4))]


def tree(dice: Dice, depth: int = 3) -> Json:
    kind = dice.upto(3)
    if kind < 2 or not depth:
        return scalar(dice)
    if kind == 2:
        return plain_list(dice)
    return {dice.of(KEYS): tree(dice, depth - 1) for _ in range(dice.upto(3))}


def request(members: Body) -> Document:
    return Document(DocumentId("req_1"), "request", {"_id": "req_1", "_type": "request", **members})


def members(dice: Dice) -> Body:
    """Makes the members of a document with a bit of everything that real ones hold."""
    return {key: member(dice, key) for key in MEMBERS if dice.upto(2)}


MEMBERS = ["name", "modified", "metaSortKey", "headers", "parameters", "description", "body", "x"]


def member(dice: Dice, key: str) -> Json:
    """Makes a value for one member of a document."""
    if key in {"modified", "metaSortKey"}:
        return dice.of([0, 1, 2, -1.5])
    if key in {"headers", "parameters"}:
        return keyed_list(dice, "name" if key == "headers" else "id")
    if key == "description":
        return text(dice)
    if key == "body":
        return {"mimeType": dice.of(LETTERS), "text": text(dice), "params": plain_list(dice)}
    return tree(dice) if key == "x" else scalar(dice)


def edited(dice: Dice, base: Body) -> Body:
    """Makes what somebody made of the members of a document, by a few edits."""
    body = dict(base)
    for _ in range(1 + dice.upto(2)):
        key = dice.of(MEMBERS)
        if key in body and not dice.upto(5):
            del body[key]
        elif key in body:
            body[key] = touched(dice, body[key], member(dice, key))
        else:
            body[key] = member(dice, key)
    return body


def touched(dice: Dice, old: Json, new: Json) -> Json:
    """Makes one edit inside an old value, with material from a new one."""
    if isinstance(old, dict) and isinstance(new, dict) and new:
        key = dice.of(sorted(new))
        return {**old, key: touched(dice, old[key], new[key]) if key in old else new[key]}
    if isinstance(old, list) and isinstance(new, list) and old:
        return _touched_list(dice, old, new)
    if isinstance(old, str) and isinstance(new, str) and "\n" in old:
        lines = old.split("\n")
        lines[dice.upto(len(lines) - 1)] = new.partition("\n")[0]
        return "\n".join(lines)
    return new


def _touched_list(dice: Dice, old: list[Json], new: list[Json]) -> list[Json]:
    elements, kind = list(old), dice.upto(3)
    if kind == 0:
        place = dice.upto(len(old) - 1)
        other = next((item for item in new if _name(item) == _name(old[place])), old[place])
        elements[place] = touched(dice, old[place], other)
    elif kind == 1:
        del elements[dice.upto(len(old) - 1)]
    elif kind == 2:
        elements.insert(dice.upto(len(old) - 1), elements.pop())
    else:
        known = [_name(item) for item in old]
        added = [item for item in new if _name(item) is None or _name(item) not in known]
        place = dice.upto(len(old))
        elements[place:place] = added
    return elements


def _name(item: Json) -> Json:
    if isinstance(item, dict):
        key = item.get("id")
        return key if isinstance(key, str) and key.startswith("pair_") else item.get("name")
    return item if isinstance(item, str) else None


Versions = tuple[Document, Document, Document]


def versions(dice: Dice) -> Versions:
    """Makes a document and what two people made of it."""
    base = members(dice)
    return request(base), request(edited(dice, base)), request(edited(dice, base))


def three_versions() -> st.SearchStrategy[Versions]:
    return dice().map(versions)
