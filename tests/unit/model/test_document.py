"""What is a document, what is refused as one, and what stays on the machine."""

from __future__ import annotations

from typing import Any

import pytest

from sopor.model.document import (
    Document,
    DocumentError,
    DocumentId,
    is_local,
    parent_of,
    split_local,
)


def document(identity: str, kind: str = "request", **fields: Any) -> Document:
    return Document.from_json({"_id": identity, "_type": kind, **fields}, "test")


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


def test_a_document_keeps_the_whole_object() -> None:
    body: Any = {"_id": "req_1", "_type": "request", "future": {"n": 10**60, "x": [1.5, None]}}
    made = Document.from_json(body, "a.json")
    assert (made.id, made.type, made.body) == ("req_1", "request", body)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "expected an object, found nothing"),
        ([], "expected an object, found a list"),
        ({}, "_id must be a non-empty string, found nothing"),
        ({"_id": ""}, "_id must be a non-empty string, found an empty string"),
        ({"_id": 5}, "_id must be a non-empty string, found a number"),
        ({"_id": "a" * 201, "_type": "t"}, "_id has 201 characters, at most 200 are allowed"),
        ({"_id": "a\nb", "_type": "t"}, "_id holds a control character"),
        ({"_id": "a\ud800", "_type": "t"}, "_id holds a control character"),
        ({"_id": "a"}, "_type must be a string, found nothing"),
        ({"_id": "a", "_type": True}, "_type must be a string, found a boolean"),
        ({"_id": "a", "_type": "b", "parentId": 5}, "parentId must be a string, found a number"),
        ({"_id": "a", "_type": "t", "x": float("nan")}, "the number nan has no place in JSON"),
        ({"_id": "a", "_type": "t", "x": [float("-inf")]}, "the number -inf has no place in JSON"),
        ({"_id": "a", "_type": "t", "x": "\ud83d"}, "a text holds half of a surrogate pair"),
        ({"_id": "a", "_type": "t", "\udc00": 1}, "a text holds half of a surrogate pair"),
        ({"_id": "a", "_type": "t", "x": {1: 2}}, "the key 1 is not a string"),
        ({"_id": "a", "_type": "t", "x": {2}}, "a set is not a JSON value"),
        ({"_id": "a", "_type": "t", "x": nested(100)}, "nested deeper than 100 levels"),
    ],
)
def test_what_is_no_document_is_refused_with_its_place(value: Any, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        Document.from_json(value, "resources[3]")
    assert caught.value.reason == reason
    assert caught.value.message.startswith("resources[3]")


def test_a_hundred_levels_and_long_ids_are_fine() -> None:
    assert document("é" * 200, x=nested(99)).id == "é" * 200


def test_parents_are_ids() -> None:
    assert parent_of(document("a", parentId="wrk_1")) == "wrk_1"
    assert [parent_of(document("a", parentId=value)) for value in (None, "")] == [None] * 2
    assert parent_of(document("a")) is None


def test_cookies_and_private_environments_are_local() -> None:
    assert is_local(document("jar_1", "cookie_jar"))
    assert is_local(document("env_1", "environment", isPrivate=True))
    assert not is_local(document("env_1", "environment", isPrivate=False))
    assert not is_local(document("env_1", "environment", isPrivate="yes"))
    assert not is_local(document("req_1", isPrivate=True))


def test_what_lies_below_something_private_is_local() -> None:
    documents = [
        document("env_2", "environment", parentId="env_1"),
        document("wrk_1", "workspace"),
        document("env_3", "environment", parentId="wrk_1"),
        document("env_1", "environment", parentId="wrk_1", isPrivate=True),
        document("x_1", "future", parentId="env_2"),
    ]
    shared, local = split_local(documents)
    assert [item.id for item in shared] == ["wrk_1", "env_3"]
    assert [item.id for item in local] == ["env_2", "env_1", "x_1"]


def test_a_cycle_of_parents_does_not_hang() -> None:
    documents = [document("a", parentId="b"), document("b", parentId="a")]
    assert split_local(documents) == (tuple(documents), ())
    assert documents[0].id == DocumentId("a")
