"""Merges another commit into the current branch; what does not merge is kept as conflicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sopor.errors import StateConflict
from sopor.merge.documents import merge_states
from sopor.merge.graph import is_ancestor, merge_bases, virtual_base
from sopor.merge.projects import MendedMerge, merge_projects
from sopor.merge.structure import Mend, MendKind
from sopor.model.document import Document, DocumentId
from sopor.model.state import State
from sopor.repository.checkout import check_not_in_the_way, move_files, put_documents
from sopor.repository.committing import content_of, make_commit, save_commit
from sopor.repository.context import Context
from sopor.repository.merge_state import KeptConflict, MergeState, refuse_during_merge, write_merge
from sopor.repository.resolving import describe_conflicts
from sopor.repository.results import MergeOutcome
from sopor.repository.revisions import resolve
from sopor.worktree import Scan
from sopor_core.ids import Cid, CommitId


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
    with store.exclusive():
        refuse_during_merge(store)
        ours = store.refs.head
        if ours is not None and is_ancestor(context.graph, theirs, ours):
            return MergeOutcome("up-to-date", ours, None, 0)
        if ours is None or is_ancestor(context.graph, ours, theirs):
            return _fast_forward(context, ours, theirs)
        bases = merge_bases(context.graph, ours, theirs)
        message = message or f"Merge {label} into {store.refs.current}"
        return three_way(
            context,
            _base_state(context, bases),
            store.commits.state(theirs),
            message,
            [ours, theirs],
            label,
        )


def _fast_forward(context: Context, ours: CommitId | None, theirs: CommitId) -> MergeOutcome:
    store = context.store
    delta = store.commits.state(ours).difference(store.commits.state(theirs))
    check_not_in_the_way(context, context.scan(), delta)
    move_files(context, delta, lambda: store.refs.set(store.refs.current, theirs))
    return MergeOutcome("fast-forward", theirs, None, len(delta))


def _base_state(context: Context, bases: Sequence[CommitId]) -> State:
    """Returns the state to merge from; of criss-cross histories the merge of all common ancestors.

    Where those conflict among themselves, one side serves as well as the other: both lines have
    settled that conflict since, and what they disagree on is a conflict of its own.
    """

    def merge_pair(base: State, one: State, other: State) -> State:
        return one.apply(merge_states(base, one, other).delta)

    return virtual_base(
        context.graph, bases, load=context.store.commits.state, merge=merge_pair, nothing=State()
    )


def three_way(
    context: Context,
    base: State,
    theirs: State,
    message: str,
    parents: Sequence[CommitId],
    label: str,
) -> MergeOutcome:
    """Merges a state into the current branch's and commits the result, or stops at conflicts.

    A merge has two parents; undoing a commit is the same with one (see `reverting`).
    """
    ours = context.store.commits.state(parents[0])
    scan = context.scan()
    merged = merge_projects(base, ours, theirs, context.load)
    contents = [content_of(context, document) for document in merged.documents.values()]
    delta = ours.minimal({**merged.delta, **{item.document.id: item.cid for item in contents}})
    if merged.conflicts:
        state = _merge_state(merged, parents, label, message)
        return _stop_at_conflicts(context, scan, merged, delta, state)
    check_not_in_the_way(context, scan, delta)
    if not delta and len(parents) == 1:
        raise StateConflict(f"nothing to do: {label} changes nothing")
    new = make_commit(context, parents, ours, delta, message)

    def save() -> None:
        save_commit(context, new, contents)
        context.store.refs.set(context.store.refs.current, new.id)

    move_files(context, delta, save, merged.documents)
    return MergeOutcome("merged", new.id, new.id, len(delta), (), _notes(merged.mends))


def _merge_state(
    merged: MendedMerge, parents: Sequence[CommitId], label: str, message: str
) -> MergeState:
    kept = tuple(
        KeptConflict(item.document_id, item.base, item.ours, item.theirs)
        for item in merged.conflicts
    )
    return MergeState(parents[1] if len(parents) > 1 else None, label, message, kept)


def _stop_at_conflicts(
    context: Context,
    scan: Scan,
    merged: MendedMerge,
    delta: Mapping[DocumentId, Cid | None],
    state: MergeState,
) -> MergeOutcome:
    """Writes what merged into the files, and only then keeps the merge.

    The other way round, a command that is killed in between would leave a merge whose files lack
    what it brings; committed, it would undo the other side's work.
    """
    documents: dict[DocumentId, Document | None] = {
        key: None if cid is None else merged.documents.get(key) or context.load(cid)
        for key, cid in delta.items()
    }
    for conflict in merged.conflicts:
        if conflict.inside is not None:
            documents[conflict.document_id] = conflict.inside.document
    _check_clean(context, scan, merged, documents)
    put_documents(context, documents)
    write_merge(context.store, state)
    return MergeOutcome(
        "conflicts",
        context.store.refs.head,
        None,
        len(delta),
        describe_conflicts(context, state),
        _notes(merged.mends),
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


def _notes(mends: Sequence[Mend]) -> tuple[str, ...]:
    """Tells what keeping the tree of documents whole took."""
    return tuple(
        f"kept {mend.document_id}, as {mend.because} lies in it"
        if mend.kind is MendKind.KEPT
        else f"moved {mend.document_id} back, as {mend.because} came to lie in it"
        for mend in mends
    )
