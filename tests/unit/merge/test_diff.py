"""What has changed in a document, told field by field, line by line, word by word."""

from __future__ import annotations

import json

import pytest

from sopor.merge.algebra import ABSENT
from sopor.merge.diff import Change, ChangeKind, diff_documents
from sopor.merge.lines import Piece, diff_lines, diff_words
from sopor.merge.paths import (
    ElementKey,
    Path,
    format_path,
    parse_path,
    replace_at,
    value_at,
)
from sopor.model.document import Json
from sopor_core.errors import InvalidValue
from tests.unit.merge.stories import header, request


def told(before: dict[str, Json], after: dict[str, Json]) -> list[str]:
    """Returns the kinds and paths of the changes from one request to another one."""
    changes = diff_documents(request(**before), request(**after))
    return [f"{change.kind} {format_path(change.path)}" for change in changes]


def test_fields_are_added_removed_and_changed() -> None:
    assert told({"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 2, "d": 1}) == [
        "changed b",
        "removed c",
        "added d",
    ]
    assert told({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": True}}}) == ["changed a.b.c"]


def test_a_header_in_front_of_others_is_one_addition() -> None:
    assert told({"h": [header("A")]}, {"h": [header("B"), header("A")]}) == ["added h[B]"]


def test_headers_that_change_places() -> None:
    a, b, c = header("A"), header("B"), header("C")
    (change,) = diff_documents(request(h=[a, b, c]), request(h=[c, a, header("D"), b]))[1:]
    assert change == Change(("h",), ["A", "B", "C"], ["C", "A", "B"], ChangeKind.MOVED)


def test_plain_lists_tell_places() -> None:
    assert told({"x": [1, 2, 3, 4]}, {"x": [1, 3, 5, 6]}) == [
        "removed x[1]",
        "changed x[2]",
        "added x[3]",
    ]
    assert told({"x": [[1], 2]}, {"x": [[1, 7], 2]}) == ["added x[0][1]"]
    assert told({"x": [1, 2, 3]}, {"x": [1]}) == ["removed x[1]", "removed x[2]"]
    assert told({"x": [1]}, {"x": [1, 2, 3]}) == ["added x[1]", "added x[2]"]


def test_a_new_document_and_a_deleted_one() -> None:
    body = request(a=1).body
    assert diff_documents(None, request(a=1)) == (Change((), ABSENT, body, ChangeKind.ADDED),)
    assert diff_documents(request(a=1), None) == (Change((), body, ABSENT, ChangeKind.REMOVED),)
    assert diff_documents(None, None) == ()


def test_a_change_as_json() -> None:
    changes = diff_documents(request(h=[header("A"), header("B")]), request(h=[header("A", None)]))
    assert json.loads(json.dumps([change.to_json() for change in changes])) == [
        {"path": "h[A].value", "kind": "changed", "before": "1", "after": None},
        {"path": "h[B]", "kind": "removed", "before": {"name": "B", "value": "1"}},
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("url",), "url"),
        (("headers", ElementKey("User-Agent"), "value"), "headers[User-Agent].value"),
        (("a", 3, 0), "a[3][0]"),
        (("a", ElementKey("3")), 'a["3"]'),
        (("data", "base.url"), 'data."base.url"'),
        (("data", ""), 'data.""'),
        (("x", ElementKey('say "hi"')), 'x["say \\"hi\\""]'),
        (("a b", "ü"), "a b.ü"),
    ],
)
def test_paths_as_text(path: Path, text: str) -> None:
    assert format_path(path) == text
    assert parse_path(text) == path


@pytest.mark.parametrize("text", ["a..b", "a[", "a]b", "[]", ".a", 'a."b', 'a."\\x"', "a.[b]"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="not a path"):
        parse_path(text)


def test_an_element_is_found_by_id_where_there_are_ids_else_by_name() -> None:
    by_id: Json = {"x": [header("p2", id="p1"), header("a", id="p2")]}
    assert value_at(by_id, parse_path("x[p2].name")) == "a"
    by_name: Json = {"x": [header("b", id="a"), header("a")]}
    assert value_at(by_name, parse_path("x[a]")) == header("a")
    assert value_at(by_name, parse_path("x[c]")) is ABSENT
    assert value_at(by_name, parse_path("x[1]")) == header("a")
    assert value_at(by_name, parse_path("x[2]")) is ABSENT
    assert value_at(by_name, parse_path("x.y")) is ABSENT
    assert value_at(by_name, parse_path("x[a].value.more")) is ABSENT


def test_a_value_is_replaced_without_touching_the_old_document() -> None:
    before = request(h=[header("A"), header("B")], deep={"x": [1, 2]}).body
    after = replace_at(before, parse_path("h[A].value"), "2")
    after = replace_at(after, parse_path("deep.x[1]"), 3)
    after = replace_at(after, parse_path("h[B]"), ABSENT)
    assert after == request(h=[header("A", "2")], deep={"x": [1, 3]}).body
    assert before == request(h=[header("A"), header("B")], deep={"x": [1, 2]}).body
    assert replace_at(before, ("new",), 1)["new"] == 1
    assert replace_at(before, ("new",), ABSENT) == before


@pytest.mark.parametrize("path", ["h[C].value", "h[9]", "no.way", "name.x", ""])
def test_a_place_that_does_not_exist_cannot_be_replaced(path: str) -> None:
    with pytest.raises(InvalidValue):
        replace_at(request(name="a", h=[header("A")]).body, parse_path(path), 1)


def test_lines_with_some_around_them() -> None:
    before = "".join(f"line {number}\n" for number in range(20))
    after = before.replace("line 3\n", "line three\n").replace("line 17\n", "")
    first, second = diff_lines(before, after, context=1)
    assert (first.before_start, first.after_start) == (2, 2)
    assert [line.sign + line.text for line in first.lines] == [
        " line 2\n",
        "-line 3\n",
        "+line three\n",
        " line 4\n",
    ]
    assert [line.sign + line.text for line in second.lines] == [
        " line 16\n",
        "-line 17\n",
        " line 18\n",
    ]
    assert diff_lines(before, before) == ()


def test_the_words_that_differ_in_a_line() -> None:
    old, new = diff_words("GET /users?page=1", "GET /users?page=2&size=9")
    assert old == (Piece("GET /users?page=", changed=False), Piece("1", changed=True))
    assert new == (Piece("GET /users?page=", changed=False), Piece("2&size=9", changed=True))


def test_lines_with_little_in_common_are_not_picked_apart() -> None:
    assert diff_words("abc def", "x y z u v") == (
        (Piece("abc def", changed=True),),
        (Piece("x y z u v", changed=True),),
    )


def test_a_hunk_as_json() -> None:
    (hunk,) = diff_lines("a b c\n", "a b d\n")
    assert json.loads(json.dumps(hunk.to_json())) == {
        "before": 0,
        "after": 0,
        "lines": [
            {"sign": "-", "pieces": [piece("a b "), piece("c", True), piece("\n")]},
            {"sign": "+", "pieces": [piece("a b "), piece("d", True), piece("\n")]},
        ],
    }


def piece(text: str, changed: bool = False) -> dict[str, object]:
    return {"text": text, "changed": changed}
