"""A v5 file is one nested tree; its documents are flat and have Insomnia's own fields."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sopor.formats import FileContent, FormatError, recognise
from sopor.formats.v5_yaml import V5Yaml
from sopor.formats.yaml_read import parse_yaml
from sopor.formats.yaml_write import emit_yaml
from sopor.model.document import Body, Document, DocumentId

COLLECTION = """\
type: collection.insomnia.rest/5.0
schema_version: "5.1"
name: API
meta:
  id: wrk_1
  created: 1
  modified: 2
  description: ""
collection:
  - name: Folder
    meta:
      id: fld_1
      sortKey: -5
      description: docs
    children:
      - url: "{{ _.base }}/:id"
        name: Get
        meta:
          id: req_1
          created: 10
          modified: 11
          isPrivate: false
          description: text
          sortKey: -1748881859977.5
        method: GET
        body:
          mimeType: application/json
          text: |-
            {
              "a": 1
            }
        parameters:
          - name: page
            value: "1"
            disabled: true
        headers:
          - name: A
            value: B
        authentication:
          type: bearer
          token: "{{ _.token }}"
        scripts:
          preRequest: one();
          afterResponse: two();
        settings:
          renderRequestBody: false
          encodeUrl: true
          followRedirects: global
          cookies:
            send: true
            store: false
          rebuildPath: true
        pathParameters:
          - name: id
            value: "7"
  - url: ws://localhost
    name: Socket
    meta:
      id: ws-req_1
    settings:
      encodeUrl: true
      followRedirects: global
      cookies:
        send: true
        store: true
  - url: localhost:50051
    name: Call
    meta:
      id: greq_1
    protoFileId: pf_1
    protoMethodName: /a.B/C
    reflectionApi:
      enabled: false
      url: ""
      apiKey: ""
      module: ""
cookieJar:
  name: Default Jar
  meta:
    id: jar_1
  cookies:
    - key: a
      id: c1
environments:
  name: Base Environment
  meta:
    id: env_1
    isPrivate: false
  data:
    zeta: 1
    alpha:
      y: 1
      x: 2
  subEnvironments:
    - name: Staging
      meta:
        id: env_2
        isPrivate: false
        sortKey: 5
      data:
        a: 1
        b: 2
      color: "#ff0000"
    - name: Mine
      meta:
        id: env_3
        isPrivate: true
      data:
        secret: x
"""
PATH = "apis/main.yaml"
FORM = V5Yaml()


def read(text: str, path: str = PATH) -> FileContent:
    return FORM.read(text.encode(), path)


def bodies(content: FileContent) -> dict[str, Body]:
    return {item.id: item.body for item in content.everything}


def write(content: FileContent, *, previous: str | None = None, **changes: Any) -> str:
    """Writes a file's documents; ``changes`` gives new fields by id, None removes the document."""
    documents = [
        replace(item, body={**item.body, **changes.get(item.id, {})})
        for item in content.documents
        if changes.get(item.id, {}) is not None
    ]
    before = previous.encode() if previous is not None else None
    return FORM.write(content.record, documents, content.local, before).decode()


def test_a_request_has_the_fields_that_insomnia_gives_it() -> None:
    assert bodies(read(COLLECTION))["req_1"] == {
        "_id": "req_1",
        "_type": "request",
        "parentId": "fld_1",
        "created": 10,
        "modified": 11,
        "isPrivate": False,
        "description": "text",
        "metaSortKey": -1748881859977.5,
        "url": "{{ _.base }}/:id",
        "name": "Get",
        "method": "GET",
        "body": {"mimeType": "application/json", "text": '{\n  "a": 1\n}'},
        "parameters": [{"name": "page", "value": "1", "disabled": True}],
        "headers": [{"name": "A", "value": "B"}],
        "authentication": {"type": "bearer", "token": "{{ _.token }}"},
        "preRequestScript": "one();",
        "afterResponseScript": "two();",
        "settingDisableRenderRequestBody": True,
        "settingEncodeUrl": True,
        "settingFollowRedirects": "global",
        "settingSendCookies": True,
        "settingStoreCookies": False,
        "settingRebuildPath": True,
        "pathParameters": [{"name": "id", "value": "7"}],
    }


