"""Importers refuse or read whatever they are given, and conversions lose nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sopor.formats import FormatError, read
from sopor.formats.compare import same_documents
from sopor.formats.converting import Target, convert
from sopor.formats.gather import find_cycle
from sopor.formats.imports import Imported, import_file
from sopor.formats.imports.nedb import import_data_folder
from sopor.model.document import Document
from sopor.model.secrets_guard import find_secrets
from tests.properties.test_format_faults import DAMAGE
from tests.support.generated import projects

POSTMAN: Any = {
    "info": {
        "name": "C",
        "_postman_id": "1",
        "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
    },
    "item": [
        {
            "name": "F",
            "item": [
                {
                    "name": "R",
                    "request": {
                        "method": "POST",
                        "url": {"raw": "{{h}}/a?b=1", "query": [{"key": "b", "value": "1"}]},
                        "header": [{"key": "X", "value": "1"}],
                        "body": {"mode": "formdata", "formdata": [{"key": "a", "src": ["x"]}]},
                        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "t"}]},
                    },
                    "event": [{"listen": "test", "script": {"exec": ["pm.x()"]}}],
                }
            ],
        }
    ],
    "variable": [{"key": "h", "value": "x"}],
}
OPENAPI: Any = {
    "openapi": "3.0.0",
    "info": {"title": "T"},
    "servers": [{"url": "https://{a}/", "variables": {"a": {"default": "b"}}}],
    "tags": [{"name": "t"}],
    "security": [{"k": []}],
    "paths": {
        "/a/{b}": {
            "parameters": [{"name": "b", "in": "path", "schema": {"enum": [1]}}],
            "post": {
                "tags": ["t"],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/s"}}}},
            },
        }
    },
    "components": {"securitySchemes": {"k": {"type": "oauth2", "flows": {"password": {}}}}},
    "s": {"type": "object", "properties": {"x": {"allOf": [{"$ref": "#/s"}]}}},
}
NEDB: Any = [
    {"_id": "wrk_1", "type": "Workspace", "name": "W", "parentId": "p"},
    {"_id": "req_1", "type": "Request", "parentId": "wrk_1", "headers": [{"name": "a"}]},
    {"$$deleted": True, "_id": "x"},
    {"$$indexCreated": {"fieldName": "a"}},
]
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1.5, 1e300, "", "x", "{{a}}", "$ref", [], {}, [[]], [None], {"$ref": "#/s"},
     {"$ref": "#/"}, {"": ""}, [{"key": 1}], {"name": {}}, "\u2028é😀"]
)  # fmt: skip


def encoded(value: Any) -> bytes:
    if isinstance(value, list):
        return b"".join(json.dumps(item).encode() + b"\n" for item in value)
    return json.dumps(value).encode()


def import_nedb(data: bytes) -> Imported | None:
    return import_data_folder({"insomnia.X.db": data})


def import_json(data: bytes) -> Imported | None:
    return import_file(data, "a.json")


def import_yaml(data: bytes) -> Imported | None:
    return import_file(data, "a.yaml")


CASES: list[tuple[Any, Callable[[bytes], Imported | None]]] = [
    (POSTMAN, import_json),
    (OPENAPI, import_json),
    (OPENAPI, import_yaml),
    (NEDB, import_nedb),
]
IDS = ["postman", "openapi-json", "openapi-yaml", "nedb"]


def changed(value: Any, data: st.DataObject) -> Any:
    """Puts an odd value somewhere into a value."""
    if not isinstance(value, dict | list) or not value or data.draw(st.integers(0, 5)) == 0:
        return data.draw(ODD)
    children: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    at = data.draw(st.sampled_from(children))
    copy = value.copy()
    copy[at] = changed(value[at], data)
    return copy


def check(importer: Callable[[bytes], Imported | None], taken: bytes) -> None:
    try:
        made = importer(taken)
    except FormatError:
        return
    if made is None:
        return
    ids = {item.id for item in made.documents}
    assert len(ids) == len(made.documents)
    assert not find_cycle(made.documents)
    assert importer(taken) == made
    find_secrets(made.documents)
    assert_survives(made.documents, Target.V5)


def assert_survives(documents: Any, target: Target) -> None:
    made = convert(documents, target, "x.json" if target is Target.V4 else "")
    found: list[Document] = []
    for path, data in made.files.items():
        content = read(data, path)
        assert content is not None
        found += content.everything
    assert same_documents(found, documents)


@pytest.mark.parametrize(("value", "importer"), CASES, ids=IDS)
@given(data=st.data())
def test_odd_values_are_refused_or_read(
    value: Any, importer: Callable[[bytes], Imported | None], data: st.DataObject
) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        value = changed(value, data)
    check(importer, encoded(value))


@pytest.mark.parametrize(("value", "importer"), CASES, ids=IDS)
@given(data=st.data())
def test_damaged_files_are_refused_or_read(
    value: Any, importer: Callable[[bytes], Imported | None], data: st.DataObject
) -> None:
    damaged = bytearray(encoded(value))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(damaged)))
        length = data.draw(st.sampled_from([0, 0, 1, 7, 40]))
        damaged[start : start + length] = data.draw(st.sampled_from(DAMAGE))
    check(importer, bytes(damaged))


@pytest.mark.parametrize("target", [Target.V5, Target.V4, Target.TREE])
@given(data=st.data())
def test_conversions_lose_nothing(target: Target, data: st.DataObject) -> None:
    assert_survives(data.draw(projects(workspaces=2)), target)
