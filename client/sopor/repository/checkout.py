"""Moves the working files to another state, keeping edits that are not in the way.

Order: files first, then one transaction for branch and index. A command that was killed between
the two is repeated: what the files hold already is no obstacle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sopor.errors import StateConflict
from sopor.model.document import Document, DocumentId
from sopor.model.state import Delta
from sopor.repository.context import Context
from sopor.worktree import Scan, Written
from sopor_core.ids import Cid

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
    delta: Delta,
    move_branch: Callable[[], None],
    documents: Mapping[DocumentId, Document] | None = None,
) -> None:
    """Writes a delta into the working files and makes it their baseline.

    Args:
        context: the working copy.
        delta: from the baseline to the new state.
        move_branch: what else belongs into the same transaction.
        documents: those that are at hand already; others are loaded.
    """
    written = write_files(context, delta, documents)
    with context.store.transaction():
        move_branch()
        context.files.rebase(delta, written.paths)


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
