"""A file that can't be taken is refused whole, with the place and the way out."""

from __future__ import annotations

from typing import Any

import pytest

from sopor.errors import InvalidInput
from sopor.formats import FORMATS, FormatError, Limits
from sopor.formats.v4_json import V4Json
from sopor.formats.v4_yaml import V4Yaml
from sopor.formats.v5_yaml import V5Yaml

JSON_START = '{"_type":"export","__export_format":4,\n"resources":['
YAML_START = "_type: export\n__export_format: 4\nresources:\n"
V5_START = "type: collection.insomnia.rest/5.0\nmeta:\n  id: wrk_1\n"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (JSON_START + '{"_id":"a"', 2, "invalid JSON: Expecting ',' delimiter"),
        (JSON_START + "]}\nx", 3, "invalid JSON: extra text after the end"),
        ("[]", 1, "invalid JSON: expected '{'"),
        ("", 1, "invalid JSON: expected '{'"),
        ("{}", 1, "expected a list of resources"),
        ('{"a": 1,\n"a": 2}', 2, "expected a key that the object does not have yet"),
        ('{"a": 1,\n5: 2}', 2, "expected a key"),
        ('{"resources": {}}', 1, "invalid JSON: expected '['"),
        ('{"resources": []\n"x": 1}', 2, "invalid JSON: expected ','"),
        (JSON_START + '{"_id": "a",\n"b": {"c": 1, "c": 2}}]}', 3, "a key occurs twice"),
        (JSON_START + '{"_id": "a", "x":\n-Infinity}]}', 3, "-Infinity has no place in JSON"),
        (JSON_START + "5]}", 2, "expected an object, found a number"),
        (JSON_START + '\n{"_type": "request"}]}', 3, "_id must be a non-empty string"),
        (JSON_START + '{"_id": "a"}]}', 2, "_type must be a string"),
        (JSON_START + '{"_id": "a", "_type": "b", "parentId": {}}]}', 2, "parentId must be a"),
        (JSON_START + '{"_id": "a", "_type": "b", "x": 1e999}]}', 2, "the number inf has no place"),
        (JSON_START + '{"_id": "a", "_type": "b", "x": "\\ud800"}]}', 2, "a text holds half of"),
        (JSON_START + '{"_id": "a", "_type": "b", "x": ' + "[" * 100_000, 2, "nested too deeply"),
        (JSON_START + '{"_id": "a", "x": ' + "7" * 5000 + "}]}", 2, "a number has too many digits"),
    ],
)
def test_broken_json(text: str, line: int, reason: str) -> None:
    assert_refused(V4Json(), text, "exports/a.json", line, reason)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: [", 2, "invalid YAML"),
        ("[1]", 1, "expected an object with resources"),
        ("_type: export\n", 1, "expected a list of resources"),
        (YAML_START + "  - 5\n", 4, "expected an object, found a number"),
        (YAML_START + "  - _id: a\n    _type: b\n  - name: N\n", 6, "_id must be a non-empty"),
        (YAML_START + "  - _id: a\n    _id: b\n", 5, "the key '_id' occurs twice"),
        (YAML_START + "  - x: .inf\n", 4, ".inf has no place in JSON"),
    ],
)
def test_broken_v4_yaml(text: str, line: int, reason: str) -> None:
    assert_refused(V4Yaml(), text, "exports/a.yaml", line, reason)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("5", 1, "expected a type such as collection.insomnia.rest/5.0"),
        ("type: object", 1, "expected a type"),
        (V5_START + "collection: 5\n", 4, "expected a list"),
        (V5_START + "collection: text\n", 4, "expected a list"),
        (V5_START + "collection:\n  - 5\n", 5, "expected a mapping"),
        (V5_START + "collection:\n  - children: {a: 1}\n", 5, "expected a list"),
        (V5_START + "environments: [1]\n", 4, "expected a mapping"),
        (V5_START + "cookieJar: text\n", 4, "expected a mapping"),
        (V5_START + "_resources: text\n", 4, "_resources must be a list"),
        (V5_START + "_container: text\n", 4, "_container must be a mapping"),
        (V5_START + "_containerOrder: {a: 1}\n", 4, "_containerOrder must be a list"),
        (V5_START + "_resources:\n  - 5\n", 5, "expected an object, found a number"),
        (V5_START + "collection:\n  - name: A\n    meta:\n      id: 5\n", 7, "meta.id must be a"),
        (V5_START + 'collection:\n  - meta:\n      id: ""\n', 5, "_id must be a non-empty"),
        (V5_START + 'name: "\\x07"\ncollection:\n  - \u0085\n', 6, "expected a mapping"),
    ],
)
def test_broken_v5(text: str, line: int, reason: str) -> None:
    assert_refused(V5Yaml(), text, "main.yaml", line, reason)


