"""Files of one document each: the document's place in a tree says where its file is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sopor.formats import FormatError, recognise
from sopor.formats.documents_json import DocumentsJson
from sopor.formats.trees import is_tree, path_in_tree, tree_record
from sopor.formats.types import ID_PREFIXES, type_key, type_name
from sopor.model.document import Document, DocumentId

FORM = DocumentsJson()
REQUEST: Any = {
    "_id": "req_ab12",
    "type": "Request",
    "parentId": "fld_1",
    "url": "http://x/é",
    "headers": [{"value": "b", "name": "a"}],
}


def encoded(value: Any) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def test_the_name_of_a_type_becomes_its_key() -> None:
    content = FORM.read(encoded(REQUEST), "Request/ab/req_ab12.json")
    body = {key: value for key, value in REQUEST.items() if key != "type"}
    assert [item.body for item in content.documents] == [body | {"_type": "request"}]


@pytest.mark.parametrize(
    ("path", "folder", "pattern"),
    [
        ("Request/ab/req_ab12.json", ".", "{type}/{shard}/{id}.json"),
        ("Request/req_ab12.json", ".", "{type}/{id}.json"),
        ("a/b/Request/ab/req_ab12.json", "a/b", "{type}/{shard}/{id}.json"),
        ("a/Request/req_ab12.json", "a", "{type}/{id}.json"),
    ],
)
def test_every_file_of_a_tree_has_the_record_of_the_tree(
    path: str, folder: str, pattern: str
) -> None:
    content = FORM.read(encoded(REQUEST), path)
    assert content.in_tree
    assert is_tree(content.record)
    assert content.record == tree_record(folder, pattern)
    assert content.record.body == {
        "_id": content.record.id,
        "_type": "sopor_file",
        "path": folder,
        "format": "documents.json",
        "pattern": pattern,
    }
    assert path_in_tree(content.record, content.documents[0]) == path


@pytest.mark.parametrize("path", ["req_ab12.json", "Request/xx/req_ab12.json", "Workspace/w.json"])
def test_a_file_elsewhere_has_a_record_of_its_own(path: str) -> None:
    content = FORM.read(encoded(REQUEST), path)
    assert not content.in_tree
    assert content.record.body["path"] == path
    assert content.record.body["extras"] == ["req_ab12"]


def test_bytes_are_those_of_the_tools_that_write_such_trees() -> None:
    data = encoded(REQUEST)
    content = FORM.read(data, "Request/req_ab12.json")
    assert FORM.write(content.record, content.documents) == data


def test_an_existing_file_keeps_its_style() -> None:
    text = '\ufeff{"type" : "Request", "_id":"req_ab12",\r\n "b": 1, "a": {"z": 1, "y": 2}}\r\n\r\n'
    content = FORM.read(text.encode(), "x.json")
    assert FORM.write(content.record, content.documents, (), text.encode()) == text.encode()
    body: Any = {**content.documents[0].body, "a": {"y": 3, "z": 1}, "c": None}
    changed = Document(DocumentId("req_ab12"), "request", body)
    assert FORM.write(content.record, [changed], (), text.encode()).decode() == (
        '\ufeff{\r\n  "type": "Request",\r\n  "_id": "req_ab12",\r\n  "b": 1,\r\n'
        '  "c": null,\r\n  "a": {\r\n    "z": 1,\r\n    "y": 3\r\n  }\r\n}\r\n\r\n'
    )


def test_a_cookie_jar_stays_local() -> None:
    data = encoded({"_id": "jar_1", "type": "CookieJar", "parentId": "wrk_1", "cookies": []})
    content = FORM.read(data, "CookieJar/jar_1.json")
    assert content.documents == ()
    assert [item.type for item in content.local] == ["cookie_jar"]
    assert FORM.write(content.record, (), content.local) == data


def test_both_keys_of_a_type_survive() -> None:
    data = encoded({**REQUEST, "_type": "request"})
    content = FORM.read(data, "Request/req_ab12.json")
    assert content.documents[0].body == {**REQUEST, "_type": "request"}
    assert FORM.write(content.record, content.documents) == data
    odd = encoded({**REQUEST, "_type": "request", "type": ["odd"]})
    assert FORM.write(content.record, FORM.read(odd, "x.json").documents) == odd


def test_types_and_ids_that_are_no_file_names_get_one() -> None:
    record = tree_record("t", "{type}/{shard}/{id}.json")
    for identity, kind in [
        ("../../x", "request"),
        ("req_a/b", "../up"),
        ("a" * 200, ""),
        (".", "x"),
    ]:
        document = Document(DocumentId(identity), kind, {"_id": identity, "_type": kind})
        path = path_in_tree(record, document)
        assert path.count("/") == 3
        assert ".." not in path
        content = FORM.read(FORM.write(record, [document]), path)
        assert content.record == record
        assert content.documents == (document,)


def test_a_shard_is_two_letters_after_the_prefix() -> None:
    record = tree_record(".", "{type}/{shard}/{id}.json")
    shards = {
        identity: path_in_tree(
            record, Document(DocumentId(identity), "request", {"_id": identity, "_type": "request"})
        ).split("/")[1]
        for identity in ("req_ab12", "mock-route_cd3", "plain", "req_.x", "req_a")
    }
    assert shards["req_ab12"] == "ab"
    assert shards["mock-route_cd3"] == "cd"
    assert shards["plain"] == "pl"
    assert all(len(shard) == 2 and shard.isalnum() for shard in shards.values())


@pytest.mark.parametrize("key", sorted(ID_PREFIXES))
def test_known_types_have_insomnias_names(key: str) -> None:
    names = {"mock": "MockServer", "socketio_request": "SocketIORequest"}
    names |= {"websocket_payload": "WebSocketPayload", "request_group": "RequestGroup"}
    if key in names:
        assert type_name(key) == names[key]
    assert type_key(type_name(key)) == key
    assert type_name(key).isalpha()


@pytest.mark.parametrize(
    ("path", "value", "taken"),
    [
        ("x.json", REQUEST, True),
        ("Request/req_ab12.json", {"_id": "req_ab12", "type": "Request"}, True),
        ("users/1.json", {"_id": "1", "type": "admin", "parentId": "x"}, False),
        ("x.json", {"_id": "1", "type": "Request"}, False),
        ("x.json", {"_id": 1, "type": "Request", "parentId": "x"}, False),
        ("x.json", {"_id": "1", "type": 5, "parentId": "x"}, False),
        ("x.json", {"inner": {"_id": "1", "type": "Request", "parentId": "x"}}, False),
        ("x.json", [REQUEST], False),
        ("x.yaml", REQUEST, False),
        ("package.json", {"name": "x", "type": "module"}, False),
    ],
)
def test_only_documents_are_taken(path: str, value: Any, taken: bool) -> None:
    assert (recognise(path, encoded(value)) is not None) == taken


def test_a_broken_file_in_a_tree_is_not_overlooked() -> None:
    broken = b'<<<<<<< ours\n{"_id": "req_1", "type": "Request"}\n'
    marked = recognise("Request/req_1.json", broken)
    assert marked is not None
    with pytest.raises(FormatError, match="merge markers"):
        marked.read(broken, "Request/req_1.json")
    half = encoded(REQUEST)[:-10]
    found = recognise("Request/req_ab12.json", half)
    assert found is not None
    with pytest.raises(FormatError, match="invalid JSON"):
        found.read(half, "Request/req_ab12.json")
    assert recognise("other/place.json", half) is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"[]", "expected one document as an object"),
        (b'{"_id": "a"}', "type must be a string"),
        (b'{"_id": "a", "type": 5}', "type must be a string"),
        (b'{"_id": "a", "type": "Request", "_type": 5}', "type must be a string"),
        (b'{"_id": "", "type": "Request"}', "_id must be a non-empty string"),
        (b'{"_id": "a", "type": "Request", "parentId": "a"}', "its parents form a cycle"),
        (b'{"_id": "a", "type": "Request"} x', "invalid JSON: extra text"),
    ],
)
def test_what_is_no_document_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError) as caught:
        FORM.read(data, "Request/a.json")
    assert caught.value.reason.startswith(reason)
    assert caught.value.line == 1


def test_a_file_holds_one_document() -> None:
    content = FORM.read(encoded(REQUEST), "x.json")
    with pytest.raises(FormatError, match="expected one document, not 0"):
        FORM.write(content.record, ())
    other = Document(DocumentId("b"), "request", {"_id": "b", "_type": "request"})
    with pytest.raises(FormatError, match="expected one document, not 2"):
        FORM.write(content.record, [other], content.documents)
