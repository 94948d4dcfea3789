"""Reads Postman collections (2.0 and 2.1) and Postman environments.

Folders become request groups, requests requests, variables a base environment. Postman's ids are
not reused: Sopor's ids are made from the collection's id and the names on the way to an item, so
that the same collection, exported again, meets its documents again.
Source: schema.getpostman.com/json/collection/v2.1.0.
"""

from __future__ import annotations

import re

from sopor.formats.errors import FormatError
from sopor.formats.imports.base import KEPT, Collector, Imported, leftovers
from sopor.formats.imports.postman_request import authentication_of, request_of, scripts_of
from sopor.formats.imports.values import list_of, object_of, objects_of, text_of
from sopor.model.document import MAX_DEPTH, Body, DocumentId, Json

_SCHEMA = re.compile(r"schema\.(?:get)?postman\.com/(?:json/)?collection/v2\.[01]")
_OLD = re.compile(r"schema\.(?:get)?postman\.com/(?:json/)?collection/v1")
_FOLDER_FIELDS = frozenset(
    {"id", "_postman_id", "uid", "name", "description", "item", "auth", "event", "variable"}
)
_COLLECTION_FIELDS = frozenset({"info", "item", "auth", "event", "variable"})
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")


def is_postman(value: Json) -> bool:
    """Tells whether a value is a collection or an environment of Postman's."""
    return _is_collection(value) or _is_environment(value)


def _is_collection(value: Json) -> bool:
    schema = object_of(object_of(value).get("info")).get("schema")
    return isinstance(schema, str) and bool(_SCHEMA.search(schema) or _OLD.search(schema))


def _is_environment(value: Json) -> bool:
    body = object_of(value)
    return isinstance(body.get("values"), list) and (
        "_postman_variable_scope" in body or "_postman_exported_at" in body
    )


def import_postman(value: Json, path: str) -> Imported:
    """Returns the documents of a collection, or of an environment.

    Raises:
        FormatError: the collection is of version 1, or has no list of items.
    """
    body = object_of(value)
    if not _is_collection(value):
        return _environment(body, path)
    info = object_of(body.get("info"))
    if _OLD.search(text_of(info.get("schema"))):
        raise FormatError(
            "collections of version 1 are not read",
            path=path,
            hint="export it from Postman as version 2.1",
        )
    if not isinstance(body.get("item"), list):
        raise FormatError("expected a list of items", path=path, line=1)
    name = text_of(info.get("name"), "Postman collection")
    collector = Collector(f"postman\0{text_of(info.get('_postman_id')) or name}")
    kept = leftovers(body, _COLLECTION_FIELDS)
    workspace = collector.add(
        "workspace",
        "",
        None,
        {
            "name": name,
            "description": _description(info),
            "scope": "collection",
            KEPT: kept or None,
        },
    )
    _base_environment(collector, workspace, body)
    top = workspace
    if body.get("auth") is not None or list_of(body.get("event")):
        # A workspace has neither authentication nor scripts: a folder around everything has.
        top = _folder(collector, workspace, "", {**body, "name": name, "description": ""})
    _items(collector, body, top, "", 0)
    return collector.done("Postman collection")


def _base_environment(collector: Collector, workspace: DocumentId, body: Body) -> None:
    data = _variables(body.get("variable"))
    collector.add(
        "environment",
        "base",
        workspace,
        {"name": "Base Environment", "data": data, "metaSortKey": 1},
    )


def _environment(body: Body, path: str) -> Imported:
    name = text_of(body.get("name"), "Postman environment")
    collector = Collector(f"postman environment\0{text_of(body.get('id')) or name}")
    workspace = collector.add("workspace", "", None, {"name": name, "scope": "environment"})
    data: Body = {}
    for item in objects_of(body.get("values")):
        key = text_of(item.get("key"))
        if item.get("enabled") is False:
            collector.note(f"{path}: the variable {key} was disabled, it is now in use")
        data[key] = item.get("value")
    collector.add("environment", "base", workspace, {"name": name, "data": data, "metaSortKey": 1})
    return collector.done("Postman environment")


def _variables(value: Json) -> Body:
    found: Body = {}
    for item in objects_of(value):
        found[text_of(item.get("key")) or text_of(item.get("id"))] = item.get("value")
    return found


def _items(collector: Collector, holder: Body, parent: DocumentId, way: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise FormatError("folders are nested too deeply", path=way[:60])
    for item in objects_of(holder.get("item")):
        name = text_of(item.get("name"), "Unnamed")
        here = f"{way}/{name}"
        if isinstance(item.get("item"), list):
            folder = _folder(collector, parent, here, item)
            _items(collector, item, folder, here, depth + 1)
        else:
            fields = in_insomnias_words(request_of(item, collector, here))
            collector.add("request", here, parent, object_of(fields))


def _folder(collector: Collector, parent: DocumentId, way: str, item: Body) -> DocumentId:
    kept = leftovers(item, _FOLDER_FIELDS | _COLLECTION_FIELDS)
    variables = _variables(item.get("variable")) if way else {}
    fields: Body = {
        "name": text_of(item.get("name"), "Unnamed"),
        "description": _description(item),
        "environment": variables or None,
        "authentication": authentication_of(item.get("auth"), collector, way or "the collection"),
        **scripts_of(item.get("event")),
        KEPT: kept or None,
    }
    if kept:
        collector.note(f"{way}: {', '.join(sorted(kept))} kept in the field {KEPT}, without effect")
    return collector.add("request_group", way, parent, object_of(in_insomnias_words(fields)))


def _description(item: Body) -> str:
    value = item.get("description")
    return text_of(object_of(value).get("content") if isinstance(value, dict) else value)


def in_insomnias_words(value: Json) -> Json:
    """Returns a value with ``{{ name }}`` as ``{{ _.name }}`` in all its texts but scripts."""
    if isinstance(value, str):
        return _VARIABLE.sub(r"{{ _.\1 }}", value)
    if isinstance(value, list):
        return [in_insomnias_words(item) for item in value]
    if isinstance(value, dict):
        return {
            key: item if key.endswith("Script") or key == KEPT else in_insomnias_words(item)
            for key, item in value.items()
        }
    return value
