"""Mends the tree of documents after conflicts were settled.

A choice can delete a folder that something lies in, or move a document below itself, however whole
the merge was before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sopor.merge.algebra import ABSENT, Side
from sopor.merge.structure import Mend, MendKind, Parent, Tree, mend
from sopor.model.document import Document, DocumentId, parent_of
from sopor.model.state import State
from sopor_core.ids import Cid


def mend_choices(
    base: State,
    ours: State,
    theirs: State,
    load: Callable[[Cid], Document],
    present: Callable[[DocumentId], Document | None],
) -> tuple[dict[DocumentId, Document], tuple[Mend, ...]]:
    """Returns the documents that have to be different for a tree, and why.

    Args:
        base: the state that both sides started from.
        ours: the state that is merged into.
        theirs: the state that is merged.
        load: returns the content of a document of these states.
        present: looks a document up as it is after the choices; None where there is none.
    """

    def merged(document_id: DocumentId) -> Parent:
        document = present(document_id)
        return ABSENT if document is None else parent_of(document)

    changed = {*base.difference(ours), *base.difference(theirs)}
    trees = [_tree(state, load) for state in (base, ours, theirs)]
    mends = mend(trees[0], trees[1], trees[2], merged, changed)
    documents: dict[DocumentId, Document] = {}
    for each in mends:
        if each.kind is MendKind.KEPT:
            state = ours if each.side is Side.OURS else theirs
            documents[each.document_id] = load(state[each.document_id])
        else:
            document = documents.get(each.document_id) or present(each.document_id)
            if document is not None:
                documents[each.document_id] = moved_back(document, load(base[each.document_id]))
    return documents, mends


def _tree(state: State, load: Callable[[Cid], Document]) -> Tree:
    def parent(document_id: DocumentId) -> Parent:
        cid = state.get(document_id)
        return ABSENT if cid is None else parent_of(load(cid))

    return parent


def moved_back(document: Document, before: Document) -> Document:
    """Returns a document under the parent that it had before."""
    body = {key: value for key, value in document.body.items() if key != "parentId"}
    if "parentId" in before.body:
        body["parentId"] = before.body["parentId"]
    return replace(document, body=body)
