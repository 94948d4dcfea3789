"""OpenAPI and Swagger descriptions as requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sopor.formats import FormatError
from sopor.formats.imports import Imported, import_file

OPENAPI = """\
# kept as it is
openapi: 3.0.3
info: {title: Pets, version: "1"}
servers:
  - url: https://{region}.example.com/v1/
    description: Live
    variables: {region: {default: eu}}
  - url: http://localhost:3000
tags: [{name: pets, description: All about pets}]
security: [{key: []}]
paths:
  /pets/{petId}:
    parameters:
      - {name: petId, in: path, required: true, schema: {type: string, example: p7}}
    get:
      tags: [pets, more]
      summary: Show a pet
      operationId: showPet
      parameters:
        - {name: fields, in: query, schema: {enum: [name, age]}}
        - {name: X-Trace, in: header, required: true, example: abc}
        - {name: sid, in: cookie}
    put:
      tags: [pets]
      security: [{login: []}]
      requestBody:
        content:
          text/plain: {example: no}
          application/json: {schema: {$ref: '#/components/schemas/Pet'}}
  /other:
    post:
      requestBody: {$ref: '#/components/requestBodies/Form'}
      security: []
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    login: {type: http, scheme: bearer}
  requestBodies:
    Form:
      content:
        multipart/form-data:
          schema:
            type: object
            properties: {photo: {type: string, format: binary}, name: {type: string}}
  schemas:
    Pet:
      type: object
      properties:
        id: {type: integer, minimum: 1}
        born: {type: string, format: date}
        tags: {type: array, items: {type: string}}
        mother: {$ref: '#/components/schemas/Pet'}
        home: {allOf: [{$ref: '#/components/schemas/Place'}, {properties: {zip: {type: string}}}]}
        lost: {$ref: '#/components/schemas/Nowhere'}
    Place: {type: object, properties: {city: {type: string, default: Bern}}}
