"""Texts are written as Insomnia's YAML library writes them."""

from __future__ import annotations

from typing import Any

import pytest

from sopor.formats.yaml_read import parse_yaml
from sopor.formats.yaml_write import emit_yaml

LONG = "Issues a new token. The token is valid for 24 hours; pass it to all of the other requests."


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain"),
        ("with, comma", "with, comma"),
        ("http://localhost:8000/api/", "http://localhost:8000/api/"),
        ("", '""'),
        ("{{ _.url }}", '"{{ _.url }}"'),
        ('{"a": 1}', "'{\"a\": 1}'"),
        ("""{'a': "b"}""", '''"{'a': \\"b\\"}"'''),
        ("key: value", '"key: value"'),
        ("it's", "it's"),
        ("'quoted'", "\"'quoted'\""),
        ('"quoted"', "'\"quoted\"'"),
        ("- item", '"- item"'),
        ("-", '"-"'),
        ("-x", "-x"),
        ("ends:", '"ends:"'),
        ("a #b", '"a #b"'),
        ("a#b", "a#b"),
        (" lead", '" lead"'),
        ("trail ", '"trail "'),
        ("true", '"true"'),
        ("~", '"~"'),
        ("yes", "yes"),
        ("12", '"12"'),
        ("1.0", '"1.0"'),
        ("0o17", '"0o17"'),
        ("2024-01-01", "2024-01-01"),
        ("tab\there", "tab\there"),
        ("bell\x07", '"bell\\a"'),
        ("cr\r", '"cr\\r"'),
        ("\x01", '"\\x01"'),
        ("a\nb", "|-\n  a\n  b"),
        ("a\nb\n", "|\n  a\n  b"),
        ("a\nb\n\n", "|+\n  a\n  b\n"),
        ("  a\nb", "|2-\n    a\n  b"),
        ("\n\na\n", "|\n  \n\n  a"),
        ("\n", '"\\n"'),
        ("a\n  ", '"a\\n  "'),
        ('{\n\t"x": 1\n}', '|-\n  {\n  \t"x": 1\n  }'),
    ],
)
def test_short_texts(text: str, written: str) -> None:
    assert emit_yaml({"k": text}) == f"k: {written}\n"
    assert parse_yaml(emit_yaml({"k": text})) == {"k": text}


def test_long_texts_are_folded_at_80_columns() -> None:
    assert emit_yaml({"description": LONG}) == (
        "description: Issues a new token. The token is valid for 24 hours; pass it to all\n"
        "  of the other requests.\n"
    )
    assert emit_yaml({"meta": {"description": f"Note: {LONG}"}}) == (
        "meta:\n"
        '  description: "Note: Issues a new token. The token is valid for 24 hours; pass it\n'
        '    to all of the other requests."\n'
    )
    assert emit_yaml({"k": f'{{"text": "{LONG}"}}'}) == (
        'k: \'{"text": "Issues a new token. The token is valid for 24 hours; pass it to\n'
        "  all of the other requests.\"}'\n"
    )
    assert emit_yaml([{"k": f"Title\n\n{LONG}\n"}]) == (
        "- k: >\n    Title\n\n\n"
        "    Issues a new token. The token is valid for 24 hours; pass it to all of the\n"
        "    other requests.\n"
    )


def test_a_block_with_a_line_that_cant_be_folded_stays_literal() -> None:
    address = "https://" + "x" * 90
    assert emit_yaml({"k": f"{LONG}\n{address}"}) == f"k: |-\n  {LONG}\n  {address}\n"


def test_lines_of_only_spaces_are_never_folded_into_others() -> None:
    text = f"{LONG}\n  \n{LONG}\n    {LONG}\n"
    assert parse_yaml(emit_yaml({"k": text})) == {"k": text}


def test_emoji_are_not_torn_apart() -> None:
    value: dict[str, Any] = {"k": "\x01" + "😀" * 90, "l": ["😀 " * 60 + "\n" + "😀 " * 60]}
    assert parse_yaml(emit_yaml(value)) == value


@pytest.mark.parametrize("depth", [0, 20, 29, 40])
def test_quoted_text_without_spaces_is_broken_where_it_reads_back(depth: int) -> None:
    texts = ["\x01" * 60, "\x01" + "x" * 200, "\\" * 150 + "\x7f", "\x01" + " \t " * 60 + "x"]
    value: Any = texts
    for _ in range(depth):
        value = {"k": value}
    written = emit_yaml(value)
    assert parse_yaml(written) == value
    assert depth or max(map(len, written.splitlines())) <= 82


def test_keys_of_any_text() -> None:
    keys = ["200", "a: b", "", "with\nbreak", "'", "---", "k" * 1025, "{x}", "\ufeff", "true"]
    value: dict[str, Any] = {key: {"in": [key]} for key in keys}
    written = emit_yaml(value)
    assert written.startswith('"200":\n  in:\n    - "200"\n"a: b":\n')
    assert '\n"---":\n' in written
    assert f"\n? {'k' * 1025}\n: in:\n" in written
    assert parse_yaml(written) == value


def test_structure() -> None:
    value: dict[str, Any] = {"a": {}, "b": [], "c": [[1, [2]], {"d": None, "e": True}], "f": -1.5}
    assert emit_yaml(value) == (
        "a: {}\nb: []\nc:\n  - - 1\n    - - 2\n  - d: null\n    e: true\nf: -1.5\n"
    )


@pytest.mark.parametrize("value", ["---", "text", "", None, 5, [], {}, "\ufeffx", "a\nb"])
def test_a_single_value(value: Any) -> None:
    assert parse_yaml(emit_yaml(value)) == value


def test_a_number_without_a_place_in_json_is_refused() -> None:
    with pytest.raises(ValueError, match="has no place in JSON"):
        emit_yaml([float("nan")])
