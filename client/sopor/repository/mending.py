"""Keeps the tree of documents whole while conflicts are settled.

A choice can delete a folder that something lies in, or move a document below itself. What a merge
does about that (`sopor.merge.structure`) is done after each choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sopor.merge.algebra import ABSENT, Side
from sopor.merge.structure import Mend, MendKind, Parent, Tree, mend
from sopor.model.document import Document, DocumentId, parent_of
from sopor.model.state import State
from sopor.repository.context import Context
from sopor.repository.sides import Sides


def notes_of(mends: Sequence[Mend]) -> tuple[str, ...]:
    """Tells what keeping the tree of documents whole took."""
    return tuple(
        f"kept {mend.document_id}, as {mend.because} lies in it"
        if mend.kind is MendKind.KEPT
        else f"moved {mend.document_id} back, as {mend.because} came to lie in it"
        for mend in mends
    )


@dataclass(frozen=True, slots=True)
class Mended:
    """Documents that have to be different for a tree, and what to tell about it."""

    documents: dict[DocumentId, Document]
    notes: tuple[str, ...]


def mend_choices(
    context: Context, sides: Sides, present: Callable[[DocumentId], Document | None]
) -> Mended:
    """Returns what to change so that the documents of a merge under way are a tree.

    Args:
        context: the working copy.
        sides: what is merged.
        present: looks a document up as it is after the choices; None where there is none.
    """

    def merged(document_id: DocumentId) -> Parent:
        document = present(document_id)
        return ABSENT if document is None else parent_of(document)

    changed = {*sides.base.difference(sides.ours), *sides.base.difference(sides.theirs)}
    trees = [_tree(context, state) for state in (sides.base, sides.ours, sides.theirs)]
    mends = mend(trees[0], trees[1], trees[2], merged, changed)
    documents: dict[DocumentId, Document] = {}
    for each in mends:
        if each.kind is MendKind.KEPT:
            state = sides.ours if each.side is Side.OURS else sides.theirs
            documents[each.document_id] = context.load(state[each.document_id])
        else:
            document = documents.get(each.document_id) or present(each.document_id)
            if document is not None:
                before = context.load(sides.base[each.document_id])
                documents[each.document_id] = _below(document, before)
    return Mended(documents, notes_of(mends))


def _tree(context: Context, state: State) -> Tree:
    def parent(document_id: DocumentId) -> Parent:
        cid = state.get(document_id)
        return ABSENT if cid is None else parent_of(context.load(cid))

    return parent


def _below(document: Document, before: Document) -> Document:
    """Returns a document under the parent that it had before."""
    body = {key: value for key, value in document.body.items() if key != "parentId"}
    if "parentId" in before.body:
        body["parentId"] = before.body["parentId"]
    return replace(document, body=body)
