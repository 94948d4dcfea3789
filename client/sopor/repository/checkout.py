"""Moves the working files to another state, keeping edits that are not in the way.

Order: what is going on into the journal, then files, then one transaction for branch, index and
journal. What is killed in between is ended by the next command (`sopor.repository.interrupted`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING

from sopor.errors import EditsInTheWay, SoporError
from sopor.model.document import Document, DocumentId
from sopor.model.state import Delta
from sopor.records import dataclass
from sopor.repository.context import Context
from sopor.repository.journal import Move, arrive, write_move
from sopor_core.ids import Cid

if TYPE_CHECKING:
    from sopor.worktree import Scan, Written

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Carrying:
    """What a move writes into the files.

    Attributes:
        documents: documents to write, and None for those to drop.
        edits: the documents that the files have before and the last commit has not.
        places: where documents belong that are in the new commit and in no file.
    """

    documents: Mapping[DocumentId, Document | None]
    edits: Mapping[DocumentId, Document | None] = field(default_factory=dict)
    places: Mapping[DocumentId, str] = field(default_factory=dict)


def check_not_in_the_way(context: Context, scan: Scan, delta: Delta) -> None:
    """Raises EditsInTheWay if uncommitted edits touch documents that are about to change."""
    blocking = [
        document_id
        for document_id, document in scan.changes.items()
        if document_id in delta and _cid(context, document) != delta[document_id]
    ]
    if blocking:
        names = ", ".join(blocking[:_SHOWN]) + (", ..." if len(blocking) > _SHOWN else "")
        raise EditsInTheWay(
            f"uncommitted changes are in the way: {names}",
            hint="commit them, or discard them with `sopor restore`",
            documents=tuple(blocking),
        )


def _cid(context: Context, document: Document | None) -> Cid | None:
    return context.cid(document) if document else None


def move_files(
    context: Context,
    move: Move,
    delta: Delta,
    documents: Mapping[DocumentId, Document] | None = None,
    save: Callable[[], None] | None = None,
    carrying: Carrying | None = None,
) -> None:
    """Writes a delta into the working files, makes it their baseline, and moves the branch.

    Args:
        context: the working copy.
        move: where to.
        delta: from the baseline to the new state.
        documents: those that are at hand already; others are loaded.
        save: stores what the move leads to, if that is new.
        carrying: what to write instead of the delta, so that edits are kept.
    """
    store = context.store
    with store.transaction():
        if save is not None:
            save()
        write_move(store, move)
    carrying = carrying or Carrying(_loaded(context, delta, documents))
    forget = partial(write_move, store, None)
    with undone_on_failure(context, carrying.documents, forget, carrying.edits):
        written = put_documents(context, carrying.documents)
    with store.transaction():
        arrive(store, move)
        context.files.rebase(delta, {**carrying.places, **written.paths})


@contextmanager
def undone_on_failure(
    context: Context,
    documents: Mapping[DocumentId, Document | None],
    forget: Callable[[], None],
    edits: Mapping[DocumentId, Document | None] | None = None,
) -> Iterator[None]:
    """Brings files back that were written before an error, and then forgets what was begun.

    If that fails as well, what was begun is kept for the next command to end.

    Args:
        context: the working copy.
        documents: what is written.
        forget: forgets what was begun.
        edits: the documents that the files had and the last commit has not.
    """
    had = edits or {}
    try:
        yield
    except SoporError:
        with suppress(SoporError):
            scan = context.scan()
            state = context.store.commits.state(context.store.refs.head)
            put_documents(
                context,
                {
                    key: had[key] if key in had else _stored(context, state.get(key))
                    for key in _written(context, scan, documents, had)
                },
            )
            forget()
        raise


def _written(
    context: Context,
    scan: Scan,
    documents: Mapping[DocumentId, Document | None],
    had: Mapping[DocumentId, Document | None],
) -> Iterator[DocumentId]:
    """Yields the documents that the files have as they were to be written."""
    for key, document in documents.items():
        if key in scan.changes:
            if _cid(context, scan.changes[key]) == _cid(context, document):
                yield key
        elif key in had:  # what was written made it as the last commit has it
            yield key


def _stored(context: Context, cid: Cid | None) -> Document | None:
    return None if cid is None else context.load(cid)


def _loaded(
    context: Context, delta: Delta, documents: Mapping[DocumentId, Document] | None
) -> dict[DocumentId, Document | None]:
    at_hand = documents or {}
    wanted = {key: cid for key, cid in delta.items() if cid is not None and not at_hand.get(key)}
    stored = dict(zip(wanted, context.load_all(wanted.values()), strict=True))
    return {key: at_hand.get(key) or stored.get(key) for key in delta}


def put_documents(context: Context, documents: Mapping[DocumentId, Document | None]) -> Written:
    """Writes documents into the working files, and drops those that are None."""
    return context.files.write(documents, lambda path: baseline_documents(context, path))


def baseline_documents(context: Context, path: str) -> Sequence[Document]:
    """Returns the documents that a file holds by the index, from the store."""
    return context.load_all(context.files.baseline_in(path).values())
