"""Builds the documents that the stories are about."""

from __future__ import annotations

from collections.abc import Mapping

from sopor.merge.fields import merge_document
from sopor.merge.paths import format_path
from sopor.model.document import Body, Document, DocumentId, Json


def request(**members: Json) -> Document:
    """Makes a request; its ``_type`` can be given as ``type_``."""
    body: Body = {"_id": "req_1", "_type": "request", **members}
    if "type_" in body:
        body["_type"] = body.pop("type_")
    return Document(DocumentId("req_1"), str(body["_type"]), body)


def header(name: str, value: Json = "1", **more: Json) -> Body:
    return {"name": name, "value": value, **more}


def member(base: Json, ours: Json, theirs: Json, name: str = "x") -> tuple[Json, list[str]]:
    """Merges three values of one member; returns the merged one and the paths of conflicts."""
    versions = (request(**{name: value}) for value in (base, ours, theirs))
    result = merge_document(*versions)
    assert result.document is not None
    return result.document.body[name], [format_path(c.path) for c in result.conflicts]


def graph_of(history: Mapping[str, str]) -> dict[str, list[str]]:
    """Reads a history written as ``{"commit": "parents"}``, each parent one letter."""
    return {commit: list(parents) for commit, parents in history.items()}
