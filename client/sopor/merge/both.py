"""Makes one value of both sides of a conflict, where that makes sense.

- Of two texts for people, or of several lines, ours comes before theirs where they differ.
- Lists hold the elements of both, objects the members of both.
- A value that only one side has is that value.

Everything else (two numbers, two addresses, two tokens) can't be had both at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from sopor.merge.algebra import Absent
from sopor.merge.conflicts import FieldConflict
from sopor.merge.keys import key_field
from sopor.merge.paths import Path, format_path
from sopor.merge.sequences import Settled
from sopor.merge.text import PROSE, is_json, merge_text
from sopor.merge.values import MaybeJson, fingerprint, same_json
from sopor.model.document import Json
from sopor_core.errors import InvalidValue


def both_of(conflict: FieldConflict) -> MaybeJson:
    """Returns a value that holds what both sides have.

    Raises:
        InvalidValue: the values exclude each other.
    """
    ours, theirs = conflict.ours, conflict.theirs
    if isinstance(ours, Absent) or isinstance(theirs, Absent):
        return theirs if isinstance(ours, Absent) else ours
    base = None if isinstance(conflict.base, Absent) else conflict.base
    return _both(conflict.path, base, ours, theirs)


def _both(path: Path, base: Json, ours: Json, theirs: Json) -> Json:
    if same_json(ours, theirs):
        return ours
    if isinstance(ours, dict) and isinstance(theirs, dict):
        olds = base if isinstance(base, dict) else {}
        shared = {
            key: _both((*path, key), olds.get(key), ours[key], theirs[key])
            for key in ours
            if key in theirs
        }
        return {**ours, **theirs, **shared}
    if isinstance(ours, list) and isinstance(theirs, list):
        return _lists(path, ours, theirs)
    if isinstance(ours, str) and isinstance(theirs, str):
        return _texts(path, base if isinstance(base, str) else "", ours, theirs)
    raise _exclude_each_other(path)


def _lists(path: Path, ours: list[Json], theirs: list[Json]) -> Json:
    known = {fingerprint(element) for element in ours}
    merged = [*ours, *(item for item in theirs if fingerprint(item) not in known)]
    if key_field(ours) and key_field(theirs) and not key_field(merged):
        raise _exclude_each_other(path)
    return merged


def _texts(path: Path, base: str, ours: str, theirs: str) -> str:
    if "\n" in ours or "\n" in theirs or (path and path[-1] == "description"):
        text = _by_lines(base, ours, theirs)
        if is_json(ours) and is_json(theirs) and not is_json(text):
            raise _exclude_each_other(path)
        return text
    if path and path[-1] in PROSE:
        return f"{ours} / {theirs}"
    raise _exclude_each_other(path)


def _by_lines(base: str, ours: str, theirs: str) -> str:
    lines: list[str] = []
    for part in merge_text(base, ours, theirs):
        if isinstance(part, Settled):
            lines += part.merged
        else:
            lines += [*_ended(part.ours), *part.theirs]
    return "".join(lines)


def _ended(lines: Sequence[str]) -> list[str]:
    found = [*lines]
    if found and not found[-1].endswith("\n"):
        found[-1] += "\n"
    return found


def _exclude_each_other(path: Path) -> InvalidValue:
    return InvalidValue(
        f"{format_path(path) or 'the document'} can't be as on both sides at once",
        hint="choose one side, or write it with `sopor resolve --edit`",
    )
