"""Every kind of v5 file, and what becomes of documents that such a file has no place for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sopor.formats.record import make_record
from sopor.formats.v5_resource import infer_type
from sopor.formats.v5_yaml import V5Yaml
from sopor.formats.yaml_read import parse_yaml
from sopor.model.document import Document, DocumentId, split_local

FORM = V5Yaml()
WORKSPACE = {"_id": "wrk_1", "_type": "workspace", "scope": "collection"}


def document(identity: str, kind: str, parent: str = "wrk_1", **fields: Any) -> Document:
    body = {"_id": identity, "_type": kind, "parentId": parent, **fields}
    return Document(DocumentId(identity), kind, body)


def workspace(**fields: Any) -> Document:
    return Document(DocumentId("wrk_1"), "workspace", {**WORKSPACE, **fields})


def round_trip(documents: Sequence[Document], schema: Any = None) -> Any:
    """Writes documents, checks that they come back as they were, and returns the file's tree."""
    shared, local = split_local(documents)
    container = {} if schema is None else {"schema_version": schema}
    record = make_record("a.yaml", FORM.name, shared, container)
    written = FORM.write(record, shared, local)
    content = FORM.read(written, "a.yaml")
    assert {item.id: item.body for item in content.everything} == {
        item.id: item.body for item in documents
    }
    assert content.record == record
    return parse_yaml(written.decode())


def kinds(text: str) -> dict[str, tuple[str, Any]]:
    content = FORM.read(text.encode(), "a.yaml")
    return {item.id: (item.type, item.body.get("parentId")) for item in content.everything}


def test_a_design_document_with_tests() -> None:
    text = (
        "type: spec.insomnia.rest/5.0\nmeta: {id: wrk_1}\n"
        "spec:\n  contents:\n    openapi: 3.0.0\n    info: {version: 1.0.0, title: T}\n"
        "  meta: {id: spc_1}\n"
        "testSuites:\n  - name: S\n    meta: {id: uts_1}\n    tests:\n"
        "      - name: T\n        meta: {id: ut_1}\n        requestId: null\n        code: x\n"
    )
    assert kinds(text) == {
        "wrk_1": ("workspace", None),
        "spc_1": ("api_spec", "wrk_1"),
        "uts_1": ("unit_test_suite", "wrk_1"),
        "ut_1": ("unit_test", "uts_1"),
    }
    content = FORM.read(text.encode(), "a.yaml")
    assert content.documents[0].body["scope"] == "design"
    contents = "openapi: 3.0.0\ninfo:\n  version: 1.0.0\n  title: T\n"
    assert content.documents[1].body["contents"] == contents
    assert content.documents[3].body["requestId"] is None
    assert parse_yaml(FORM.write(content.record, content.documents).decode()) == parse_yaml(text)


@pytest.mark.parametrize(
    ("contents", "shown"),
    [
        ("openapi: 3.0.0\npaths: {}\n", {"openapi": "3.0.0", "paths": {}}),
        ("# comment\nb: 1\na: 2\n", {"b": 1, "a": 2}),
        ('{\n\t"b": 1, "a": [2]}', {"b": 1, "a": [2]}),
        ("- 1\n", [1]),
        ("", None),
        ("text", None),
        ("{}", None),
        ("a: 1\na: 2\n", None),
        ('{"a": 1, "a": 2}', None),
        ("a: &x [1]\nb: [*x, *x]\n", {"a": [1], "b": [[1], [1]]}),
        ("a: &x " + "y" * 9000 + "\nb: [" + "*x, " * 40 + "]\n", None),
        ("[" * 120 + "]" * 120, None),
    ],
)
def test_an_openapi_text_keeps_every_character(contents: str, shown: Any) -> None:
    tree = round_trip([workspace(scope="design"), document("spc_1", "api_spec", contents=contents)])
    assert tree["type"] == "spec.insomnia.rest/5.0"
    assert tree["spec"].get("contents") == shown
    kept = tree["spec"].get("_v4", {}).get("contents")
    assert kept in {None, contents}
    assert (kept is None) == (contents in {"openapi: 3.0.0\npaths: {}\n", "- 1\n"})


def test_contents_that_insomnia_changed_win_over_the_kept_text() -> None:
    text = (
        "type: spec.insomnia.rest/5.0\nmeta: {id: wrk_1}\nspec:\n  meta: {id: spc_1}\n"
        "  contents: {a: 2}\n  _v4: {contents: 'a: 1 # old'}\n"
    )
    assert FORM.read(text.encode(), "a.yaml").documents[1].body["contents"] == "a: 2\n"


