"""Settles the conflicts of a merge under way: looks at them, chooses, gives up, finishes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from sopor.errors import DamagedStore, InvalidInput, NotFound, StateConflict
from sopor.merge.algebra import Side, Value
from sopor.merge.both import both_of
from sopor.merge.conflicts import Choice, FieldConflict, MergeResult, settle
from sopor.merge.documents import Conflict, by_fields
from sopor.merge.paths import Path, format_path, parse_path
from sopor.model.document import Document, DocumentId, Json
from sopor.records import dataclass
from sopor.repository.checkout import put_documents
from sopor.repository.committing import commit
from sopor.repository.context import Context
from sopor.repository.describing import document_name
from sopor.repository.interrupted import begin, take_back
from sopor.repository.mending import Mended, mended
from sopor.repository.merge_state import (
    KeptConflict,
    MergeState,
    has_merge,
    read_merge,
    refuse_given_up,
    write_merge,
)
from sopor.repository.results import CommitDetail, ConflictInfo, MergeStatus
from sopor.repository.selection import Candidate, select
from sopor.repository.sides import sides_of_kept
from sopor.store import Store
from sopor_core.ids import Cid

BOTH = "both"
"""The choice of what both sides have."""


@dataclass(frozen=True, slots=True)
class Versions:
    """The three versions of a document in conflict; None where a side has none.

    ``merged`` is the document as far as it merged and was settled, with ours where it conflicts.
    """

    base: Document | None
    ours: Document | None
    theirs: Document | None
    merged: Document | None


def inside(context: Context, conflict: KeptConflict) -> MergeResult:
    """Merges a conflict's versions again and applies the choices made so far."""
    result = by_fields(context.load)(conflict.base, conflict.ours, conflict.theirs)
    left = {item.path: item for item in result.conflicts}
    choices: dict[Path, Choice] = {}
    for text, choice in conflict.settled:
        path = parse_path(text)
        if path in left:
            choices[path] = _choice(left[path], choice)
    return settle(result, choices)


def _choice(conflict: FieldConflict, kept: str) -> Choice:
    """Reads a choice: a side, ``both``, or ``=`` and a JSON value of the person's own."""
    if kept == BOTH:
        return Value(both_of(conflict))
    return Value(json.loads(kept[1:])) if kept.startswith("=") else Side(kept)


def describe_conflicts(context: Context, merge: MergeState) -> tuple[ConflictInfo, ...]:
    """Describes the conflicts of a merge, those that are resolved as well."""
    return tuple(_describe(context, conflict) for conflict in merge.conflicts)


def _describe(context: Context, conflict: KeptConflict) -> ConflictInfo:
    document = context.load(conflict.ours or conflict.theirs or _base(conflict))
    left = () if conflict.resolved else inside(context, conflict).conflicts
    return ConflictInfo(
        conflict.id,
        document.type,
        document_name(document),
        str(Conflict(conflict.id, conflict.base, conflict.ours, conflict.theirs).kind),
        tuple(format_path(item.path) for item in left),
        conflict.resolved,
    )


def _base(conflict: KeptConflict) -> Cid:
    if conflict.base is None:
        raise StateConflict(f"the conflict of {conflict.id} has no version")
    return conflict.base


def merge_status(context: Context) -> MergeStatus | None:
    """Describes the merge under way, or returns None."""
    merge = read_merge(context.store)
    if merge is None:
        return None
    return MergeStatus(merge.theirs, merge.label, describe_conflicts(context, merge))


def require_merge(context: Context) -> MergeState:
    """Returns the merge under way; raises StateConflict if there is none, or it was given up."""
    merge = read_merge(context.store)
    if merge is None:
        raise _no_merge()
    refuse_given_up(merge)
    return merge


def _no_merge() -> StateConflict:
    return StateConflict("no merge is under way", hint="start one with `sopor merge`")


def resolve_conflicts(
    context: Context, wanted: Sequence[str], choice: str, field: str | None = None
) -> tuple[ConflictInfo, ...]:
    """Settles documents in conflict by a side, or one field of one document.

    Args:
        context: the working copy.
        wanted: the documents; none means all that are not resolved.
        choice: ``ours``, ``theirs``, ``base`` or ``both``: for the places that conflict; what
            merged stays merged. ``file``: take the document as it is in the working file now.
        field: the path of one place, as `resolve` lists it.

    Returns:
        all conflicts of the merge, as they are now.

    Raises:
        StateConflict: no merge is under way.
        NotFound: a document or a field is not in conflict.
        InvalidValue: it can't be as on both sides.
    """
    with begin(context):
        merge = require_merge(context)
        chosen = [
            replace(conflict, resolved=True)
            if choice == "file"
            else _settled(context, conflict, choice, field)
            for conflict in _wanted(context, merge, wanted)
        ]
        for conflict in chosen:
            merge = merge.update(conflict)
        return _write(context, merge, chosen)


def _wanted(context: Context, merge: MergeState, wanted: Sequence[str]) -> Iterable[KeptConflict]:
    by_id = {conflict.id: conflict for conflict in merge.conflicts}
    if not wanted:
        return [conflict for conflict in merge.conflicts if not conflict.resolved]
    candidates = [Candidate(info.id, info.name) for info in describe_conflicts(context, merge)]
    return [by_id[document] for document in select(wanted, candidates, "document in conflict")]


