"""What is inside documents that changed."""

from __future__ import annotations

from sopor.model.document import DocumentId, Json
from sopor.records import dataclass
from sopor.repository.results.state import CommitInfo, DocumentChange


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One place of a document that differs; ``before`` or ``after`` is absent where null."""

    path: str
    kind: str
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class DocumentDiff:
    """The places of one document that differ."""

    change: DocumentChange
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class DocumentStep:
    """A commit that changed one document, with the places that it changed in it."""

    commit: CommitInfo
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class FieldBlame:
    """One field of a document, and the commit that gave it its value."""

    path: str
    value: Json
    commit: CommitInfo


@dataclass(frozen=True, slots=True)
class DocumentBlame:
    """A document, field by field, in the order of its fields."""

    id: DocumentId
    type: str
    name: str
    fields: tuple[FieldBlame, ...]
