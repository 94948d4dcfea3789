"""Mends the tree of documents after a merge: no orphan and no cycle that the merge made.

Both come from changes that are fine alone: one side deletes a folder while the other one puts a
request into it; one side moves A into B, the other one B into A. Two rules put that right, the same
with the sides exchanged:

- A parent that one side deleted is kept, as the other side has it, while something lies in it.
- Of the documents that were moved into a cycle, the one with the smallest id goes back to the
  parent that it had before.

An untouched document cannot become an orphan or close a cycle by itself, so only changed ones are
looked at, and from these the way up to the root. What was broken before the merge is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field
from enum import StrEnum
from typing import TypeAlias

from sopor.merge.algebra import ABSENT, Absent, Side
from sopor.model.document import DocumentId
from sopor.records import dataclass

Parent: TypeAlias = DocumentId | None | Absent
"""What a document names as its parent, ``None`` where it names none; ABSENT if it does not exist.

The parent need not exist: a workspace may name one that its project does not hold.
"""

Tree: TypeAlias = Callable[[DocumentId], Parent]
"""Looks up the parent of a document in one state."""


class MendKind(StrEnum):
    """Says how a document was mended."""

    KEPT = "kept"
    MOVED_BACK = "moved back"


@dataclass(frozen=True, slots=True)
class Mend:
    """One document that must be different from what the merge made of it.

    - kept: it stays as ``side`` has it, although the other side deleted it, because the document
      ``because`` lies in it.
    - moved back: it names the parent again that it has in the base, because the parent that it was
      moved to, ``because``, came to lie in it.
    """

    kind: MendKind
    document_id: DocumentId
    parent: DocumentId | None
    because: DocumentId
    side: Side


def mend(
    base: Tree, ours: Tree, theirs: Tree, merged: Tree, changed: Iterable[DocumentId]
) -> tuple[Mend, ...]:
    """Returns what to change in a merge so that it is a tree again, to be done in this order.

    Call it again when conflicts were settled, since that too deletes and moves documents.

    Args:
        base: the state that both sides started from.
        ours: the state that is merged into.
        theirs: the state that is merged.
        merged: the state after the merge; where a conflict is open, what stands there for now.
        changed: the documents that either side changed since base. What a side did not delete can
            be left out if the other side deleted nothing and if it was not moved.
    """
    merge = _Merge(base, ours, theirs, merged, sorted(changed))
    todo = merge.changed
    while todo:
        for document_id in todo:
            merge.keep_parents(document_id)
        todo = merge.break_cycle()
    return tuple(merge.mends)


@dataclass(slots=True)
class _Merge:
    """A merge under way; ``placed`` are the parents that mending has changed."""

    base: Tree
    ours: Tree
    theirs: Tree
    merged: Tree
    changed: list[DocumentId]
    placed: dict[DocumentId, Parent] = field(default_factory=dict)
    mends: list[Mend] = field(default_factory=list)

    def parent(self, document_id: DocumentId) -> Parent:
        return self.placed[document_id] if document_id in self.placed else self.merged(document_id)

    def keep_parents(self, document_id: DocumentId) -> None:
        """Brings back what was deleted above a document."""
        parent = self.parent(document_id)
        while not isinstance(parent, Absent) and parent is not None:
            side = self._side_that_has(parent) if self.parent(parent) is ABSENT else None
            if side is None:
                return
            above = self.ours(parent) if side is Side.OURS else self.theirs(parent)
            if not isinstance(above, Absent):
                self.mends.append(Mend(MendKind.KEPT, parent, above, document_id, side))
            self.placed[parent] = above
            document_id, parent = parent, above

    def _side_that_has(self, document_id: DocumentId) -> Side | None:
        if self.ours(document_id) is not ABSENT:
            return Side.OURS
        return Side.THEIRS if self.theirs(document_id) is not ABSENT else None

    def break_cycle(self) -> list[DocumentId]:
        """Breaks one cycle; returns the document that it moved back, or nothing."""
        safe: set[DocumentId] = set()
        for document_id in sorted({*self.changed, *self.placed}):
            trail: dict[DocumentId, None] = {}
            at: Parent = document_id
            while not isinstance(at, Absent) and at is not None and at not in safe:
                if at in trail:
                    above = list(trail)
                    moved = self._move_back(above[above.index(at) :])
                    if moved is not None:
                        return [moved]
                    break
                trail[at] = None
                at = self.parent(at)
            safe |= trail.keys()
        return []

    def _move_back(self, cycle: Iterable[DocumentId]) -> DocumentId | None:
        for document_id in sorted(cycle):
            before, now = self.base(document_id), self.parent(document_id)
            if isinstance(before, Absent) or isinstance(now, Absent) or now is None:
                continue
            if before != now:
                side = Side.OURS if self.ours(document_id) == now else Side.THEIRS
                self.mends.append(Mend(MendKind.MOVED_BACK, document_id, before, now, side))
                self.placed[document_id] = before
                return document_id
        return None
