"""Merges whole projects three ways, document by document.

A project is a map of document ids to content ids, so this compares content ids and opens no
document by itself. Where both sides changed the same document, a callback may merge inside it. What
remains is a conflict: a value that can be stored, shown and settled later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import TypeAlias

from sopor.merge.algebra import Side, merge3
from sopor.merge.conflicts import MergeResult
from sopor.merge.fields import merge_document
from sopor.model.document import Document, DocumentId
from sopor.model.state import Delta, State
from sopor.records import dataclass
from sopor_core.ids import Cid

MergeDocuments: TypeAlias = Callable[[Cid | None, Cid | None, Cid | None], MergeResult]
"""Merges three versions of one document (base, ours, theirs), given by their content ids."""


class ConflictKind(StrEnum):
    """Says what each side did to a document: ours first, then theirs."""

    EDIT_EDIT = "edit/edit"
    EDIT_DELETE = "edit/delete"
    DELETE_EDIT = "delete/edit"
    ADD_ADD = "add/add"


@dataclass(frozen=True, slots=True)
class Conflict:
    """One document that both sides changed differently; ``None`` where a side has none.

    ``inside`` is the merge of its fields, if that was tried: the document as far as it merged and
    the places that did not.
    """

    document_id: DocumentId
    base: Cid | None
    ours: Cid | None
    theirs: Cid | None
    inside: MergeResult | None = None

    @property
    def kind(self) -> ConflictKind:
        """What each side did to the document."""
        if self.base is None:
            return ConflictKind.ADD_ADD
        if self.ours is None:
            return ConflictKind.DELETE_EDIT
        return ConflictKind.EDIT_DELETE if self.theirs is None else ConflictKind.EDIT_EDIT


@dataclass(frozen=True, slots=True)
class ProjectMerge:
    """What a merge changes in ours.

    ``delta`` takes documents over from theirs. ``documents`` are new ones, merged from both sides,
    that have no content id yet. What is in ``conflicts`` is in neither: ours stays until it is
    settled.
    """

    delta: Delta
    documents: Mapping[DocumentId, Document]
    conflicts: tuple[Conflict, ...]


def merge_states(
    base: State, ours: State, theirs: State, merge_documents: MergeDocuments | None = None
) -> ProjectMerge:
    """Merges three states; see `merge_deltas`."""
    return merge_deltas(base, base.difference(ours), base.difference(theirs), merge_documents)


def merge_deltas(
    base: Mapping[DocumentId, Cid],
    ours: Delta,
    theirs: Delta,
    merge_documents: MergeDocuments | None = None,
) -> ProjectMerge:
    """Merges what two sides changed, seen from the state ``base`` that both started from.

    It looks only at documents that theirs names, and asks the base only for these. Where both
    sides changed a document, ``merge_documents`` is asked, if there is one.
    """
    merge = _Merge(merge_documents)
    for document_id, cid in theirs.items():
        old = base.get(document_id)
        merge.add(document_id, old, ours.get(document_id, old), cid)
    conflicts = sorted(merge.conflicts, key=lambda conflict: conflict.document_id)
    return ProjectMerge(merge.delta, merge.documents, tuple(conflicts))


def by_fields(load: Callable[[Cid], Document]) -> MergeDocuments:
    """Returns a callback that loads the versions of a document and merges their fields."""

    def merge(base: Cid | None, ours: Cid | None, theirs: Cid | None) -> MergeResult:
        versions = [None if cid is None else load(cid) for cid in (base, ours, theirs)]
        return merge_document(*versions)

    return merge


@dataclass(slots=True)
class _Merge:
    """A merge under way."""

    merge_documents: MergeDocuments | None
    delta: dict[DocumentId, Cid | None] = field(default_factory=dict)
    documents: dict[DocumentId, Document] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)

    def add(
        self, document_id: DocumentId, base: Cid | None, ours: Cid | None, theirs: Cid | None
    ) -> None:
        def clash(base: Cid | None, ours: Cid | None, theirs: Cid | None) -> Cid | None:
            return self._clash(Conflict(document_id, base, ours, theirs))

        merged = merge3(base, ours, theirs, on_conflict=clash)
        if merged != ours:
            self.delta[document_id] = merged

    def _clash(self, conflict: Conflict) -> Cid | None:
        """Merges inside a document; returns its content id, or ours where that is not known."""
        if self.merge_documents is not None:
            inside = self.merge_documents(conflict.base, conflict.ours, conflict.theirs)
            conflict = replace(conflict, inside=inside)
            if not inside.conflicts:
                return self._take(conflict, inside)
        self.conflicts.append(conflict)
        return conflict.ours

    def _take(self, conflict: Conflict, inside: MergeResult) -> Cid | None:
        if inside.document is None:
            return None
        if inside.equals is Side.THEIRS:
            return conflict.theirs
        if inside.equals is None:
            self.documents[conflict.document_id] = inside.document
        return conflict.ours
