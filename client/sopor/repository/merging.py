"""Merges another commit into the current branch; what does not merge is kept as conflicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sopor.errors import EditsInTheWay, MergeConflicts, StateConflict
from sopor.lazy import lazy_module
from sopor.merge.graph import is_ancestor
from sopor.model.document import Document, DocumentId
from sopor.records import dataclass
from sopor.repository.checkout import (
    Carrying,
    check_not_in_the_way,
    move_files,
    put_documents,
    undone_on_failure,
)
from sopor.repository.committing import content_of, make_commit, save_commit
from sopor.repository.context import Context
from sopor.repository.describing import documents_are
from sopor.repository.interrupted import begin
from sopor.repository.journal import Move
from sopor.repository.merge_state import KeptConflict, MergeState, refuse_during_merge, write_merge
from sopor.repository.originals import keep_originals
from sopor.repository.results import MergeOutcome
from sopor.repository.revisions import resolve
from sopor_core.ids import Cid, CommitId

if TYPE_CHECKING:
    from sopor.merge.projects import MendedMerge
    from sopor.model.state import State
    from sopor.repository import keeping, mending, resolving, settling, sides
    from sopor.repository.keeping import Load
    from sopor.repository.sides import Sides
    from sopor.worktree import Scan
else:
    keeping = lazy_module("sopor.repository.keeping")
    mending = lazy_module("sopor.repository.mending")
    resolving = lazy_module("sopor.repository.resolving")
    settling = lazy_module("sopor.repository.settling")
    sides = lazy_module("sopor.repository.sides")


@dataclass(frozen=True, slots=True)
class Policy:
    """What a merge does about what is in its way.

    Attributes:
        keep_edits: whether uncommitted changes of documents that change are merged with what comes
            and stay uncommitted; else they stop the merge.
        start: whether a merge with conflicts is begun, and waits for them to be settled; else it
            leaves everything as it is.
    """

    keep_edits: bool = False
    start: bool = True


_USUAL = Policy()


def merge(
    context: Context, revision: str, message: str | None = None, *, keep_edits: bool = False
) -> MergeOutcome:
    """Merges a revision into the current branch, as `merge_commit` does."""
    theirs = resolve(context.store, revision)
    return merge_commit(context, theirs, revision, message, Policy(keep_edits))


def merge_commit(
    context: Context,
    theirs: CommitId,
    label: str,
    message: str | None = None,
    policy: Policy = _USUAL,
) -> MergeOutcome:
    """Merges a commit into the current branch.

    Raises:
        StateConflict: another merge is under way, or uncommitted changes are in the way.
        MergeConflicts: there would be conflicts, and no such merge is to be started.
    """
    store = context.store
    with begin(context):
        refuse_during_merge(store)
        ours = store.refs.head
        if ours is not None and is_ancestor(context.graph, theirs, ours):
            return MergeOutcome("up-to-date", ours, None, 0)
        if ours is None or is_ancestor(context.graph, ours, theirs):
            return _fast_forward(context, ours, theirs, policy)
        message = message or f"Merge {label} into {store.refs.current}"
        met = sides.sides_of_merge(context, ours, theirs)
        return three_way(context, met, MergeState(theirs, label, message, ()), policy)


def _fast_forward(
    context: Context, ours: CommitId | None, theirs: CommitId, policy: Policy
) -> MergeOutcome:
    store = context.store
    before, after = store.commits.state(ours), store.commits.state(theirs)
    delta = before.difference(after)
    carrying, notes = _carrying(context, context.scan(), (before, after), context.load, policy)
    move_files(context, Move(store.refs.current, theirs), delta, carrying=carrying)
    return MergeOutcome("fast-forward", theirs, None, len(delta), notes=notes)


def _carrying(
    context: Context, scan: Scan, way: tuple[State, State], load: Load, policy: Policy
) -> tuple[Carrying | None, tuple[str, ...]]:
    """Returns what to write so that edits are kept, None without any, and what to tell of it.

    Raises:
        EditsInTheWay: edits conflict with what comes, or they are not to be merged.
    """
    before, after = way
    if not policy.keep_edits:
        check_not_in_the_way(context, scan, before.difference(after))
    if not policy.keep_edits or not scan.changes:
        return None, ()
    carried = keeping.carry_edits(scan, before, after, load)
    keeping.refuse_conflicts(carried.conflicts, load, scan)
    documents = f"{len(carried.kept)} document{'' if len(carried.kept) == 1 else 's'}"
    notes = (f"kept what is not committed in {documents}",) if carried.kept else ()
    return Carrying(carried.documents, scan.changes, carried.places), notes


def three_way(
    context: Context, met: Sides, state: MergeState, policy: Policy = _USUAL
) -> MergeOutcome:
    """Merges into the current branch and commits the result, or stops at conflicts.

    A merge has two parents; undoing a commit is the same with one (see `reverting`).

    Args:
        context: the working copy.
        met: what to merge.
        state: what to keep of the merge if it stops; its conflicts are found here.
        policy: what to do about edits, and about conflicts.
    """
    scan, load = context.scan(), context.load
    merged = met.merge(load)
    changes = sides.documents_of(load, merged, with_conflicts=bool(merged.conflicts))
    changes = settling.settle_records(load, met, changes, merged.mends)
    if not merged.conflicts:
        return _commit(context, scan, met, merged, changes, state, policy)
    if not policy.start:
        raise MergeConflicts(
            f"{documents_are(len(merged.conflicts))} in conflict between this branch and "
            f"{state.label}",
            hint="run `sopor pull` to begin the merge, then settle them with `sopor resolve`",
            documents=tuple(conflict.document_id for conflict in merged.conflicts),
        )
    return _stop_at_conflicts(context, scan, merged, changes, state)


def _commit(
    context: Context,
    scan: Scan,
    met: Sides,
    merged: MendedMerge,
    changes: Mapping[DocumentId, Document | None],
    state: MergeState,
    policy: Policy,
) -> MergeOutcome:
    refs = context.store.refs
    documents = {key: item for key, item in changes.items() if item is not None}
    contents = [content_of(context, item) for item in documents.values()]
    cids = {item.document.id: item.cid for item in contents}
    delta = met.ours.minimal({key: cids.get(key) for key in changes})
    fresh = {item.cid: item.document for item in contents}

    def load(cid: Cid) -> Document:
        return fresh.get(cid) or context.load(cid)

    way = (met.ours, met.ours.apply(delta))
    carrying, notes = _carrying(context, scan, way, load, policy)
    if not delta and state.theirs is None:
        raise StateConflict(f"nothing to do: {state.label} changes nothing")
    parents = [parent for parent in (refs.head, state.theirs) if parent]
    new = make_commit(context, parents, met.ours, delta, state.message)
    move_files(
        context,
        Move(refs.current, new.id),
        delta,
        documents,
        lambda: save_commit(context, new, contents),
        carrying,
    )
    notes = (*mending.notes_of(merged.mends), *notes)
    return MergeOutcome("merged", new.id, new.id, len(delta), (), notes)


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
    with undone_on_failure(context, changes, lambda: write_merge(context.store, None)):
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
        raise EditsInTheWay(
            "the merge stops at conflicts, and there are uncommitted changes",
            hint="commit them, or discard them with `sopor restore`, then merge again",
            documents=tuple(sorted(scan.changes.keys() - expected.keys())),
        )
