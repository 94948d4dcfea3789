"""Settles what needs no choice: sort keys, times, and the ids of list elements.

Each rule gives the same with the sides exchanged, so that two devices which merge each other's work
arrive at the same document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from sopor.merge.algebra import ABSENT
from sopor.merge.paths import ElementKey, Path
from sopor.merge.values import MaybeJson, is_number, same_json
from sopor.model.document import RECORD_TYPE, Body

Pick: TypeAlias = Literal["larger", "smaller"]

QUIET_FIELDS: Mapping[str, Pick] = {
    "modified": "larger",
    "created": "smaller",
    "metaSortKey": "larger",
}
"""Members of a document whose changes never conflict, and which of two numbers stays."""

ORDER_FIELDS = frozenset({"dataPropertyOrder", "environmentPropertyOrder"})
"""Members of a document that hold lists of names, which say nothing but an order."""

RECORD_FIELDS = frozenset({"roots", "extras"})
"""Members of a file record that follow from what lies in its file."""

EXPORT_FIELDS = frozenset({("container", "__export_date"), ("container", "__export_source")})
"""Places of a file record that change with every export; the later one stays."""


def settle_quietly(path: Path, ours: MaybeJson, theirs: MaybeJson) -> MaybeJson:
    """Returns the value for a place that never conflicts, ``ABSENT`` if the place may conflict."""
    if len(path) == 1 and path[0] in QUIET_FIELDS:
        return _number(QUIET_FIELDS[str(path[0])], ours, theirs)
    if path in EXPORT_FIELDS:
        return max([value for value in (ours, theirs) if isinstance(value, str)], default=ABSENT)
    # Elements matched by name may have got an id on each side; either will do.
    if len(path) > 1 and path[-1] == "id" and isinstance(path[-2], ElementKey):
        texts = [value for value in (ours, theirs) if isinstance(value, str)]
        return min(texts, default=ABSENT)
    return ABSENT


def _number(pick: Pick, ours: MaybeJson, theirs: MaybeJson) -> MaybeJson:
    numbers = [value for value in (ours, theirs) if isinstance(value, int | float)]
    numbers = [number for number in numbers if is_number(number)]
    return (max if pick == "larger" else min)(numbers, default=ABSENT)


def only_quiet_changes(before: Body, after: Body) -> bool:
    """Tells whether two versions of a document differ in nothing that could conflict."""
    return same_json(_loud(before), _loud(after))


def _loud(document: Body) -> Body:
    quiet = set(QUIET_FIELDS)
    if document.get("_type") == RECORD_TYPE:
        quiet |= RECORD_FIELDS
    return {key: value for key, value in document.items() if key not in quiet}
