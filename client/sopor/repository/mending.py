"""Keeps the tree of documents whole while conflicts are settled.

A choice can delete a folder that something lies in, or move a document below itself. What a merge
does about that (`sopor.merge.structure`) is done after each choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sopor.merge.choices import mend_choices
from sopor.merge.structure import Mend, MendKind
from sopor.model.document import Document, DocumentId
from sopor.records import dataclass
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


def mended(
    context: Context, sides: Sides, present: Callable[[DocumentId], Document | None]
) -> Mended:
    """Returns what to change so that the documents of a merge under way are a tree."""
    documents, mends = mend_choices(sides.base, sides.ours, sides.theirs, context.load, present)
    return Mended(documents, notes_of(mends))
