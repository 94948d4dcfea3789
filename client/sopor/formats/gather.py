"""Turns the resources found in a file into checked documents, refusing what no project can hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sopor.formats.errors import FormatError
from sopor.model.document import Document, DocumentError, DocumentId, Json, parent_of
from sopor.records import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """A resource as it lies in a file: its value, what to call it, and how to find its line."""

    value: Json
    where: str
    line: Callable[[], int | None]


def gather(found: Iterable[Found], path: str) -> tuple[Document, ...]:
    """Returns the documents of a file in its order.

    Raises:
        FormatError: one is not a document, two have one id, or parents form a cycle.
    """
    documents: dict[DocumentId, Document] = {}
    places: dict[DocumentId, Found] = {}
    for item in found:
        try:
            document = Document.from_json(item.value, item.where)
        except DocumentError as error:
            raise FormatError(
                error.reason, path=path, line=item.line(), document=error.where, hint=error.hint
            ) from None
        if document.id in documents:
            raise FormatError(
                f"the id {document.id} is used twice, also by {places[document.id].where}",
                path=path,
                line=item.line(),
                document=item.where,
                hint="give one of the two another id",
            )
        documents[document.id] = document
        places[document.id] = item
    gathered = tuple(documents.values())
    cycle = find_cycle(gathered)
    if cycle:
        first = places[cycle[0]]
        raise FormatError(
            f"its parents form a cycle: {' -> '.join([*cycle, cycle[0]])}",
            path=path,
            line=first.line(),
            document=first.where,
            hint="give one of them the workspace as its parent",
        )
    return gathered


def find_cycle(documents: Sequence[Document]) -> list[DocumentId]:
    """Returns the ids of documents that are each other's parents in a circle, if some are."""
    parents = {document.id: parent_of(document) for document in documents}
    settled: set[DocumentId] = set()
    for document in documents:
        trail: dict[DocumentId, None] = {}
        at: DocumentId | None = document.id
        while at is not None and at in parents and at not in settled:
            if at in trail:
                ids = list(trail)
                return ids[ids.index(at) :]
            trail[at] = None
            at = parents[at]
        settled.update(trail)
    return []


def name_of(value: Json, position: str) -> str:
    """Returns what to call a resource in an error: where it is, and its name if it has one."""
    name = value.get("name") if isinstance(value, dict) else None
    return f"{position} {name!r}" if isinstance(name, str) and name else position
