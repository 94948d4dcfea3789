"""Whatever is sent to a route, it answers as the OpenAPI document says, and does not fail.

Requests are genuine ones with something changed, and bodies made of the document's own schemas.
`make fuzz` and `make api-fuzz` go on for longer.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sopor_core.wire.problems import MEANINGS, Code
from sopor_core.wire.routes import ROUTES, Operation, Route
from tests.fuzz.serving import answer_request, requests, served
from tests.support.documented import check_answer, document

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.floats(),
    st.text(max_size=50),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)
WITH_BODY = [
    each.operation
    for each in ROUTES
    if "application/json"
    in document()["paths"][each.path][each.method.lower()].get("requestBody", {}).get("content", {})
]


@cache
def genuine(route: Route) -> list[bytes]:
    """Returns the requests to a route that the fuzzer begins with."""
    return [each for each in requests() if ROUTES[each[0]] == route]


def of_schema(schema: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Draws what a schema of the document allows, its bounds on lengths included."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return of_schema(document()["components"]["schemas"][name], depth)
    if "anyOf" in schema:
        return st.one_of([of_schema(each, depth) for each in schema["anyOf"]])
    kind = schema.get("type")
    if kind == "string":
        return st.text(
            min_size=schema.get("minLength", 0), max_size=min(schema.get("maxLength", 90), 90)
        )
    if kind == "integer":
        return st.integers(schema.get("minimum"), schema.get("maximum"))
    if kind == "object" and "properties" in schema:
        needed = set(schema.get("required", ()))
        members = {name: of_schema(each, depth + 1) for name, each in schema["properties"].items()}
        return st.fixed_dictionaries(
            {name: each for name, each in members.items() if name in needed},
            optional={name: each for name, each in members.items() if name not in needed},
        )
    return st.none() if kind == "null" else st.dictionaries(st.text(max_size=9), ODD, max_size=4)


def changed(value: Any, data: st.DataObject) -> Any:
    """Puts something odd, or nothing, in the place of a part of a value."""
    if not isinstance(value, dict) or not value or data.draw(st.integers(0, 3)) == 0:
        return data.draw(ODD)
    name = data.draw(st.sampled_from(sorted(value)))
    if data.draw(st.integers(0, 4)) == 0:
        return {key: item for key, item in value.items() if key != name}
    return {**value, name: changed(value[name], data)}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: str(route.operation))
def test_a_genuine_request_is_answered_as_documented(route: Route) -> None:
    assert genuine(route)
    assert [answer_request(each) for each in genuine(route)]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: str(route.operation))
@given(data=st.data())
def test_a_damaged_request_is_answered_as_documented(route: Route, data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(genuine(route)))
    start = data.draw(st.integers(1, len(whole)))
    end = data.draw(st.integers(start, min(start + 30, len(whole))))
    answer_request(whole[:start] + data.draw(st.binary(max_size=30)) + whole[end:])


@pytest.mark.parametrize("operation", WITH_BODY)
@given(data=st.data())
def test_any_json_is_answered_as_documented(operation: Operation, data: st.DataObject) -> None:
    route = next(each for each in ROUTES if each.operation == operation)
    content = document()["paths"][route.path][route.method.lower()]["requestBody"]["content"]
    if data.draw(st.booleans()):
        body = data.draw(of_schema(content["application/json"]["schema"]))
    else:
        (whole,) = genuine(route)
        body = changed(json.loads(whole.split(b"\n", 3)[3]), data)
    answer = served().send(
        operation, token=served().token(), body=json.dumps(body, ensure_ascii=True).encode()
    )
    check_answer(operation, answer.status_code, answer.mimetype or "", answer.get_data())


@pytest.mark.parametrize(
    ("status", "media_type", "body"),
    [
        (500, "application/problem+json", {"code": "internal"}),
        (418, "application/problem+json", {"code": "malformed"}),
        (400, "application/json", {"code": "malformed"}),
        (400, "application/problem+json", {"code": "unheard-of"}),
        (404, "application/problem+json", {"code": "malformed"}),
        (400, "application/problem+json", {"code": "malformed", "detail": ""}),
        (200, "text/html", {}),
        (200, "application/json", {"expires_in": "soon"}),
    ],
)
def test_other_answers_would_be_noticed(
    status: int, media_type: str, body: dict[str, object]
) -> None:
    title = MEANINGS[Code.MALFORMED].title
    whole = {"title": title, "status": status, "detail": "why", "request_id": "x", **body}
    with pytest.raises((AssertionError, ValueError)):
        check_answer(Operation.LOGIN, status, media_type, json.dumps(whole).encode())
