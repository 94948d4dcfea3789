"""Splits a real history into two lines of work, and checks a merge of them field by field.

Nothing here uses the merge: it patches, flattens and compares plain JSON by rules of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Project = dict[str, dict[str, Any]]
"""The documents of one version by their ids."""

MISSING: Any = object()
QUIET = {"modified", "created", "metaSortKey"}


def split(versions: Sequence[Project]) -> tuple[Project, Project, Project]:
    """Returns the first version, and what the odd and the even edits after it make of it.

    What only one line has, because it was added there, is edited and deleted there.
    """
    lines = [dict(versions[0]), dict(versions[0])]
    for number in range(1, len(versions)):
        line, other = lines[(number - 1) % 2], lines[number % 2]
        _apply(line, other, versions[number - 1], versions[number])
    return dict(versions[0]), lines[0], lines[1]


def _apply(line: Project, other: Project, before: Project, after: Project) -> None:
    """Makes one edit on a line."""
    for name in {**before, **after}:
        old, new = before.get(name, MISSING), after.get(name, MISSING)
        place = other if name in other and name not in line else line
        if old is MISSING or (new is not MISSING and old != new):
            _put(place, after, name, patched(place.get(name, MISSING), old, new))
        elif new is MISSING:
            _remove(place, name)


def _put(line: Project, after: Project, name: str, body: dict[str, Any]) -> None:
    line[name] = after[name] if body is MISSING else body
    parent = line[name].get("parentId")
    while parent in after and parent not in line:
        line[parent] = after[parent]
        parent = after[parent].get("parentId")


def _remove(line: Project, name: str) -> None:
    """Deletes a document with all that lies in it, as Insomnia does."""
    if line.pop(name, None) is not None:
        for child in [key for key, body in line.items() if body.get("parentId") == name]:
            _remove(line, child)


def patched(value: Any, before: Any, after: Any) -> Any:
    """Returns a value with the change from ``before`` to ``after`` made in it."""
    if same(value, before) or value is MISSING:
        return after
    if same(before, after):
        return value
    if all(isinstance(each, dict) for each in (value, before, after)):
        return _patched_map(value, before, after)
    if all(keys_of(each) is not None for each in (value, before, after)):
        maps = [
            dict(zip(keys_of(each) or [], each, strict=True)) for each in (value, before, after)
        ]
        return [*_patched_map(*maps).values()]
    return after


def _patched_map(value: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> Any:
    result = {}
    for key in {**value, **after}:
        mine, old, new = (each.get(key, MISSING) for each in (value, before, after))
        changed = not same(old, new)
        item = (
            (new if mine is MISSING or new is MISSING else patched(mine, old, new))
            if changed
            else mine
        )
        if item is not MISSING:
            result[key] = item
    return result


def keys_of(value: Any) -> list[str] | None:
    """Returns what tells the elements of a list apart, or None."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return None
    for field in ("id", "name"):
        keys = [item.get(field) for item in value]
        if all(isinstance(key, str) and key for key in keys) and len(set(keys)) == len(keys):
            return [str(key) for key in keys]
    return None


def same(one: Any, other: Any) -> bool:
    """Tells whether two values are the same JSON; true is no number."""
    return bool(
        one is other or (one == other and repr(one) == repr(other)) or _same_deep(one, other)
    )


def _same_deep(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def lost_fields(
    base: Project,
    ours: Project,
    theirs: Project,
    merged: Project,
    conflicts: Mapping[str, Sequence[tuple[str, ...]]],
) -> Iterator[str]:
    """Yields each field of which the merge holds neither what a side made of it nor a conflict.

    Args:
        base: what both sides started from.
        ours: one side.
        theirs: the other side.
        merged: what came out.
        conflicts: the places in conflict, by document; an empty place is the whole document.
    """
    for name in sorted({*base, *ours, *theirs}):
        values = [side.get(name, MISSING) for side in (base, ours, theirs, merged)]
        for path in _lost((), values, conflicts.get(name, ())):
            yield f"{name}: {'.'.join(path) or 'the whole document'}"


def _lost(
    path: tuple[str, ...], values: list[Any], conflicts: Sequence[tuple[str, ...]]
) -> Iterator[tuple[str, ...]]:
    base, ours, theirs, merged = values
    if path in conflicts or (len(path) == 1 and path[0] in QUIET):
        return
    if not path and merged is MISSING and _only_touched(base, ours, theirs):
        return
    if same(ours, theirs) or same(theirs, base) or same(ours, base):
        wanted = theirs if same(ours, base) else ours
        if not same(wanted, merged) and not _in_another_order(wanted, merged):
            yield path
        return
    maps = [_map_of(value) for value in values]
    if all(each is not None for each in maps[1:]):
        known = [each or {} for each in maps]
        for key in sorted({key for each in known for key in each}):
            yield from _lost((*path, key), [each.get(key, MISSING) for each in known], conflicts)
    elif not _holds_both(base, ours, theirs, merged):
        yield path


def _only_touched(base: Any, ours: Any, theirs: Any) -> bool:
    """Tells whether one side deleted a document that the other one at most sorted or saved."""
    survivor = theirs if ours is MISSING else ours
    if base is MISSING or survivor is MISSING or not (ours is MISSING or theirs is MISSING):
        return False
    return all(
        key in QUIET or same(base.get(key, MISSING), survivor.get(key, MISSING))
        for key in {**base, **survivor}
    )


def _map_of(value: Any) -> dict[str, Any] | None:
    if isinstance(value, dict):
        return value
    keys = keys_of(value)
    return None if keys is None else dict(zip(keys, value, strict=True))


def _in_another_order(one: Any, other: Any) -> bool:
    """Tells whether two lists hold the same elements."""
    keys, others = keys_of(one), keys_of(other)
    if keys is None or others is None or sorted(keys) != sorted(others):
        return False
    mine, theirs = dict(zip(keys, one, strict=True)), dict(zip(others, other, strict=True))
    return all(same(mine[key], theirs[key]) for key in keys)


def _holds_both(base: Any, ours: Any, theirs: Any, merged: Any) -> bool:
    """Tells whether a text or a list holds what either side added, and not what one took away."""
    parts = [_parts(value) for value in (base, ours, theirs, merged)]
    if any(each is None for each in parts):
        return False
    old, left, right, found = (set(each or ()) for each in parts)
    return (left - old) | (right - old) <= found and not found & ((old - left) | (old - right))


def _parts(value: Any) -> list[str] | None:
    if isinstance(value, str) and "\n" in value:
        return value.split("\n")
    if isinstance(value, str):
        return value.split()
    return [repr(item) for item in value] if isinstance(value, list) else None