def _settled(
    context: Context, conflict: KeptConflict, choice: str, field: str | None
) -> KeptConflict:
    left = [format_path(item.path) for item in inside(context, conflict).conflicts]
    if field is not None and field not in left:
        raise NotFound(
            f"document {conflict.id} has no conflict at {field!r}",
            hint=f"its conflicts are at: {', '.join(left) or 'none, it is resolved'}",
        )
    paths = left if field is None else [field]
    settled = {**dict(conflict.settled), **dict.fromkeys(paths, choice)}
    conflict = replace(conflict, settled=tuple(settled.items()))
    return replace(conflict, resolved=not inside(context, conflict).conflicts)


def _write(
    context: Context,
    merge: MergeState,
    chosen: Sequence[KeptConflict],
    own: Mapping[DocumentId, Document] | None = None,
) -> tuple[ConflictInfo, ...]:
    """Writes what was chosen, and what a tree of documents needs; then keeps the choices."""
    changes: dict[DocumentId, Document | None] = {**(own or {})}
    for conflict in chosen:
        if conflict.settled and conflict.id not in changes and not _by_file(context, conflict):
            changes[conflict.id] = inside(context, conflict).document
    present = _Present(context, changes)
    for conflict in merge.conflicts:
        if present.kept_by_mending(conflict):
            changes[conflict.id] = None
    sides = sides_of_kept(context, merge)
    tree = mended(context, sides, present.document) if sides else Mended({}, ())
    put_documents(context, {**changes, **tree.documents})
    write_merge(context.store, merge)
    shown = describe_conflicts(context, merge)
    ids = {conflict.id for conflict in chosen}
    return tuple(replace(info, notes=tree.notes) if info.id in ids else info for info in shown)


def _by_file(context: Context, conflict: KeptConflict) -> bool:
    return conflict.resolved and bool(inside(context, conflict).conflicts)


class _Present:
    """Looks documents up as they are in the working files, or are about to be."""

    def __init__(self, context: Context, changes: Mapping[DocumentId, Document | None]) -> None:
        self._context = context
        self._changes = changes
        self._edits = context.scan().changes
        self._head = context.store.commits.state(context.store.refs.head)

    def document(self, document_id: DocumentId) -> Document | None:
        """Returns a document, or None if there is none."""
        for changes in (self._changes, self._edits):
            if document_id in changes:
                return changes[document_id]
        cid = self._head.get(document_id)
        return None if cid is None else self._context.load(cid)

    def kept_by_mending(self, conflict: KeptConflict) -> bool:
        """Tells whether a document is there only because something lay in it before."""
        if not conflict.resolved or not conflict.settled or conflict.id in self._changes:
            return False
        present = self.document(conflict.id)
        if present is None or inside(self._context, conflict) != MergeResult(None):
            return False
        return self._context.cid(present) in (conflict.ours, conflict.theirs)


def resolve_with(
    context: Context, wanted: str, body: Json, field: str | None = None
) -> tuple[ConflictInfo, ...]:
    """Settles a document in conflict, or one field of it, by a value of the person's own.

    Raises:
        InvalidInput, InvalidValue: it is no document, or has another ``_id``.
        NotFound: the document or the field is not in conflict.
    """
    with begin(context):
        merge = require_merge(context)
        (conflict,) = _wanted(context, merge, [wanted])
        if field is not None:
            conflict = _settled(context, conflict, f"={json.dumps(body)}", field)
            return _write(context, merge.update(conflict), [conflict])
        document = Document.from_json(body, "the edited document")
        if document.id != conflict.id:
            raise InvalidInput(
                f"the edited document has the _id {document.id}, not {conflict.id}",
                hint="keep the _id as it is",
            )
        conflict = replace(conflict, resolved=True)
        return _write(context, merge.update(conflict), [conflict], {conflict.id: document})


def conflict_versions(context: Context, wanted: str) -> Versions:
    """Returns the three versions of a document in conflict, and what they merge to."""
    (conflict,) = _wanted(context, require_merge(context), [wanted])
    base, ours, theirs = (
        context.load(cid) if cid else None
        for cid in (conflict.base, conflict.ours, conflict.theirs)
    )
    return Versions(base, ours, theirs, inside(context, conflict).document)


def merge_continue(context: Context, message: str | None = None) -> CommitDetail:
    """Commits the merge under way, whose conflicts are all resolved."""
    return commit(context, message or require_merge(context).message)


def merge_abort(context: Context) -> None:
    """Gives the merge under way up: the working files are as the last commit again."""
    with context.store.exclusive():
        if not has_merge(context.store):
            raise _no_merge()
        _mark_given_up(context.store)
        take_back(context)


def _mark_given_up(store: Store) -> None:
    """Keeps the merge from being finished while files are brought back."""
    with suppress(DamagedStore):  # one that does not read back is not finished by anybody
        merge = read_merge(store)
        if merge is not None:
            write_merge(store, replace(merge, given_up=True))
