"""Merges another commit into the current branch; what does not merge is kept as conflicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sopor.errors import StateConflict
from sopor.lazy import lazy_module
from sopor.merge.graph import is_ancestor
from sopor.model.document import Document, DocumentId
from sopor.repository.checkout import (
    check_not_in_the_way,
    move_files,
    put_documents,
    undone_on_failure,
)
from sopor.repository.committing import content_of, make_commit, save_commit
from sopor.repository.context import Context
from sopor.repository.interrupted import begin
from sopor.repository.journal import Move
from sopor.repository.merge_state import KeptConflict, MergeState, refuse_during_merge, write_merge
from sopor.repository.originals import keep_originals
from sopor.repository.results import MergeOutcome
from sopor.repository.revisions import resolve
from sopor_core.ids import Cid, CommitId

if TYPE_CHECKING:
    from sopor.merge.projects import MendedMerge
    from sopor.repository import mending, resolving, settling
    from sopor.repository.sides import Sides
    from sopor.worktree import Scan
else:
    mending = lazy_module("sopor.repository.mending")
    resolving = lazy_module("sopor.repository.resolving")
    settling = lazy_module("sopor.repository.settling")


def merge(context: Context, revision: str, message: str | None = None) -> MergeOutcome:
    """Merges a revision into the current branch, as `merge_commit` does."""
    return merge_commit(context, resolve(context.store, revision), revision, message)


def merge_commit(
    context: Context, theirs: CommitId, label: str, message: str | None = None
) -> MergeOutcome:
    """Merges a commit into the current branch.

    Raises:
        StateConflict: another merge is under way, or uncommitted changes are in the way.
    """
    store = context.store
    with begin(context):
        refuse_during_merge(store)
        ours = store.refs.head
        if ours is not None and is_ancestor(context.graph, theirs, ours):
            return MergeOutcome("up-to-date", ours, None, 0)
        if ours is None or is_ancestor(context.graph, ours, theirs):
            return _fast_forward(context, ours, theirs)
        message = message or f"Merge {label} into {store.refs.current}"
        from sopor.repository.sides import sides_of_merge

        sides = sides_of_merge(context, ours, theirs)
        return three_way(context, sides, MergeState(theirs, label, message, ()))


def _fast_forward(context: Context, ours: CommitId | None, theirs: CommitId) -> MergeOutcome:
    store = context.store
    delta = store.commits.state(ours).difference(store.commits.state(theirs))
    check_not_in_the_way(context, context.scan(), delta)
    move_files(context, Move(store.refs.current, theirs), delta)
    return MergeOutcome("fast-forward", theirs, None, len(delta))


def three_way(context: Context, sides: Sides, state: MergeState) -> MergeOutcome:
    """Merges into the current branch and commits the result, or stops at conflicts.

    A merge has two parents; undoing a commit is the same with one (see `reverting`).

    Args:
        context: the working copy.
        sides: what to merge.
        state: what to keep of the merge if it stops; its conflicts are found here.
    """
    scan = context.scan()
    from sopor.repository.sides import documents_of

    merged = sides.merge(context)
    changes = documents_of(context, merged, with_conflicts=bool(merged.conflicts))
    changes = settling.settle_records(context, sides, changes, merged.mends)
    if merged.conflicts:
        return _stop_at_conflicts(context, scan, merged, changes, state)
    return _commit(context, scan, sides, merged, changes, state)


def _commit(
    context: Context,
    scan: Scan,
    sides: Sides,
    merged: MendedMerge,
    changes: Mapping[DocumentId, Document | None],
    state: MergeState,
) -> MergeOutcome:
    refs = context.store.refs
    documents = {key: item for key, item in changes.items() if item is not None}
    contents = [content_of(context, item) for item in documents.values()]
    cids = {item.document.id: item.cid for item in contents}
    delta = sides.ours.minimal({key: cids.get(key) for key in changes})
    check_not_in_the_way(context, scan, delta)
    if not delta and state.theirs is None:
        raise StateConflict(f"nothing to do: {state.label} changes nothing")
    parents = [parent for parent in (refs.head, state.theirs) if parent]
    new = make_commit(context, parents, sides.ours, delta, state.message)
    move_files(
        context,
        Move(refs.current, new.id),
        delta,
        documents,
        lambda: save_commit(context, new, contents),
    )
    return MergeOutcome("merged", new.id, new.id, len(delta), (), mending.notes_of(merged.mends))


def _stop_at_conflicts(
    context: Context,
    scan: Scan,
    merged: MendedMerge,
    changes: Mapping[DocumentId, Document | None],
    state: MergeState,
) -> MergeOutcome:
    """Keeps the merge, then writes what merged into the files.

    Until they are written the kept merge says so, and the next command writes the rest: without
    what the files bring, a commit would undo the other side's work.
    """
    _check_clean(context, scan, merged, changes)
    state = replace(state, conflicts=_kept(merged), writing=True)
    keep_originals(context, changes)
    write_merge(context.store, state)
    delta = {key: context.cid(item) if item else None for key, item in changes.items()}
    with undone_on_failure(context, delta, lambda: write_merge(context.store, None)):
        put_documents(context, changes)
    write_merge(context.store, replace(state, writing=False))
    return MergeOutcome(
        "conflicts",
        context.store.refs.head,
        None,
        len(changes) - len(merged.conflicts),
        resolving.describe_conflicts(context, state),
        mending.notes_of(merged.mends),
    )


def _kept(merged: MendedMerge) -> tuple[KeptConflict, ...]:
    return tuple(
        KeptConflict(item.document_id, item.base, item.ours, item.theirs)
        for item in merged.conflicts
    )


def _check_clean(
    context: Context,
    scan: Scan,
    merged: MendedMerge,
    documents: Mapping[DocumentId, Document | None],
) -> None:
    """Refuses uncommitted changes, but for those that the same merge left when it was killed."""
    expected: dict[DocumentId, Cid | None] = {c.document_id: c.ours for c in merged.conflicts}
    expected |= {key: context.cid(item) if item else None for key, item in documents.items()}
    check_not_in_the_way(context, scan, expected)
    if scan.changes.keys() - expected.keys():
        raise StateConflict(
            "the merge stops at conflicts, and there are uncommitted changes",
            hint="commit them, or discard them with `sopor restore`, then merge again",
        )
