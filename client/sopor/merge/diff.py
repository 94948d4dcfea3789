"""Finds what differs between two versions of a document, field by field.

Elements of lists are matched as the merge matches them, so that a header put in front of others is
one addition and not a change of all. How it looks on a screen is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import chain

from sopor.merge.algebra import ABSENT, Absent
from sopor.merge.keys import by_key, key_field
from sopor.merge.paths import ElementKey, Path, format_path
from sopor.merge.sequences import common_runs
from sopor.merge.values import MaybeJson, fingerprint, same_json
from sopor.model.document import Body, Document, Json
from sopor.records import dataclass


class ChangeKind(StrEnum):
    """Says what happened at a path."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: the value before and after it; ``ABSENT`` where there was or is none.

    - A place in a list without keys counts in the version after, for what was removed in the one
      before.
    - Moved: ``path`` is a list, and the values are the keys of its elements in their order, without
      those that only one version has.
    - The empty path is the document itself, when it is added or removed.
    """

    path: Path
    before: MaybeJson
    after: MaybeJson
    kind: ChangeKind

    def to_json(self) -> Body:
        """Returns the change as a JSON object; ``before`` or ``after`` lacks if it is absent."""
        values = {"before": self.before, "after": self.after}
        present = {key: value for key, value in values.items() if not isinstance(value, Absent)}
        return {"path": format_path(self.path), "kind": str(self.kind), **present}


def diff_documents(before: Document | None, after: Document | None) -> tuple[Change, ...]:
    """Returns the changes that lead from one version of a document to another one."""
    return tuple(
        diff_values(
            ABSENT if before is None else before.body, ABSENT if after is None else after.body
        )
    )


def diff_values(before: MaybeJson, after: MaybeJson, path: Path = ()) -> Iterator[Change]:
    """Yields the changes that lead from one value to another one; paths begin with ``path``."""
    if same_json(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys(chain(before, after)):
            yield from diff_values(before.get(key, ABSENT), after.get(key, ABSENT), (*path, key))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _diff_lists(before, after, path)
    else:
        yield Change(path, before, after, _kind(before, after))


def _kind(before: MaybeJson, after: MaybeJson) -> ChangeKind:
    if before is ABSENT:
        return ChangeKind.ADDED
    return ChangeKind.REMOVED if after is ABSENT else ChangeKind.CHANGED


def _diff_lists(before: list[Json], after: list[Json], path: Path) -> Iterator[Change]:
    field = key_field(before, after)
    if field is None:
        yield from _diff_plain(before, after, path)
    else:
        yield from _diff_keyed(by_key(before, field), by_key(after, field), path)


def _diff_keyed(before: dict[str, Body], after: dict[str, Body], path: Path) -> Iterator[Change]:
    for key in dict.fromkeys(chain(before, after)):
        place = (*path, ElementKey(key))
        yield from diff_values(before.get(key, ABSENT), after.get(key, ABSENT), place)
    old: list[Json] = [key for key in before if key in after]
    new: list[Json] = [key for key in after if key in before]
    if old != new:
        yield Change(path, old, new, ChangeKind.MOVED)


def _diff_plain(before: list[Json], after: list[Json], path: Path) -> Iterator[Change]:
    prints = [[fingerprint(element) for element in each] for each in (before, after)]
    old_at = new_at = 0
    for old_start, new_start, length in [*common_runs(*prints), (len(before), len(after), 0)]:
        yield from _diff_stretch(before[:old_start], after[:new_start], old_at, new_at, path)
        old_at, new_at = old_start + length, new_start + length


def _diff_stretch(
    before: list[Json], after: list[Json], old_at: int, new_at: int, path: Path
) -> Iterator[Change]:
    """Yields changes of elements that have no equal, from these places to the end of both lists."""
    paired = min(len(before) - old_at, len(after) - new_at)
    for offset in range(paired):
        place = (*path, new_at + offset)
        yield from diff_values(before[old_at + offset], after[new_at + offset], place)
    for index in range(old_at + paired, len(before)):
        yield Change((*path, index), before[index], ABSENT, ChangeKind.REMOVED)
    for index in range(new_at + paired, len(after)):
        yield Change((*path, index), ABSENT, after[index], ChangeKind.ADDED)
