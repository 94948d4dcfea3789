"""Holds what is left of a merge inside one document, and settles it by choices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from sopor.merge.algebra import ABSENT, Absent, Side, Value, resolve
from sopor.merge.paths import Path, format_path, replace_at
from sopor.merge.values import MaybeJson
from sopor.model.document import Document, DocumentError
from sopor.records import dataclass
from sopor_core.errors import InvalidValue

Choice: TypeAlias = Side | Value[MaybeJson]


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """Three values at one place of a document that did not merge; a value may be ``ABSENT``.

    The empty path means the document as a whole: one side deleted it, or changed its type.
    """

    path: Path
    base: MaybeJson
    ours: MaybeJson
    theirs: MaybeJson


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The merged document, ``None`` if it is deleted, and what is left to settle in it.

    At the path of a conflict the document holds ours, or theirs where ours is absent. ``equals``
    names a side whose document the merged one equals, so that it need not be stored again.
    """

    document: Document | None
    conflicts: tuple[FieldConflict, ...] = ()
    equals: Side | None = None


def settle(result: MergeResult, choices: Mapping[Path, Choice]) -> MergeResult:
    """Settles conflicts of a merged document; those without a choice stay.

    Raises:
        InvalidValue: there is no conflict at a path, or a value is not fit for its place.
    """
    unknown = choices.keys() - {conflict.path for conflict in result.conflicts}
    if unknown:
        places = ", ".join(sorted(format_path(path) or "the whole document" for path in unknown))
        raise InvalidValue(
            f"no conflict at {places}", hint="choose the path of a conflict that is left"
        )
    body: MaybeJson = ABSENT if result.document is None else result.document.body
    for conflict in result.conflicts:
        if conflict.path in choices:
            body = _put(body, conflict.path, resolve(conflict, choices[conflict.path]))
    left = tuple(conflict for conflict in result.conflicts if conflict.path not in choices)
    return MergeResult(_checked(body, result.document), left)


def _put(body: MaybeJson, path: Path, value: MaybeJson) -> MaybeJson:
    return replace_at(body, path, value) if path and isinstance(body, dict) else value


def _checked(body: MaybeJson, merged: Document | None) -> Document | None:
    if isinstance(body, Absent):
        return None
    try:
        document = Document.from_json(body, "the settled document")
    except DocumentError as error:
        raise InvalidValue(error.message, hint=error.hint) from None
    if merged is not None and document.id != merged.id:
        raise InvalidValue(
            f"the settled document has the _id {document.id}, not {merged.id}",
            hint="keep the _id as it is, and change other fields",
        )
    return document
