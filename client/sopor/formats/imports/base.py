"""What importers share: ids that depend on the source alone, and what could not be taken over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from hashlib import sha256

from sopor.formats.types import ID_PREFIXES
from sopor.model.document import Body, Document, DocumentId, Json
from sopor.records import dataclass

KEPT = "_imported"
"""The field of a document that keeps what Insomnia's resources have no place for."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an importer made of a file.

    Attributes:
        source: what the file was, such as ``Postman collection``.
        documents: the documents, parents before children.
        notes: what was changed or has no place, one sentence each, naming the document.
    """

    source: str
    documents: tuple[Document, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class Collector:
    """Gathers documents and notes of one import; every id starts from the source's name."""

    source: str
    documents: list[Document] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _taken: set[str] = field(default_factory=set)
    _sorted: int = 0

    def add(
        self, kind: str, key: str, parent: DocumentId | None, fields: Mapping[str, Json]
    ) -> DocumentId:
        """Adds a document and returns its id.

        Args:
            kind: its type.
            key: what identifies it inside the source; a second one of the same gets a number.
            parent: its parent.
            fields: its other fields; those that are None are left out.
        """
        identity = self._free_id(kind, key)
        body: Body = {"_id": identity, "_type": kind, "parentId": parent}
        body.update({name: value for name, value in fields.items() if value is not None})
        if kind in {"request", "request_group"}:
            self._sorted += 1
            body.setdefault("metaSortKey", self._sorted * 100)
        self.documents.append(Document(identity, kind, body))
        return identity

    def note(self, text: str) -> None:
        """Notes what was changed or has no place, each text once."""
        if text not in self.notes:
            self.notes.append(text)

    def done(self, what: str) -> Imported:
        """Returns everything that was gathered."""
        return Imported(what, tuple(self.documents), tuple(self.notes))

    def _free_id(self, kind: str, key: str) -> DocumentId:
        count = 0
        while True:
            text = "\0".join([self.source, kind, key, *([str(count)] if count else [])])
            digest = sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
            identity = f"{ID_PREFIXES[kind]}_{digest}"
            if identity not in self._taken:
                self._taken.add(identity)
                return DocumentId(identity)
            count += 1


def leftovers(value: Body, known: frozenset[str]) -> Body:
    """Returns the fields that are not known and say something."""
    return {
        key: item for key, item in value.items() if key not in known and item not in (None, [], {})
    }