def test_the_tree_becomes_parents() -> None:
    content = read(COLLECTION)
    parents = {item.id: (item.type, item.body.get("parentId")) for item in content.everything}
    assert parents == {
        "wrk_1": ("workspace", None),
        "fld_1": ("request_group", "wrk_1"),
        "req_1": ("request", "fld_1"),
        "ws-req_1": ("websocket_request", "wrk_1"),
        "greq_1": ("grpc_request", "wrk_1"),
        "jar_1": ("cookie_jar", "wrk_1"),
        "env_1": ("environment", "wrk_1"),
        "env_2": ("environment", "env_1"),
        "env_3": ("environment", "env_1"),
    }
    assert [item.id for item in content.local] == ["jar_1", "env_3"]
    assert bodies(content)["wrk_1"] == {
        "_id": "wrk_1",
        "_type": "workspace",
        "name": "API",
        "created": 1,
        "modified": 2,
        "description": "",
        "scope": "collection",
    }
    assert content.record.body["roots"] == ["wrk_1"]
    assert content.record.body["schema_version"] == "5.1"


def test_variables_keep_their_order_as_insomnia_notes_it() -> None:
    found = bodies(read(COLLECTION))
    assert found["env_1"]["dataPropertyOrder"] == {
        "&": ["zeta", "alpha"],
        "&~|alpha": ["y", "x"],
    }
    assert found["env_2"]["dataPropertyOrder"] == {"&": ["a", "b"]}
    assert "environmentPropertyOrder" not in found["fld_1"]


def test_new_order_of_variables_is_a_change() -> None:
    content = read(COLLECTION)
    order = {"&": ["alpha", "zeta"], "&~|alpha": ["x", "y"]}
    written = write(content, env_1={"dataPropertyOrder": order})
    lines = "    alpha:\n      x: 2\n      y: 1\n    zeta: 1\n"
    assert f"  data:\n{lines}" in written
    assert bodies(read(written))["env_1"]["dataPropertyOrder"] == order


def test_an_order_that_does_not_fit_its_variables_is_kept_and_used() -> None:
    content = read(COLLECTION)
    stale = {"&": ["gone", "zeta"]}
    written = write(content, env_1={"dataPropertyOrder": stale})
    assert written.index("zeta: 1") < written.index("alpha:")
    assert bodies(read(written))["env_1"]["dataPropertyOrder"] == stale


def test_written_anew_it_is_the_same_text_but_for_the_order_of_siblings() -> None:
    content = read(COLLECTION)
    written = write(content)
    assert sorted(written.splitlines()) == sorted(COLLECTION.splitlines())
    assert bodies(read(written)) == bodies(content)


def test_the_order_of_keys_and_siblings_does_not_depend_on_the_documents_order() -> None:
    content = read(COLLECTION)
    shuffled = [
        replace(item, body=dict(sorted(item.body.items()))) for item in content.documents[::-1]
    ]
    written = FORM.write(content.record, shuffled, content.local[::-1])
    assert written.decode() == write(content)


def test_a_change_touches_its_own_line() -> None:
    content = read(COLLECTION)
    written = write(content, previous=COLLECTION, req_1={"settingStoreCookies": True})
    assert written == COLLECTION.replace("store: false", "store: true")
    written = write(content, previous=COLLECTION, env_1={"name": "Root"})
    assert written == COLLECTION.replace("Base Environment", "Root")
    assert write(content, previous=COLLECTION) == COLLECTION


def test_a_file_of_another_style_keeps_its_order() -> None:
    text = (
        "meta: {id: wrk_1}\nname: X\ncollection:\n- {method: GET, meta: {sortKey: 2, id: req_2}}\n"
        "- {meta: {id: req_1}, method: GET, url: u}\ntype: collection.insomnia.rest/5.0\n"
    )
    written = write(read(text), previous=text, req_1={"url": "v"})
    order = parse_yaml(text)
    assert emit_yaml(parse_yaml(written)) == emit_yaml(order).replace("url: u", "url: v")
    assert written.startswith("meta: {id: wrk_1}\nname: X\ncollection:\n")


