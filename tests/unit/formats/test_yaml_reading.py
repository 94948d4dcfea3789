"""YAML means what it means to Insomnia's parser, and no file can hurt the reader."""

from __future__ import annotations

from typing import Any

import pytest

from sopor.formats.base import Limits
from sopor.formats.scalars import js_number
from sopor.formats.yaml_read import YamlError, parse_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(word, word) for word in ("yes", "no", "on", "Off", "y", "nUll", "tRUE", "=", "<<")],
        *[(word, word) for word in ("1_000", "12:30:45", "2024-01-01", "0b1", "0o8", "+0x1", "1e")],
        *[(word, word) for word in (".", "+", "1.2.3", "0x", "\u0661")],
        *[(word, None) for word in ("", "~", "null", "Null", "NULL")],
        *[(word, True) for word in ("true", "True", "TRUE")],
        *[(word, False) for word in ("false", "False", "FALSE")],
        *[("12", 12), ("-0", 0), ("+7", 7), ("007", 7), ("0o17", 15), ("0xFf", 255)],
        *[("1.50", 1.5), (".5", 0.5), ("1.", 1), ("-1e3", -1000), ("6.02E+2", 602)],
        ("9" * 60, int("9" * 60)),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("!!int 12", 12),
        ("'12'", "12"),
        ('"\\x41\\u00e9\\N\\L\\/"', "Aé\x85\u2028/"),
    ],
)
def test_a_plain_scalar_is_resolved_by_the_core_schema_of_1_2(text: str, value: Any) -> None:
    parsed = parse_yaml(f"k: {text}\n")
    assert parsed == {"k": value}
    assert isinstance(parsed, dict)
    assert isinstance(parsed["k"], bool) == isinstance(value, bool)


def test_keys_become_strings_as_in_javascript() -> None:
    text = '200: a\n1.0: b\n0x1F: c\ntrue: d\n~: e\n"x": f\n1e21: g\n<<: h\n'
    keys = ["200", "1", "31", "true", "", "x", "1e+21", "<<"]
    assert parse_yaml(text) == dict(zip(keys, "abcdefgh", strict=True))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *[
            (0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (10**30, f"1{'0' * 30}"),
        ],
        *[(1e20, "100000000000000000000"), (1e21, "1e+21"), (1.25e22, "1.25e+22")],
        *[(1e-6, "0.000001"), (1e-7, "1e-7"), (1.5e-9, "1.5e-9"), (5e-324, "5e-324")],
        (-1748881859977.5, "-1748881859977.5"),
        (123456789.125, "123456789.125"),
    ],
)
def test_numbers_print_as_in_javascript(number: float, text: str) -> None:
    assert js_number(number) == text


def test_raw_characters_that_libyaml_mistreats_are_text() -> None:
    text = (
        "a: x\u2028y\nb: |\n  one\x85two\n  three\x07\nc: '\u2029 \x7f'\nd: \"\ufeff\"\ne: u\rv\n"
    )
    expected = {"a": "x\u2028y", "b": "one\x85two\nthree\x07\n", "c": "\u2029 \x7f"}
    assert parse_yaml("\ufeff" + text) == expected | {"d": "\ufeff", "e": "u\rv"}


def test_blocks_may_begin_with_a_tab() -> None:
    assert parse_yaml("a: |\n  \tx\n  y\n") == {"a": "\tx\ny\n"}
    assert parse_yaml("- - k: >-\r\n\r\n      \tx\r\n      y z\r\n") == [[{"k": "\n\tx\ny z"}]]
    assert parse_yaml("- >\n  \tx\n  y\n  z\n") == ["\tx\ny z\n"]


def test_an_anchor_is_the_same_value_again() -> None:
    text = 'a: &x {k: [1, &s two]}\nb: *x\nc: [*s, *x]\nd: &q "text"\ne: *q\n'
    block = {"k": [1, "two"]}
    expected = {"a": block, "b": block, "c": ["two", block], "d": "text", "e": "text"}
    assert parse_yaml(text) == expected


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("a: [1\nb: 2\n", "invalid YAML", 2),
        ("a: 1\n b: 2\n", "invalid YAML", 2),
        ("a: 1\nb: 2\n'a': 3\n", "the key 'a' occurs twice", 3),
        ("1: a\n'1': b\n", "the key '1' occurs twice", 2),
        ("a: .inf\n", ".inf has no place in JSON", 1),
        ("a:\n- -.INF\n", "-.INF has no place in JSON", 2),
        ("a: .nan\n", ".nan has no place in JSON", 1),
        ("a: 1e999\n", "the number 1e999 is too large", 1),
        (f"a: {'9' * 5000}\n", "the number 99999999999999999999... has too many digits", 1),
        ("a: 1\n---\nb: 1\n", "the file holds more than one YAML document", 2),
        ("a: !thing 1\n", "the tag !thing is not supported", 1),
        ("a: !!binary aGk=\n", "the tag tag:yaml.org,2002:binary is not supported", 1),
        ("a: !!set {}\n", "the tag tag:yaml.org,2002:set is not supported", 1),
        ("? [1]\n: 2\n", "a key must be a single value", 1),
        ("a: &x 1\n? *x\n: 2\n", "an alias can't be a key", 2),
        ("a: *x\n", "the alias *x is not defined", 1),
        ("a: &x [*x]\n", "the alias *x contains itself", 1),
        ("a: " + "[" * 401 + "]" * 401, "nested deeper than 400 levels", 1),
    ],
)
def test_what_no_document_can_hold_is_refused_with_its_line(
    text: str, reason: str, line: int
) -> None:
    with pytest.raises(YamlError) as caught:
        parse_yaml(text)
    assert caught.value.reason.startswith(reason)
    assert caught.value.line == line


def test_a_hundred_thousand_brackets_are_refused_not_run_into() -> None:
    with pytest.raises(YamlError, match="nested deeper"):
        parse_yaml("[" * 100_000)


def test_an_alias_bomb_is_counted_before_it_goes_off() -> None:
    lines = ["a0: &a0 lol"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    with pytest.raises(YamlError, match="its aliases expand to more than") as caught:
        parse_yaml("\n".join(lines))
    assert caught.value.line is not None
    assert caught.value.hint is not None


def test_aliases_within_the_limit_are_fine() -> None:
    text = "a: &a " + "x" * 50 + "\nb: [*a, *a, *a]\n"
    assert parse_yaml(text, Limits(expanded_chars=400)) is not None
    with pytest.raises(YamlError, match="more than 200 characters"):
        parse_yaml(text, Limits(expanded_chars=200))