"""


def imported(text: str, name: str = "pets.yaml") -> Imported:
    found = import_file(text.encode(), name)
    assert found is not None
    return found


def requests(made: Imported) -> dict[str, Any]:
    return {
        f"{item.body['method']} {item.body['url']}": item.body
        for item in made.documents
        if item.type == "request"
    }


def test_a_description() -> None:
    made = imported(OPENAPI)
    by_type = {item.type: item.body for item in made.documents}
    assert made.documents[0].body["scope"] == "design"
    assert by_type["api_spec"]["contents"] == OPENAPI
    base, *servers = [item.body for item in made.documents if item.type == "environment"]
    assert base["data"] == {"base_url": "https://eu.example.com/v1", "key": "", "login": ""}
    assert [(item["name"], item["data"]) for item in servers] == [
        ("Live", {"base_url": "https://eu.example.com/v1"}),
        ("http://localhost:3000", {"base_url": "http://localhost:3000"}),
    ]
    assert {item["parentId"] for item in servers} == {base["_id"]}
    assert made.notes == (
        "GET /pets/{petId} has 2 tags; it lies in pets",
        "GET /pets/{petId}: the cookie sid has to be set by hand",
    )


def test_operations() -> None:
    made = imported(OPENAPI)
    found = requests(made)
    show = found["GET {{ _.base_url }}/pets/:petId"]
    assert show["name"] == "Show a pet"
    assert show["pathParameters"] == [{"name": "petId", "value": "p7"}]
    assert show["parameters"] == [{"name": "fields", "value": "name", "disabled": True}]
    assert show["headers"] == [{"name": "X-Trace", "value": "abc"}]
    assert show["authentication"] == {
        "type": "apikey",
        "key": "X-Key",
        "value": "{{ _.key }}",
        "addTo": "header",
    }
    (folder,) = [item for item in made.documents if item.type == "request_group"]
    assert folder.body["description"] == "All about pets"
    assert show["parentId"] == folder.id

    put = found["PUT {{ _.base_url }}/pets/:petId"]
    assert put["authentication"] == {"type": "bearer", "token": "{{ _.login }}"}
    assert put["headers"] == [{"name": "Content-Type", "value": "application/json"}]
    pet = json.loads(put["body"]["text"])
    assert (pet["id"], pet["born"], pet["tags"]) == (1, "2024-01-31", ["string"])
    assert pet["home"] == {"city": "Bern", "zip": "string"}
    assert pet["lost"] is None
    assert pet["mother"]["mother"]["id"] == 1

    post = found["POST {{ _.base_url }}/other"]
    assert post["authentication"] == {}
    assert post["parentId"] == made.documents[0].id
    assert post["body"]["params"] == [
        {"name": "photo", "type": "file", "fileName": ""},
        {"name": "name", "value": "string"},
    ]


def test_a_new_version_meets_the_same_requests() -> None:
    old = imported(OPENAPI)
    new = imported(OPENAPI.replace("Show a pet", "Show one pet").replace('"1"', '"2"'))
    assert [item.id for item in old.documents] == [item.id for item in new.documents]
    assert imported(OPENAPI) == old


def test_swagger_2() -> None:
    whole = {
        "swagger": "2.0",
        "info": {"title": "Old"},
        "host": "api.example.com",
        "basePath": "/v2",
        "schemes": ["https", "http"],
        "consumes": ["application/json"],
        "securityDefinitions": {"login": {"type": "basic"}},
        "security": [{"login": []}],
        "paths": {
            "/a": {
                "post": {
                    "parameters": [
                        {"in": "body", "name": "b", "schema": {"$ref": "#/definitions/B"}}
                    ]
                },
                "put": {
                    "consumes": ["multipart/form-data"],
                    "parameters": [{"in": "formData", "name": "f", "type": "file"}],
                },
            }
        },
        "definitions": {"B": {"type": "object", "properties": {"on": {"type": "boolean"}}}},
    }
    made = imported(json.dumps(whole), "old.json")
    found = requests(made)
    assert json.loads(found["POST {{ _.base_url }}/a"]["body"]["text"]) == {"on": True}
    assert found["POST {{ _.base_url }}/a"]["authentication"]["username"] == (
        "{{ _.login_username }}"
    )
    assert found["PUT {{ _.base_url }}/a"]["body"]["params"] == [
        {"name": "f", "type": "file", "fileName": ""}
    ]
    urls: list[Any] = [item.body["data"] for item in made.documents if item.type == "environment"]
    assert [url["base_url"] for url in urls] == [
        "https://api.example.com/v2",
        "https://api.example.com/v2",
        "http://api.example.com/v2",
    ]


def test_references_in_a_circle_come_to_an_end() -> None:
    text = """\
openapi: 3.1.0
info: {title: Loop}
paths:
  /a:
    post:
      requestBody: {$ref: '#/x/a'}
      parameters: [{$ref: '#/x/a'}]
x: {a: {$ref: '#/x/b'}, b: {$ref: '#/x/a'}}
"""
    (request,) = requests(imported(text)).values()
    assert request["body"] == {}


@pytest.mark.parametrize(
    ("text", "name", "line"),
    [
        ("openapi: 3.0.0\ninfo: {}\npaths: []\n", "a.yaml", 1),
        ("openapi: 3.0.0\ninfo: {\n", "a.yaml", 3),
        ('{"openapi": "3.0.0",\n "info": {},,}', "a.json", 2),
        (
            "a: &a [x, x]\nb: &b [*a, *a]\n"
            + "".join(
                f"{chr(99 + i)}: &{chr(99 + i)} [{', '.join(['*' + chr(98 + i)] * 9)}]\n"
                for i in range(14)
            ),
            "a.yaml",
            None,
        ),
    ],
)
def test_what_is_broken_is_refused(text: str, name: str, line: int | None) -> None:
    with pytest.raises(FormatError) as caught:
        import_file(text.encode(), name)
    if line is not None:
        assert caught.value.line == line
    assert caught.value.path == name


def test_other_files_are_none() -> None:
    assert import_file(b"a: 1\n", "a.yaml") is None
    assert import_file(b"[1]", "a.json") is None
    assert import_file(b'{"openapi": "1.0", "info": {}}', "a.json") is None