def assert_refused(form: Any, text: str, path: str, line: int, reason: str) -> None:
    with pytest.raises(FormatError) as caught:
        form.read(text.encode(), path)
    error = caught.value
    assert error.reason.startswith(reason)
    assert (error.path, error.line) == (path, line)
    assert str(error).startswith(f"{path}:{line}")
    assert isinstance(error, InvalidInput)


def test_double_ids_name_both_places() -> None:
    text = YAML_START + "  - {_id: a, _type: x}\n  - {_id: b, _type: x}\n  - {_id: a, _type: y}\n"
    with pytest.raises(FormatError) as caught:
        V4Yaml().read(text.encode(), "a.yaml")
    assert caught.value.message == (
        "a.yaml:6: resources[2]: the id a is used twice, also by resources[0]"
    )
    assert caught.value.hint == "give one of the two another id"


def test_a_missing_id_is_told_by_place_and_name() -> None:
    text = JSON_START + '{"_id": "a", "_type": "b"},\n{"name": "Get user", "_type": "request"}]}'
    with pytest.raises(FormatError) as caught:
        V4Json().read(text.encode(), "a.json")
    assert caught.value.document == "resources[1] 'Get user'"
    assert caught.value.line == 3


def test_a_circle_of_parents_is_spelled_out() -> None:
    resources = "".join(
        f"  - {{_id: {name}, _type: request_group, parentId: {parent}}}\n"
        for name, parent in [("a", "b"), ("b", "c"), ("c", "b")]
    )
    with pytest.raises(FormatError, match="its parents form a cycle: b -> c -> b") as caught:
        V4Yaml().read((YAML_START + resources).encode(), "a.yaml")
    assert caught.value.line == 5


def test_a_v5_file_refuses_one_id_in_two_places() -> None:
    text = V5_START + (
        "collection:\n  - name: A\n    meta: {id: fld_1}\n    children:\n"
        "      - {method: GET, meta: {id: req_1}}\n  - {method: PUT, name: B, meta: {id: req_1}}\n"
    )
    with pytest.raises(FormatError) as caught:
        V5Yaml().read(text.encode(), "a.yaml")
    assert caught.value.document == "collection[1] 'B'"
    assert "also by collection[0].children[0]" in caught.value.reason
    assert caught.value.line == 9


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@pytest.mark.parametrize("marker", ["<<<<<<< HEAD", "=======", ">>>>>>> theirs", "||||||| base"])
def test_merge_markers_are_called_by_their_name(form: Any, marker: str) -> None:
    with pytest.raises(FormatError, match="the file holds merge markers") as caught:
        form.read(f"a: 1\nb: 2\r\n{marker}\n".encode(), "a")
    assert caught.value.line == 3
    assert caught.value.hint is not None


def test_equals_signs_in_a_text_are_no_marker() -> None:
    text = V5_START + "name: |\n  =======\n  Title\n  <<<<<<< x\n"
    assert V5Yaml().read(text.encode(), "a.yaml").documents[0].body["name"] is not None


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_file_that_is_too_large_or_not_utf_8_is_refused(form: Any) -> None:
    with pytest.raises(FormatError, match="the file has 101 bytes, at most 100 are allowed"):
        form.read(b"x" * 101, "a", Limits(file_bytes=100))
    with pytest.raises(FormatError, match="the file is not UTF-8") as caught:
        form.read(b"a: 1\nb: \xff\n", "a")
    assert caught.value.line == 2


@pytest.mark.parametrize("form", [V4Yaml(), V5Yaml()], ids=lambda form: form.name)
def test_an_alias_bomb_does_not_go_off(form: Any) -> None:
    bomb = "a0: &a0 lol\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
    )
    with pytest.raises(FormatError, match="its aliases expand to more than") as caught:
        form.read(bomb.encode(), "bomb.yaml")
    assert caught.value.line is not None


@pytest.mark.parametrize("said", [r'"\ud800": 1', r'"x": "\udfff"', '"x": 1e999'])
def test_what_a_file_says_of_itself_is_text_and_numbers_as_well(said: str) -> None:
    with pytest.raises(FormatError, match=r"a\.json: the file: ") as caught:
        V4Json().read((JSON_START + "]," + said + "}").encode(), "a.json")
    assert caught.value.document == "the file"


def test_an_error_without_a_line_still_names_the_file() -> None:
    error = FormatError("is wrong", path="a.yaml", document="x")
    assert str(error) == "a.yaml: x: is wrong"
    assert (error.line, error.column, error.hint) == (None, None, None)
