"""Moves the working files to another state, keeping edits that are not in the way.

Order: what is going on into the journal, then files, then one transaction for branch, index and
journal. What is killed in between is ended by the next command (`sopor.repository.interrupted`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sopor.errors import SoporError, StateConflict
from sopor.model.document import Document, DocumentId
from sopor.model.state import Delta
from sopor.repository.context import Context
from sopor.repository.journal import Move, arrive, write_move
from sopor_core.ids import Cid

if TYPE_CHECKING:
    from sopor.worktree import Scan, Written

_SHOWN = 5


def check_not_in_the_way(context: Context, scan: Scan, delta: Delta) -> None:
    """Raises StateConflict if uncommitted edits touch documents that are about to change."""
    blocking = [
        document_id
        for document_id, document in scan.changes.items()
        if document_id in delta and _cid(context, document) != delta[document_id]
    ]
    if blocking:
        names = ", ".join(blocking[:_SHOWN]) + (", ..." if len(blocking) > _SHOWN else "")
        raise StateConflict(
            f"uncommitted changes are in the way: {names}",
            hint="commit them, or discard them with `sopor restore`",
        )


def _cid(context: Context, document: Document | None) -> Cid | None:
    return context.cid(document) if document else None


def move_files(
    context: Context,
    move: Move,
    delta: Delta,
    documents: Mapping[DocumentId, Document] | None = None,
    save: Callable[[], None] | None = None,
) -> None:
    """Writes a delta into the working files, makes it their baseline, and moves the branch.

    Args:
        context: the working copy.
        move: where to.
        delta: from the baseline to the new state.
        documents: those that are at hand already; others are loaded.
        save: stores what the move leads to, if that is new.
    """
    store = context.store
    with store.transaction():
        if save is not None:
            save()
        write_move(store, move)
    with undone_on_failure(context, delta, lambda: write_move(store, None)):
        written = write_files(context, delta, documents)
    with store.transaction():
        arrive(store, move)
        context.files.rebase(delta, written.paths)


@contextmanager
def undone_on_failure(context: Context, delta: Delta, forget: Callable[[], None]) -> Iterator[None]:
    """Brings files back that were written before an error, and then forgets what was begun.

    If that fails as well, what was begun is kept for the next command to end.
    """
    try:
        yield
    except SoporError:
        with suppress(SoporError):
            scan = context.scan()
            state = context.store.commits.state(context.store.refs.head)
            put_documents(
                context,
                {
                    key: context.load(state[key]) if key in state else None
                    for key, document in scan.changes.items()
                    if key in delta and _cid(context, document) == delta[key]
                },
            )
            forget()
        raise


def write_files(
    context: Context, delta: Delta, documents: Mapping[DocumentId, Document] | None = None
) -> Written:
    """Writes a delta into the working files, whose baseline stays."""
    at_hand = documents or {}
    return put_documents(
        context,
        {
            document_id: None if cid is None else at_hand.get(document_id) or context.load(cid)
            for document_id, cid in delta.items()
        },
    )


def put_documents(context: Context, documents: Mapping[DocumentId, Document | None]) -> Written:
    """Writes documents into the working files, and drops those that are None."""
    return context.files.write(documents, lambda path: baseline_documents(context, path))


def baseline_documents(context: Context, path: str) -> Sequence[Document]:
    """Returns the documents that a file holds by the index, from the store."""
    return [context.load(cid) for cid in context.files.baseline_in(path).values()]
