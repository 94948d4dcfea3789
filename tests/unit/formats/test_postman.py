"""Postman collections: every part of a request has its place in Insomnia's, or is kept and told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sopor.formats import FormatError
from sopor.formats.imports import Imported, import_file

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"


def imported(*items: Any, **more: Any) -> Imported:
    whole = {"info": {"name": "C", "_postman_id": "1", "schema": SCHEMA}, "item": items, **more}
    found = import_file(json.dumps(whole).encode(), "c.json")
    assert found is not None
    return found


def request_of(**request: Any) -> tuple[Any, tuple[str, ...]]:
    made = imported({"name": "R", "request": {"method": "POST", **request}})
    (body,) = [item.body for item in made.documents if item.type == "request"]
    return body, made.notes


def test_a_request_with_all_its_parts() -> None:
    body, notes = request_of(
        description={"content": "About it", "type": "text/markdown"},
        url={
            "raw": "{{host}}/pets/:id?limit=5&off=1",
            "query": [
                {"key": "limit", "value": "5", "description": "how many"},
                {"key": "off", "value": "1", "disabled": True},
            ],
            "variable": [{"key": "id", "value": "7"}],
        },
        header=[{"key": "Accept", "value": "{{kind}}"}],
        body={"mode": "raw", "raw": "{\n}", "options": {"raw": {"language": "json"}}},
        auth={"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}"}]},
    )
    assert notes == ()
    assert body["description"] == "About it"
    assert (body["method"], body["url"]) == ("POST", "{{ _.host }}/pets/:id")
    assert body["parameters"] == [
        {"name": "limit", "value": "5", "description": "how many"},
        {"name": "off", "value": "1", "disabled": True},
    ]
    assert body["pathParameters"] == [{"name": "id", "value": "7"}]
    assert body["headers"] == [{"name": "Accept", "value": "{{ _.kind }}"}]
    assert body["body"] == {"mimeType": "application/json", "text": "{\n}"}
    assert body["authentication"] == {"type": "bearer", "token": "{{ _.token }}"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (
            {"mode": "urlencoded", "urlencoded": [{"key": "a", "value": "1"}]},
            {
                "mimeType": "application/x-www-form-urlencoded",
                "params": [{"name": "a", "value": "1"}],
            },
        ),
        (
            {"mode": "formdata", "formdata": [{"key": "f", "type": "file", "src": "/a.png"}]},
            {
                "mimeType": "multipart/form-data",
                "params": [{"name": "f", "value": "", "type": "file", "fileName": "/a.png"}],
            },
        ),
        (
            {"mode": "graphql", "graphql": {"query": "{a}", "variables": ""}},
            {"mimeType": "application/graphql", "text": '{"query": "{a}", "variables": ""}'},
        ),
        (
            {"mode": "file", "file": {"src": "/x"}},
            {"mimeType": "application/octet-stream", "fileName": "/x"},
        ),
        ({"mode": "raw", "raw": "x"}, {"mimeType": "text/plain", "text": "x"}),
        (None, {}),
    ],
)
def test_bodies(given: Any, wanted: Any) -> None:
    body, notes = request_of(url="/", body=given)
    assert body["body"] == wanted
    assert notes == ()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"type": "noauth"}, {"type": "none"}),
        (
            {"type": "basic", "basic": [{"key": "username", "value": "a"}]},
            {"type": "basic", "username": "a"},
        ),
        ({"type": "basic", "basic": {"password": "b"}}, {"type": "basic", "password": "b"}),
        (
            {
                "type": "apikey",
                "apikey": [{"key": "key", "value": "k"}, {"key": "in", "value": "query"}],
            },
            {"type": "apikey", "key": "k", "value": "", "addTo": "queryParams"},
        ),
        (
            {
                "type": "oauth2",
                "oauth2": [{"key": "grant_type", "value": "password_credentials"}],
            },
            {"type": "oauth2", "grantType": "password"},
        ),
    ],
)
def test_authentications(given: Any, wanted: Any) -> None:
    body, notes = request_of(url="/", auth=given)
    assert body["authentication"] == wanted
    assert notes == ()


def test_what_has_no_place_is_kept_and_told() -> None:
    hawk = {"type": "hawk", "hawk": [{"key": "authId", "value": "x"}]}
    body, notes = request_of(url="/", auth=hawk, proxy={"host": "h"}, body={"mode": "odd"})
    assert body["authentication"] == {"type": "none", "_imported": hawk}
    assert body["_imported"] == {"proxy": {"host": "h"}, "body": {"mode": "odd"}}
    assert notes == (
        "/R: body, proxy kept in the field _imported, without effect",
        "/R: authentication hawk has to be set up anew; kept as it was in _imported",
    )


def test_scripts_variables_and_authentication_of_collection_and_folder() -> None:
    events = [{"listen": "test", "script": {"exec": ["pm.test('a', () => {", "});"]}}]
    made = imported(
        {"name": "F", "item": [], "variable": [{"key": "v", "value": "1"}], "event": events},
        variable=[{"key": "host", "value": "h"}],
        auth={"type": "noauth"},
    )
    by_name = {(item.type, item.body.get("name")): item for item in made.documents}
    top, folder = by_name["request_group", "C"], by_name["request_group", "F"]
    assert folder.body["parentId"] == top.id
    assert top.body["authentication"] == {"type": "none"}
    assert folder.body["environment"] == {"v": "1"}
    assert folder.body["afterResponseScript"] == "insomnia.test('a', () => {\n});"
    assert by_name["environment", "Base Environment"].body["data"] == {"host": "h"}


def test_the_same_collection_gives_the_same_ids_also_when_a_request_is_added() -> None:
    one = {"name": "A", "request": "http://a"}
    twin = {"name": "A", "request": "http://b"}
    first, again = imported(one, twin), imported(one, twin)
    assert first == again
    more = imported({"name": "New", "request": "/"}, one, twin)
    ids = {item.id for item in first.documents}
    assert len(ids) == len(first.documents) == 4
    assert ids < {item.id for item in more.documents}


def test_an_environment() -> None:
    whole = {
        "id": "e1",
        "name": "Staging",
        "values": [{"key": "a", "value": "1"}, {"key": "b", "value": "2", "enabled": False}],
        "_postman_variable_scope": "environment",
    }
    found = import_file(json.dumps(whole).encode(), "e.json")
    assert found is not None
    assert [item.type for item in found.documents] == ["workspace", "environment"]
    assert found.documents[1].body["data"] == {"a": "1", "b": "2"}
    assert found.notes == ("e.json: the variable b was disabled, it is now in use",)


@pytest.mark.parametrize(
    ("whole", "reason"),
    [
        ({"info": {"schema": SCHEMA.replace("v2.1.0", "v1.0.0")}}, "collections of version 1"),
        ({"info": {"schema": SCHEMA}, "item": {}}, "expected a list of items"),
    ],
)
def test_what_is_refused(whole: Any, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        import_file(json.dumps(whole).encode(), "c.json")


def test_deep_nesting_is_refused() -> None:
    item: Any = {"name": "x", "item": []}
    for _ in range(60):
        item = {"name": "x", "item": [item]}
    with pytest.raises(FormatError, match="nested deeper than"):
        imported(item)
