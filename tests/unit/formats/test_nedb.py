"""Insomnia's data folder: the last line about a document counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sopor.formats import FormatError
from sopor.formats.imports.nedb import import_data_folder, is_data_file

W = {"_id": "wrk_1", "type": "Workspace", "parentId": "proj_1", "name": "W"}


def lines(*values: Any) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def test_later_lines_replace_and_remove() -> None:
    data = lines(
        {"$$indexCreated": {"fieldName": "parentId", "unique": False, "sparse": False}},
        {"_id": "req_1", "type": "Request", "parentId": "wrk_1", "name": "old"},
        {"_id": "req_2", "type": "Request", "parentId": "wrk_1", "name": "gone"},
        {"$$deleted": True, "_id": "req_2"},
        {"_id": "req_1", "type": "Request", "parentId": "wrk_1", "at": {"$$date": 5}},
        {"_id": "req_3", "$$deleted": True},
        {"_id": "req_3", "type": "Request", "parentId": "wrk_1"},
    )
    made = import_data_folder({"a/insomnia.Request.db": data, "a/insomnia.Workspace.db": lines(W)})
    assert {item.id: item.body for item in made.documents} == {
        "req_1": {"_id": "req_1", "_type": "request", "parentId": "wrk_1", "at": 5},
        "req_3": {"_id": "req_3", "_type": "request", "parentId": "wrk_1"},
        "wrk_1": {"_id": "wrk_1", "_type": "workspace", "parentId": None, "name": "W"},
    }
    assert made.notes == ()


def test_types_have_their_other_names() -> None:
    kinds = ("WebSocketRequest", "MockServer", "RequestGroup", "McpRequest", "SocketIOPayload")
    values = [{"_id": f"{kind}_1", "type": kind, "parentId": "wrk_1"} for kind in kinds]
    made = import_data_folder({"insomnia.X.db": lines(*values)})
    assert {item.type for item in made.documents} == {
        *("websocket_request", "mock", "request_group", "mcp_request", "socketio_payload")
    }


def test_what_belongs_to_the_machine_stays_there() -> None:
    token = {"_id": "oa2_1", "type": "OAuth2Token", "accessToken": "t0p-s3cr3t"}
    made = import_data_folder({"insomnia.OAuth2Token.db": lines(token, {**token, "_id": "oa2_2"})})
    assert made.documents == ()
    assert made.notes == ("2 of type OAuth2Token left where they are: they belong to that machine",)
    assert "t0p" not in repr(made)


def test_a_line_that_was_being_written_is_left_out() -> None:
    data = lines(W) + b'{"_id":"wrk_1","type":"Works'
    made = import_data_folder({"insomnia.Workspace.db": data})
    assert [item.body["name"] for item in made.documents] == ["W"]
    assert made.notes == ("insomnia.Workspace.db:2: the last line was cut off and is left out",)


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (lines(W) + b"{broken\n" + lines(W), 2, "invalid JSON"),
        (lines(W, [1]), 2, "expected an object with an _id"),
        (lines(W, {"type": "Request"}), 2, "expected an object with an _id"),
        (lines(W, {"_id": 7}), 2, "expected an object with an _id"),
        (b"<<<<<<< a\n" + lines(W), 1, "the file holds merge markers"),
        (b"\xff\n", 1, "the file is not UTF-8"),
        (lines({**W, "type": "Request", "parentId": "wrk_1"}), 1, "its parents form a cycle"),
    ],
)
def test_what_is_broken_is_refused_with_its_line(data: bytes, line: int, reason: str) -> None:
    with pytest.raises(FormatError) as caught:
        import_data_folder({"insomnia.Workspace.db": data})
    assert caught.value.reason.startswith(reason)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("name", "taken"),
    [("insomnia.Request.db", True), ("insomnia.db", False), ("x.Request.db", False)],
)
def test_names_of_data_files(name: str, taken: bool) -> None:
    assert is_data_file(name) == taken
