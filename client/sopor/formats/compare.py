"""Tells whether two files say the same, without caring about order."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sopor.model.document import Document, DocumentId, Json

_dumps = json.JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True).encode


def same_json(first: Json, second: Json) -> bool:
    """Tells whether two values are the same JSON: true is no number, 1 and 1.0 are one number."""
    if first is second:
        return True
    return first == second and (_dumps(first) == _dumps(second) or _same_kinds(first, second))


def _same_kinds(first: Json, second: Json) -> bool:
    if isinstance(first, dict) and isinstance(second, dict):
        return all(_same_kinds(value, second[key]) for key, value in first.items())
    if isinstance(first, list) and isinstance(second, list):
        return all(map(_same_kinds, first, second))
    return isinstance(first, bool) == isinstance(second, bool)


def same_documents(first: Iterable[Document], second: Iterable[Document]) -> bool:
    """Tells whether two sets of documents are the same."""
    ones, others = by_id(first), by_id(second)
    return ones.keys() == others.keys() and all(
        same_json(ones[key].body, others[key].body) for key in ones
    )


def by_id(documents: Iterable[Document]) -> dict[DocumentId, Document]:
    """Returns documents by their ids."""
    return {document.id: document for document in documents}