def test_comments_and_foreign_indents_stay_where_nothing_changed() -> None:
    text = (
        "# Our API\ntype: 'collection.insomnia.rest/5.0' # v5\nmeta: {id: wrk_1}\n\ncollection:\n"
        "-   meta: {id: req_1}\n    method: GET\n    # the address\n    url: u\n    name: one\n"
        "-   meta: {id: req_2}\n    method: GET   # read\n    url: w\n"
    )
    content = read(text)
    written = write(content, previous=text, req_1={"url": "v"})
    assert written == text.replace("url: u", "url: v")
    written = write(content, previous=text, req_2={"url": "x", "name": "two"})
    assert written == text.replace("url: w", "url: x\n    name: two")


def test_where_a_foreign_style_cant_be_kept_the_file_is_written_in_ours() -> None:
    text = (
        "type: collection.insomnia.rest/5.0\nmeta: {id: wrk_1}\ncollection: "
        "[{meta: {id: req_1}, method: GET, url: u}, {meta: {id: req_2}, method: GET}]\n"
    )
    written = write(read(text), previous=text, req_1={"url": "v"})
    assert written == emit_yaml(parse_yaml(text.replace("url: u", "url: v")))


def test_new_and_moved_documents_come_after_their_neighbours() -> None:
    content = read(COLLECTION)
    new = Document(
        DocumentId("req_2"),
        "request",
        {"_id": "req_2", "_type": "request", "parentId": "fld_1", "method": "PUT"},
    )
    written = FORM.write(content.record, [new, *content.documents], (), COLLECTION.encode())
    tree = parse_yaml(written.decode())
    assert isinstance(tree, dict)
    assert ids(tree["collection"]) == ["fld_1", ["req_1", "req_2"], "ws-req_1", "greq_1"]
    moved: Any = parse_yaml(write(content, previous=COLLECTION, req_1={"parentId": "wrk_1"}))
    assert ids(moved["collection"]) == ["req_1", "fld_1", "ws-req_1", "greq_1"]
    assert "children" not in moved["collection"][1]


def ids(items: Any) -> list[Any]:
    found: list[Any] = []
    for item in items:
        found.append(item["meta"]["id"])
        if "children" in item:
            found.append(ids(item["children"]))
    return found


def test_local_documents_stay_and_others_go() -> None:
    content = read(COLLECTION)
    without_local = FORM.write(content.record, content.documents)
    assert read(without_local.decode()).local == ()
    kept = FORM.write(content.record, content.documents[:1], (), COLLECTION.encode()).decode()
    assert [item.id for item in read(kept).documents] == ["wrk_1"]
    assert [item.id for item in read(kept).local] == ["jar_1", "env_3"]


UNUSUAL = """\
type: collection.insomnia.rest/5.0
===
{type: collection.insomnia.rest/5.0, name: X, meta: {}, collection: []}
===
{type: environment.insomnia.rest/5.0, meta: {id: w}, environments: {data: {}}}
===
type: collection.insomnia.rest/5.0
collection:
  - {method: GET, settings: {}, scripts: {}, headers: null, body: null, pathParameters: null}
===
{type: collection.insomnia.rest/5.0, collection: [{name: F, children: []}]}
===
type: collection.insomnia.rest/5.0
collection:
  - method: 5
    url: []
    settings: {cookies: all, encodeUrl: sometimes, later: {a: 1}}
===
{type: collection.insomnia.rest/5.0, cookieJar: {}, environments: null, future: [1]}
===
{type: collection.insomnia.rest/5.0, meta: {id: w, future: {a: [1]}, created: soon}}
===
type: collection.insomnia.rest/5.0
collection:
  - method: GET
    description: top
    meta: {description: inner}
    _id: x
    parentId: y
    metaSortKey: 4
===
{type: spec.insomnia.rest/5.0, spec: {file: api.yaml, meta: {id: spc_1}}}
===
{type: spec.insomnia.rest/5.0, spec: {contents: {}}}
===
{type: spec.insomnia.rest/5.0, spec: {contents: just text}}
===
{type: future.insomnia.rest/5.7, name: New, things: [1]}
===
{type: mock.insomnia.rest/5.0, url: "http://x", routes: [{name: /a, statusCode: 200}]}
===
{type: collection.insomnia.rest/5.0, scope: design, schema_version: 5.1}
"""


