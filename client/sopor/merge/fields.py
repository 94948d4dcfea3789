"""Merges one document three ways, field by field.

- Objects merge key by key. Lists of objects merge element by element, matched by ``id`` or else by
  ``name``, and so does their order. Other lists, and texts of several lines, merge by their longest
  common runs; names and descriptions also by words.
- The text of a design document merges by its structure, if it has one (see `sopor.merge.spec`). A
  place inside it has a path that leads through the text.
- Sort keys and times never conflict: there is nothing in them that a person would want to choose.
- Whatever else both sides changed differently is a conflict. It is put beside the merged document,
  never into it, so that this is a document of the same ``_id`` and ``_type`` whatever is left.

What documents mean to each other is not known here; see `sopor.merge.structure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import partial

from sopor.merge.algebra import ABSENT, Absent, Side, merge3, merge_maps
from sopor.merge.conflicts import FieldConflict, MergeResult
from sopor.merge.keys import key_field
from sopor.merge.lists import merge_keyed, merge_names, merge_plain
from sopor.merge.order import merge_order
from sopor.merge.paths import ElementKey, Path
from sopor.merge.quiet import (
    ORDER_FIELDS,
    RECORD_FIELDS,
    only_quiet_changes,
    settle_quietly,
)
from sopor.merge.spec import STRUCTURED, merge_structured
from sopor.merge.text import PROSE, merged_prose, merged_text
from sopor.merge.values import MaybeJson, same_json
from sopor.model.document import RECORD_TYPE, Body, Document, Json
from sopor.records import dataclass

MAX_DEPTH = 48
"""What is nested deeper is merged as one value."""

KINDS: Mapping[Path, str] = {("authentication",): "type", ("body",): "mimeType"}
"""Objects whose fields depend on one of them, so that two kinds must not be mixed."""


def merge_document(
    base: Document | None, ours: Document | None, theirs: Document | None
) -> MergeResult:
    """Merges three versions of one document; ``None`` means that there is none.

    A document that one side deleted stays deleted if the other one only sorted or touched it.

    Raises:
        ValueError: the versions have different ids.
    """
    versions = [version for version in (base, ours, theirs) if version is not None]
    if len({version.id for version in versions}) > 1:
        raise ValueError("only versions of the same document can be merged")
    merge = _Merge(versions[0].type if versions else "")
    document = merge3(base, ours, theirs, on_conflict=merge.documents, same=_same)
    sides = {Side.OURS: ours, Side.THEIRS: theirs}
    equals = (side for side, version in sides.items() if _same(document, version))
    return MergeResult(document, tuple(merge.conflicts), next(equals, None))


def _same(first: Document | None, second: Document | None) -> bool:
    return same_json(_body(first), _body(second))


def _body(version: Document | None) -> Body | Absent:
    return ABSENT if version is None else version.body


@dataclass(slots=True)
class _Merge:
    """One merge under way; collects its conflicts.

    ``orderly`` while keys are put in their merged order, which only texts show.
    """

    type: str = ""
    orderly: bool = False
    conflicts: list[FieldConflict] = field(default_factory=list)

    def documents(
        self, base: Document | None, ours: Document | None, theirs: Document | None
    ) -> Document | None:
        if ours is not None and theirs is not None:
            if ours.type == theirs.type:
                body = self._members((), _body(base), ours.body, theirs.body)
                return Document(ours.id, ours.type, body)
        else:
            survivor = ours or theirs
            if base is not None and survivor and only_quiet_changes(base.body, survivor.body):
                return None
        self._conflict((), _body(base), _body(ours), _body(theirs))
        return ours or theirs

    def _conflict(
        self, path: Path, base: MaybeJson, ours: MaybeJson, theirs: MaybeJson
    ) -> MaybeJson:
        self.conflicts.append(FieldConflict(path, base, ours, theirs))
        return theirs if isinstance(ours, Absent) else ours

    def _clash(self, path: Path, base: MaybeJson, ours: MaybeJson, theirs: MaybeJson) -> MaybeJson:
        """Merges two changes of one place: quietly, inside, or into a conflict."""
        merged = settle_quietly(path, ours, theirs)
        if isinstance(merged, Absent) and len(path) < MAX_DEPTH:
            merged = self._inside(path, base, ours, theirs)
        if isinstance(merged, Absent):
            merged = self._conflict(path, base, ours, theirs)
        return merged

    def _inside(self, path: Path, base: MaybeJson, ours: MaybeJson, theirs: MaybeJson) -> MaybeJson:
        """Merges inside values of one kind; ``ABSENT`` if they are not, or it cannot be done."""
        if isinstance(ours, dict) and isinstance(theirs, dict) and isinstance(base, dict | Absent):
            return self._objects(path, base, ours, theirs)
        if isinstance(ours, list) and isinstance(theirs, list) and isinstance(base, list | Absent):
            return self._lists(path, [] if isinstance(base, Absent) else base, ours, theirs)
        if isinstance(base, str) and isinstance(ours, str) and isinstance(theirs, str):
            text = self._texts(path, base, ours, theirs)
            return ABSENT if text is None else text
        return ABSENT

    def _texts(self, path: Path, base: str, ours: str, theirs: str) -> str | None:
        if (self.type, *path) in STRUCTURED:
            merged = merge_structured(base, ours, theirs, partial(self._structure, path))
            if merged is not None:
                return merged
        merge = merged_prose if path[-1] in PROSE else merged_text
        return merge(base, ours, theirs)

    def _structure(self, path: Path, base: Body, ours: Body, theirs: Body) -> Body:
        self.orderly = True
        merged = self._members(path, base, ours, theirs)
        self.orderly = False
        return merged

    def _objects(self, path: Path, base: Body | Absent, ours: Body, theirs: Body) -> MaybeJson:
        before = len(self.conflicts)
        merged = self._members(path, base, ours, theirs)
        kind = KINDS.get(path, "")
        if len(self.conflicts) == before or ours.get(kind) == theirs.get(kind):
            return merged
        del self.conflicts[before:]
        return ABSENT

    def _members(self, path: Path, base: Body | Absent, ours: Body, theirs: Body) -> Body:
        def clash(key: str, base: MaybeJson, ours: MaybeJson, theirs: MaybeJson) -> MaybeJson:
            return self._clash((*path, key), base, ours, theirs)

        old = {} if isinstance(base, Absent) else base
        merged = merge_maps(old, ours, theirs, on_conflict=clash, same=same_json)
        return _in_order(merged, old, ours, theirs) if self.orderly else merged

    def _lists(
        self, path: Path, base: list[Json], ours: list[Json], theirs: list[Json]
    ) -> MaybeJson:
        def clash(
            key: ElementKey, base: MaybeJson, ours: MaybeJson, theirs: MaybeJson
        ) -> MaybeJson:
            return self._clash((*path, key), base, ours, theirs)

        def merge_at(place: int, base: Json, ours: Json, theirs: Json) -> Json:
            def merge(base: Json, ours: Json, theirs: Json) -> Json:
                merged = self._clash((*path, place), base, ours, theirs)
                return ours if isinstance(merged, Absent) else merged

            return merge3(base, ours, theirs, on_conflict=merge, same=same_json)

        names = path[0] in ORDER_FIELDS or (self.type == RECORD_TYPE and path[0] in RECORD_FIELDS)
        order = merge_names(base, ours, theirs) if names else None
        if order is not None:
            return order
        key = key_field(base, ours, theirs)
        if key is not None:
            return merge_keyed((base, ours, theirs), key, clash)
        before = len(self.conflicts)
        merged = merge_plain(base, ours, theirs, merge_at)
        if merged is None:
            del self.conflicts[before:]
            return ABSENT
        return merged


def _in_order(merged: Body, base: Body, ours: Body, theirs: Body) -> Body:
    """Returns an object with its keys in the merged order; the empty key stays in front."""
    old, left, right = ([key for key in each if key] for each in (base, ours, theirs))
    keys = merge_order(old, left, right, merged.keys() - {""})
    return {key: merged[key] for key in ["", *keys] if key in merged}
