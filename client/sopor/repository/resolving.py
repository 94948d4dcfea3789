"""Settles the conflicts of a merge under way: looks at them, chooses, gives up, finishes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from sopor.errors import DamagedStore, InvalidInput, NotFound, StateConflict
from sopor.merge.algebra import Side
from sopor.merge.conflicts import Choice, MergeResult, settle
from sopor.merge.documents import Conflict, by_fields
from sopor.merge.paths import Path, format_path, parse_path
from sopor.model.document import Document, Json
from sopor.repository.checkout import put_documents
from sopor.repository.committing import commit
from sopor.repository.context import Context
from sopor.repository.describing import document_name
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
from sopor.store import Store
from sopor_core.ids import Cid


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
    left = {item.path for item in result.conflicts}
    choices: dict[Path, Choice] = {parse_path(path): Side(side) for path, side in conflict.settled}
    return settle(result, {path: side for path, side in choices.items() if path in left})


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
        choice: ``ours``, ``theirs`` or ``base``: for the places that conflict; what merged stays
            merged. ``file``: take the document as it is in the working file now.
        field: the path of one place, as `resolve` lists it.

    Returns:
        all conflicts of the merge, as they are now.

    Raises:
        StateConflict: no merge is under way.
        NotFound: a document or a field is not in conflict.
    """
    with context.store.exclusive():
        merge = require_merge(context)
        for conflict in _wanted(context, merge, wanted):
            if choice == "file":
                merge = merge.update(replace(conflict, resolved=True))
            else:
                merge = _settle(context, merge, conflict, Side(choice), field)
        write_merge(context.store, merge)
        return describe_conflicts(context, merge)


def _wanted(context: Context, merge: MergeState, wanted: Sequence[str]) -> Iterable[KeptConflict]:
    by_id = {conflict.id: conflict for conflict in merge.conflicts}
    if not wanted:
        return [conflict for conflict in merge.conflicts if not conflict.resolved]
    candidates = [Candidate(info.id, info.name) for info in describe_conflicts(context, merge)]
    return [by_id[document] for document in select(wanted, candidates, "document in conflict")]


def _settle(
    context: Context, merge: MergeState, conflict: KeptConflict, side: Side, field: str | None
) -> MergeState:
    left = [format_path(item.path) for item in inside(context, conflict).conflicts]
    if field is not None and field not in left:
        raise NotFound(
            f"document {conflict.id} has no conflict at {field!r}",
            hint=f"its conflicts are at: {', '.join(left) or 'none, it is resolved'}",
        )
    paths = left if field is None else [field]
    settled = {**dict(conflict.settled), **dict.fromkeys(paths, str(side))}
    conflict = replace(conflict, settled=tuple(settled.items()))
    result = inside(context, conflict)
    put_documents(context, {conflict.id: result.document})
    return merge.update(replace(conflict, resolved=not result.conflicts))


def resolve_with(context: Context, wanted: str, body: Json) -> tuple[ConflictInfo, ...]:
    """Settles a document in conflict by a document of the person's own.

    Raises:
        InvalidInput: it is no document, or has another ``_id``.
    """
    with context.store.exclusive():
        merge = require_merge(context)
        (conflict,) = _wanted(context, merge, [wanted])
        document = Document.from_json(body, "the edited document")
        if document.id != conflict.id:
            raise InvalidInput(
                f"the edited document has the _id {document.id}, not {conflict.id}",
                hint="keep the _id as it is",
            )
        put_documents(context, {conflict.id: document})
        merge = merge.update(replace(conflict, resolved=True))
        write_merge(context.store, merge)
        return describe_conflicts(context, merge)


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
        changes = context.scan().changes
        state = context.store.commits.state(context.store.refs.head)
        put_documents(
            context,
            {key: context.load(state[key]) if key in state else None for key in changes},
        )
        write_merge(context.store, None)


def _mark_given_up(store: Store) -> None:
    """Keeps the merge from being finished while files are brought back."""
    with suppress(DamagedStore):  # one that does not read back is not finished by anybody
        merge = read_merge(store)
        if merge is not None:
            write_merge(store, replace(merge, given_up=True))