@pytest.mark.parametrize("text", UNUSUAL.split("===\n"))
def test_what_is_absent_empty_or_unknown_stays_so(text: str) -> None:
    content = read(text)
    assert parse_yaml(write(content)) == parse_yaml(text)
    assert bodies(read(write(content))) == bodies(content)


def test_unknown_fields_are_carried_under_clear_names() -> None:
    text = (
        "type: collection.insomnia.rest/5.0\nmeta: {id: wrk_1}\ncollection:\n"
        "  - meta: {id: req_1, future: 1}\n    method: GET\n    newField: [1]\n"
        "    settings: {encodeUrl: true, newSetting: on}\n"
    )
    assert bodies(read(text))["req_1"] == {
        "_id": "req_1",
        "_type": "request",
        "parentId": "wrk_1",
        "method": "GET",
        "newField": [1],
        "settingEncodeUrl": True,
        "_v5": {"meta": {"future": 1}, "settings": {"newSetting": "on"}},
    }


def test_ids_that_the_file_lacks_are_always_the_same_and_never_written() -> None:
    text = (
        "type: collection.insomnia.rest/5.0\nname: X\ncollection:\n"
        "  - name: A\n    children:\n      - name: same\n        method: GET\n"
        "      - name: same\n        method: PUT\n  - name: B\n    children: []\n"
    )
    content = read(text)
    assert bodies(read(text)) == bodies(content)
    assert len(bodies(content)) == 5
    assert [item.id.split("_")[0] for item in content.documents] == [
        *("wrk", "fld", "req", "req", "fld")
    ]
    assert write(content, previous=text) == text
    assert sorted(write(content).splitlines()) == sorted(text.splitlines())
    assert bodies(read(text, "other.yaml")).keys().isdisjoint(bodies(content))
    more = text.replace("  - name: B", "  - name: C\n    children: []\n  - name: B")
    assert bodies(read(more)).keys() > bodies(content).keys()


def test_a_renamed_resource_keeps_the_id_that_was_derived() -> None:
    text = "type: collection.insomnia.rest/5.0\ncollection:\n  - name: A\n    method: GET\n"
    content = read(text)
    request = content.documents[1].id
    written = write(content, previous=text, **{request: {"name": "B"}})
    assert f"id: {request}" in written
    assert bodies(read(written))[request]["name"] == "B"


def test_a_v5_file_holds_exactly_one_workspace() -> None:
    content = read(COLLECTION)
    other = Document(DocumentId("wrk_2"), "workspace", {"_id": "wrk_2", "_type": "workspace"})
    with pytest.raises(FormatError, match="holds one workspace, not 2"):
        FORM.write(content.record, [*content.documents, other])
    with pytest.raises(FormatError, match="holds one workspace, not no"):
        FORM.write(content.record, content.documents[1:])


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.yaml", 'type: "spec.insomnia.rest/5.0"'),
        ("a.YML", "type: mcpClient.insomnia/5.0   # comment"),
        ("a.yaml", "type: 'collection.insomnia.rest/5.0'\r"),
    ],
)
def test_the_type_is_recognised(path: str, line: str) -> None:
    assert recognise(path, f"name: x\n{line}\n".encode()) is not None


@pytest.mark.parametrize(
    "text",
    [
        "type: object\n",
        "type: collection.insomnia.rest/4.0\n",
        "schema:\n  type: collection.insomnia.rest/5.0\n",
        "- type: collection.insomnia.rest/5.0\n",
    ],
)
def test_other_yaml_is_left_alone(text: str) -> None:
    assert recognise("openapi.yaml", text.encode()) is None
