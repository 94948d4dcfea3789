"""Merges whole projects three ways: documents, the fields inside them, and the tree that they form.

This is what a merge of two commits calls. It loads a document only where both sides changed it, or
where the tree may be damaged: if one side deleted something, what the other one changed; and what
was moved, if both sides may have moved something.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace

from sopor.merge.algebra import ABSENT, Side
from sopor.merge.choices import moved_back
from sopor.merge.conflicts import MergeResult
from sopor.merge.documents import Conflict, ProjectMerge, by_fields, merge_deltas
from sopor.merge.structure import Mend, MendKind, Parent, Tree, mend
from sopor.merge.values import same_json
from sopor.model.document import Document, DocumentId, parent_of
from sopor.model.state import Delta, State
from sopor.records import dataclass
from sopor_core.ids import Cid


@dataclass(frozen=True, slots=True)
class MendedMerge(ProjectMerge):
    """A merge whose documents form a tree again; ``mends`` says what that took.

    The mends are already part of what the merge changes.
    """

    mends: tuple[Mend, ...] = ()


def merge_projects(
    base: State, ours: State, theirs: State, load: Callable[[Cid], Document]
) -> MendedMerge:
    """Merges three states of a project, with the content of documents from ``load``."""
    by_ours, by_theirs = base.difference(ours), base.difference(theirs)
    merge = merge_deltas(base, by_ours, by_theirs, by_fields(load))
    project = _Project(base, ours, theirs, load, merge)
    changed = project.suspects(by_ours, by_theirs)
    trees = [project.tree(state) for state in (base, ours, theirs)]
    mends = mend(trees[0], trees[1], trees[2], project.parent, changed)
    for each in mends:
        project.apply(each)
    return project.result(mends)


@dataclass(slots=True)
class _Project:
    """A merge of a project, and its mending under way."""

    base: State
    ours: State
    theirs: State
    load: Callable[[Cid], Document]
    merge: ProjectMerge
    delta: dict[DocumentId, Cid | None] = field(init=False)
    documents: dict[DocumentId, Document] = field(init=False)
    conflicts: dict[DocumentId, Conflict] = field(init=False)
    _parents: dict[Cid, DocumentId | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.delta = dict(self.merge.delta)
        self.documents = dict(self.merge.documents)
        self.conflicts = {conflict.document_id: conflict for conflict in self.merge.conflicts}

    def tree(self, state: State) -> Tree:
        """Returns the lookup of parents in one state."""
        return lambda document_id: self._parent(state.get(document_id))

    def _parent(self, cid: Cid | None) -> Parent:
        if cid is None:
            return ABSENT
        if cid not in self._parents:
            self._parents[cid] = parent_of(self.load(cid))
        return self._parents[cid]

    def parent(self, document_id: DocumentId) -> Parent:
        """Looks up a parent in the merged project."""
        document = self._open(document_id) or self.documents.get(document_id)
        return parent_of(document) if document else self._parent(self._cid(document_id))

    def _open(self, document_id: DocumentId) -> Document | None:
        """Returns the document as far as it merged, if it has an open conflict."""
        conflict = self.conflicts.get(document_id)
        return conflict.inside.document if conflict and conflict.inside else None

    def _cid(self, document_id: DocumentId) -> Cid | None:
        """Returns the content that a document has for now, apart from what merged inside it."""
        if document_id in self.delta:
            return self.delta[document_id]
        return self.ours.get(document_id)

    def suspects(self, by_ours: Delta, by_theirs: Delta) -> set[DocumentId]:
        """Returns the changed documents that may be orphans or lie in a cycle now."""
        found: set[DocumentId] = set()
        for deleting, other in ((by_ours, by_theirs), (by_theirs, by_ours)):
            if None in deleting.values():
                found |= other.keys()
        # A cycle takes a move of each side, so that those of one side lead to it.
        return found | self._moves(min(by_ours, by_theirs, key=len))

    def _moves(self, delta: Delta) -> set[DocumentId]:
        return {
            document_id
            for document_id, cid in delta.items()
            if cid is not None
            and document_id in self.base
            and self._parent(self.base[document_id]) != self._parent(cid)
        }

    def apply(self, each: Mend) -> None:
        """Changes the merge by one mend."""
        if each.kind is MendKind.KEPT:
            state = self.ours if each.side is Side.OURS else self.theirs
            self._put(self.load(state[each.document_id]))
        else:
            self._put(self._moved_back(each.document_id))

    def _moved_back(self, document_id: DocumentId) -> Document:
        document = self._document(document_id)
        return moved_back(document, self.load(self.base[document_id]))

    def _document(self, document_id: DocumentId) -> Document:
        document = self._open(document_id) or self.documents.get(document_id)
        return document or self.load(self.delta.get(document_id) or self.ours[document_id])

    def _put(self, document: Document) -> None:
        """Sets what becomes of a document, by the content id of a side that has the same."""
        conflict = self.conflicts.get(document.id)
        if conflict is not None and conflict.inside is not None:
            inside = MergeResult(document, conflict.inside.conflicts)
            self.conflicts[document.id] = replace(conflict, inside=inside)
            return
        self.delta.pop(document.id, None)
        self.documents.pop(document.id, None)
        if self._equals(document, self.ours):
            return
        if self._equals(document, self.theirs):
            self.delta[document.id] = self.theirs[document.id]
        else:
            self.documents[document.id] = document

    def _equals(self, document: Document, state: State) -> bool:
        cid = state.get(document.id)
        return cid is not None and same_json(self.load(cid).body, document.body)

    def result(self, mends: tuple[Mend, ...]) -> MendedMerge:
        """Returns the merge as it is by now."""
        return MendedMerge(self.delta, self.documents, tuple(self.conflicts.values()), mends)
