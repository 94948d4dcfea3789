"""Whatever is written as YAML reads back the same, with the same types."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from sopor.formats.compare import same_json
from sopor.formats.yaml_patch import emit_like
from sopor.formats.yaml_read import YamlError, parse_yaml
from sopor.formats.yaml_write import emit_yaml
from tests.support.generated import json_values, texts


@given(json_values(20))
@example({"": {"": [[], {}, [[1, [2]]]]}})
@example({"k" * 1100: {"a": 1}, "x" * 1024: [1]})
def test_values_survive_yaml(value: Any) -> None:
    assert same_json(parse_yaml(emit_yaml(value)), value)


@given(texts(), st.integers(0, 30))
@example("\tfirst\n second", 0)
@example(" first\n  second\n", 2)
@example("a\n \nb\x00c" + "d" * 40, 1)
@example("word " * 30 + "\n" + "word " * 30, 29)
def test_texts_survive_at_any_depth(text: str, depth: int) -> None:
    value: Any = {text: text}
    for _ in range(depth):
        value = {"k": [value, text]}
    assert parse_yaml(emit_yaml(value)) == value


@given(json_values(12), json_values(12), st.sampled_from([2, 4]), st.booleans())
def test_a_change_in_foreign_yaml_means_what_it_should(
    before: Any, after: Any, indent: int, flow: bool
) -> None:
    """Changes part of a mapping that another library wrote."""
    first = {"a": before, "b": [before, "x"], "c": {"d": 1}}
    second = {"a": before, "b": [before, after], "c": {"d": after}}
    text = yaml.safe_dump(
        first, indent=indent, default_flow_style=flow, allow_unicode=True, sort_keys=False
    )
    try:
        value = parse_yaml(text)
    except YamlError:
        return
    assert same_json(parse_yaml(emit_like(second, text, value)), second)


@given(json_values(20))
def test_another_parser_reads_the_same_where_its_yaml_is_the_same(value: Any) -> None:
    """Reads ours with libyaml's composer: the same scalars, styles and structure."""
    written = emit_yaml(value)
    if any(char in written for char in "\x85\u2028\u2029\ufeff\ufffe\uffff\t"):
        return
    if any("\x7f" <= char <= "\x9f" for char in written):
        return
    assert _plain(yaml.compose(written, yaml.SafeLoader)) == _text(value)


def _plain(node: yaml.Node | None) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {key.value: _plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(value) for value in node.value]
    assert isinstance(node, yaml.ScalarNode)
    return node.value


def _text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_text(item) for item in value]
    return value if isinstance(value, str) else emit_yaml(value).rstrip("\n")
