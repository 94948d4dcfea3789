"""Goes back: to a whole older state, to before one commit, or for single documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sopor.errors import InvalidInput, NotFound, StateConflict
from sopor.merge.graph import is_ancestor
from sopor.model.document import Document, DocumentId
from sopor.model.state import State
from sopor.repository.checkout import check_not_in_the_way, move_files, put_documents
from sopor.repository.committing import detail, make_commit, save_commit
from sopor.repository.context import Context
from sopor.repository.describing import describe, edited, in_order, kind_of
from sopor.repository.history import select_documents
from sopor.repository.interrupted import begin
from sopor.repository.journal import Move
from sopor.repository.merge_state import MergeState, refuse_during_merge
from sopor.repository.merging import three_way
from sopor.repository.results import CommitDetail, DocumentChange, MergeOutcome
from sopor.repository.revisions import HEAD, resolve
from sopor.repository.selection import select
from sopor.repository.sides import sides_of_undoing
from sopor_core.ids import CommitId

if TYPE_CHECKING:
    from sopor.worktree import Scan

EVERYTHING = "."


def revert_to(context: Context, revision: str, message: str | None = None) -> CommitDetail:
    """Brings the whole project back to an older commit's state, as a new commit.

    Raises:
        InvalidInput: the commit is not in the current branch's history.
        StateConflict: the state is the present one, or uncommitted edits are in the way.
    """
    store = context.store
    with begin(context):
        refuse_during_merge(context.store)
        head = resolve(store, HEAD)
        target = resolve(store, revision)
        if not is_ancestor(context.graph, target, head):
            raise InvalidInput(
                f"commit {target.short} is not in the history of {store.refs.current!r}",
                hint="restore documents from it with `sopor restore --source`, or merge it",
            )
        before = store.commits.state(head)
        delta = before.difference(store.commits.state(target))
        if not delta:
            raise StateConflict(f"nothing to do: the project is as it was at {target.short}")
        check_not_in_the_way(context, context.scan(), delta)
        subject = store.commits.get(target).subject
        message = message or f'Revert to "{subject}"\n\nThe state is that of {target.hex()}.'
        new = make_commit(context, [head], before, delta, message, same=target)

        move = Move(store.refs.current, new.id)
        move_files(context, move, delta, save=lambda: save_commit(context, new, ()))
        return detail(context, new.id, before, delta)


def revert(context: Context, revision: str, message: str | None = None) -> MergeOutcome:
    """Undoes one commit, whatever came after it, as a new commit.

    A merge is undone against its first parent. Where later commits changed the same places, it
    stops at conflicts as a merge does.

    Raises:
        StateConflict: a merge is under way, or uncommitted edits are in the way.
    """
    store = context.store
    with begin(context):
        refuse_during_merge(context.store)
        head = resolve(store, HEAD)
        target = resolve(store, revision)
        commit = store.commits.get(target)
        message = message or f'Revert "{commit.subject}"\n\nThis undoes {target.hex()}.'
        label = f"the undoing of {target.short}"
        sides = sides_of_undoing(context, target, head)
        return three_way(context, sides, MergeState(None, label, message, (), undone=target))


def restore(
    context: Context, words: Sequence[str], source: str | None = None
) -> tuple[DocumentChange, ...]:
    """Writes documents of a commit into the working files; the commit to come decides the rest.

    Args:
        context: the working copy.
        words: documents by id, name or file; ``.`` means all that differ.
        source: a revision; the present commit by default, which discards uncommitted edits.

    Returns:
        what changed in the working files.

    Raises:
        NotFound: neither the commit nor the working files have such a document.
        StateConflict: all are wanted while a merge is under way, which would then keep nothing of
            the other side, and say nothing of it.
    """
    with begin(context):
        if EVERYTHING in words:
            refuse_during_merge(context.store)
        state = context.store.commits.state(_source(context, source))
        scan = context.scan()
        head = context.store.commits.state(context.store.refs.head)
        wanted = _wanted(context, words, scan, state, head)
        changes: dict[DocumentId, Document | None] = {}
        for document_id in wanted:
            document = context.load(state[document_id]) if document_id in state else None
            if document != _present(context, scan, head, document_id):
                changes[document_id] = document
        shown = [
            _describe(context, scan, head, document_id, document)
            for document_id, document in changes.items()
        ]
        put_documents(context, changes)
        return in_order(shown)


def _source(context: Context, source: str | None) -> CommitId | None:
    if source is None and context.store.refs.head is None:
        return None
    return resolve(context.store, source or HEAD)


def _wanted(
    context: Context, words: Sequence[str], scan: Scan, state: State, head: State
) -> list[DocumentId]:
    if EVERYTHING in words:
        return list(dict.fromkeys([*scan.changes, *head.difference(state)]))
    try:
        return select(words, edited(context, scan, head), "changed document")
    except NotFound:
        missing = [word for word in words if DocumentId(word) not in scan.changes]
        found = [DocumentId(word) for word in words if DocumentId(word) in scan.changes]
        return [*found, *select_documents(context, state, missing)]


def _present(context: Context, scan: Scan, head: State, document_id: DocumentId) -> Document | None:
    if document_id in scan.changes:
        return scan.changes[document_id]
    return context.load(head[document_id]) if document_id in head else None


def _describe(
    context: Context,
    scan: Scan,
    head: State,
    document_id: DocumentId,
    document: Document | None,
) -> DocumentChange:
    present = _present(context, scan, head, document_id)
    shown = document or present
    assert shown is not None  # noqa: S101 - the two differ
    return describe(kind_of(present, document), shown, scan.paths.get(document_id))