def test_a_mock_server_with_routes() -> None:
    text = (
        "type: mock.insomnia.rest/5.0\nmeta: {id: wrk_1}\n"
        "server: {meta: {id: mock_1}, url: http://x, useInsomniaCloud: true}\n"
        "routes:\n  - name: /a\n    meta: {id: mock-route_1}\n    statusCode: 200\n"
    )
    assert kinds(text) == {
        "wrk_1": ("workspace", None),
        "mock_1": ("mock", "wrk_1"),
        "mock-route_1": ("mock_route", "mock_1"),
    }
    content = FORM.read(text.encode(), "a.yaml")
    assert content.documents[0].body["scope"] == "mock-server"
    written = FORM.write(content.record, content.documents).decode()
    assert parse_yaml(written) == parse_yaml(text)
    early = text.replace(
        "server: {meta: {id: mock_1}, url: http://x, useInsomniaCloud: true}\n", ""
    )
    assert kinds(early)["mock-route_1"] == ("mock_route", "wrk_1")


def test_a_client_of_the_model_context_protocol() -> None:
    text = (
        'type: mcpClient.insomnia/5.0\nschema_version: "5.1"\nname: M\nmeta:\n  id: wrk_1\n'
        "mcpRequest:\n  name: ''\n  url: npx thing\n  transportType: stdio\n"
        "  meta:\n    id: mcp-req_1\n  env:\n    - id: v\n      name: a\n      type: str\n"
        "  roots:\n    - uri: file:///\nenvironments:\n  meta:\n    id: env_1\n"
    )
    assert kinds(text)["mcp-req_1"] == ("mcp_request", "wrk_1")
    content = FORM.read(text.encode(), "a.yaml")
    assert content.documents[0].body["scope"] == "mcp"
    assert FORM.write(content.record, content.documents).decode() == text.replace("''", '""')


def test_since_schema_5_2_entries_carry_their_type() -> None:
    text = (
        'type: collection.insomnia.rest/5.0\nschema_version: "5.2"\nmeta: {id: wrk_1}\n'
        "collection:\n  - type: SocketIORequest\n    meta: {id: x_1}\n    eventListeners: []\n"
        "    settings: {path: /io}\n"
        "  - {type: RequestGroup, meta: {id: x_2}}\n"
        "  - {type: MqttRequest, meta: {id: x_3}, topic: t}\n"
        "  - {type: odd name, meta: {id: x_4}}\n"
    )
    found = kinds(text)
    assert [found[f"x_{n}"][0] for n in (1, 2, 3, 4)] == [
        *("socketio_request", "request_group", "mqtt_request", "_odd name")
    ]
    content = FORM.read(text.encode(), "a.yaml")
    assert all("type" not in item.body for item in content.documents)
    assert content.documents[1].body["settingPath"] == "/io"
    written = FORM.write(content.record, content.documents).decode()
    assert parse_yaml(written) == parse_yaml(text)
    tree = round_trip([workspace(), document("req_1", "request", type="Request")], schema="5.2")
    assert tree["collection"][0]["type"] == "Request"
    tree = round_trip([workspace(), document("req_1", "request", type="Request")], schema="5.1")
    assert tree["collection"][0] == {"meta": {"id": "req_1"}, "type": "Request"}


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        ({"meta": {"id": "req_1"}}, "request"),
        ({"meta": {"id": "fld_1"}, "url": "x"}, "request_group"),
        ({"meta": {"id": "greq_1"}, "method": "GET"}, "grpc_request"),
        ({"meta": {"id": "ws-req_1"}}, "websocket_request"),
        ({"meta": {"id": "socketio-req_1"}}, "socketio_request"),
        ({"meta": {"id": "other"}, "method": "GET"}, "request"),
        ({"method": "GET", "url": "x"}, "request"),
        ({"reflectionApi": {}}, "grpc_request"),
        ({"metadata": []}, "grpc_request"),
        ({"eventListeners": [], "url": "x"}, "socketio_request"),
        ({"children": []}, "request_group"),
        ({"name": "empty folder"}, "request_group"),
        ({"url": "x", "settings": {"followRedirects": "on"}}, "websocket_request"),
        ({"url": "x", "settings": {"path": "/"}}, "socketio_request"),
        ({"url": "x"}, "request"),
        ({"url": "x", "settings": {}}, "request"),
        ({"url": "x", "type": "GrpcRequest"}, "grpc_request"),
        ({"url": "x", "_v4": {"_type": "websocket_request"}}, "websocket_request"),
    ],
)
def test_the_type_of_an_entry_follows_from_what_it_has(item: Any, kind: str) -> None:
    assert infer_type(item) == kind


def test_a_type_that_would_not_show_is_noted() -> None:
    tree = round_trip([workspace(), document("odd", "websocket_request", name="W")])
    assert tree["collection"][0]["_v4"] == {"_type": "websocket_request"}


def test_documents_without_a_place_are_kept_where_insomnia_does_not_look() -> None:
    spare = [
        document("pf_1", "proto_file", protoText="syntax"),
        document("ws-payload_1", "websocket_payload", parent="ws-req_1"),
        document("env_2", "environment", metaSortKey=9),
        document("env_3", "environment", parent="env_2"),
        document("spc_2", "api_spec", contents="a: 1\n"),
        document("req_9", "request", parent="gone"),
        document("new_1", "brand_new"),
        document("new_2", "request", parent="new_1"),
    ]
    placed = [
        workspace(),
        document("env_1", "environment", metaSortKey=1),
        document("spc_1", "api_spec", contents="a: 1\n"),
        document("ws-req_1", "websocket_request"),
    ]
    tree = round_trip([*placed, *spare])
    kept = {item["_id"]: item for item in tree["_resources"]}
    assert kept == {item.id: item.body for item in spare}
    assert list(tree)[-1] == "_resources"


def test_fields_without_a_place_are_kept_beside_the_others() -> None:
    tree = round_trip(
        [
            workspace(parentId="proj_1", type="Workspace", schema_version=3),
            document("req_1", "request", description=None, settings={"a": 1}, sslOff=True),
            document("env_1", "environment", data={"b": 1, "a": 2}, dataPropertyOrder=None),
            document("fld_1", "request_group", environment={"a": 1}, environmentPropertyOrder={}),
        ]
    )
    assert tree["_v4"] == {"parentId": "proj_1", "type": "Workspace", "schema_version": 3}
    assert tree["environments"]["data"] == {"a": 2, "b": 1}
    assert tree["environments"]["_v4"] == {"dataPropertyOrder": None}
    by_id = {item["meta"]["id"]: item for item in tree["collection"]}
    assert by_id["req_1"]["_v4"] == {"description": None, "settings": {"a": 1}}
    assert by_id["req_1"]["sslOff"] is True
    assert by_id["fld_1"]["environmentPropertyOrder"] == {}


def test_an_environment_without_an_order_is_written_alphabetically_and_stays_without() -> None:
    tree = round_trip([workspace(), document("env_1", "environment", data={"b": 1, "a": 2})])
    assert list(tree["environments"]["data"]) == ["a", "b"]
    assert tree["environments"]["_v4"] == {"_absent": ["dataPropertyOrder"]}


@pytest.mark.parametrize(
    ("scope", "file_type", "kept"),
    [
        ("design", "spec.insomnia.rest/5.0", None),
        ("mcp", "mcpClient.insomnia/5.0", None),
        ("future", "collection.insomnia.rest/5.0", {"scope": "future"}),
        (None, "collection.insomnia.rest/5.0", {"scope": None}),
    ],
)
def test_the_type_of_a_file_follows_from_the_scope(scope: Any, file_type: str, kept: Any) -> None:
    tree = round_trip([workspace(scope=scope)])
    assert (tree["type"], tree.get("_v4")) == (file_type, kept)


def test_a_workspace_without_a_scope_stays_without_one() -> None:
    plain = Document(DocumentId("wrk_1"), "workspace", {"_id": "wrk_1", "_type": "workspace"})
    tree = round_trip([plain])
    assert tree["_v4"] == {"_absent": ["scope"]}


@pytest.mark.parametrize(
    "fields",
    [
        {"_v5": {"method": "GET"}, "method": "PUT"},
        {"_v5": {"meta": 5}},
        {"_v5": "text"},
        {"_v4": {"x": 1}, "_exact": {"y": 2}},
        {"_v5": {"_v4": {"_exact": {}}}},
        {"_v5": {"url": "x"}, "meta": {"id": "other"}},
        {"_v5": {"settings": {"encodeUrl": True}}, "settingEncodeUrl": False},
    ],
)
def test_contradictory_leftovers_are_kept_exactly(fields: dict[str, Any]) -> None:
    round_trip([workspace(), document("req_1", "request", **fields)])


@pytest.mark.parametrize("left", [{"type": "nonsense"}, {"type": 5}, {"collection": []}])
def test_contradictory_leftovers_of_a_workspace_too(left: Any) -> None:
    round_trip([workspace(_v5=left), document("req_1", "request")])


def test_an_exact_copy_does_not_hide_an_edit() -> None:
    documents = [workspace(), document("req_1", "request", _v5="text", name="Old")]
    record = make_record("a.yaml", FORM.name, documents)
    written = FORM.write(record, documents).decode()
    again = FORM.read(written.replace("name: Old", "name: New").encode(), "a.yaml")
    assert again.documents[1].body["name"] == "New"


def test_folders_deeper_than_any_tree_are_kept_flat() -> None:
    chain = [document("fld_0", "request_group")]
    chain += [document(f"fld_{n}", "request_group", parent=f"fld_{n - 1}") for n in range(1, 140)]
    tree = round_trip([workspace(), *chain])
    assert len(tree["_resources"]) == 40
