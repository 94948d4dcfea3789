"""Parses a whole YAML file, and finds the line of a value in it when an error has to name one."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from sopor.formats.base import DEFAULT_LIMITS, Limits
from sopor.formats.errors import FormatError
from sopor.formats.text import decode_text
from sopor.formats.yaml_read import YamlError, for_libyaml, parse_yaml
from sopor.model.document import Json


def parse_file(data: bytes, path: str, limits: Limits = DEFAULT_LIMITS) -> Json:
    """Returns the JSON value of a YAML file.

    Raises:
        FormatError: the file is no YAML that Insomnia could read, or exceeds a limit.
    """
    try:
        return parse_yaml(decode_text(data, path, limits), limits)
    except YamlError as error:
        raise FormatError(
            error.reason, path=path, line=error.line, column=error.column, hint=error.hint
        ) from None


def line_in(data: bytes, way: Sequence[str | int]) -> int | None:
    """Returns the line, from 1, of the value that keys and list positions lead to.

    This parses the file once more: it is for errors alone. Where the way leads nowhere, the line is
    that of the last value on it.
    """
    try:
        text, _ = for_libyaml(data.decode(errors="replace"))
        node: yaml.Node | None = yaml.compose(text, yaml.CSafeLoader)
    except yaml.YAMLError:
        return None
    line = 1
    for step in way:
        node = _child(node, step)
        if node is None:
            return line
        line = node.start_mark.line + 1
    return line


def _child(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value if isinstance(value, yaml.Node) else None
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        child = node.value[step]
        return child if isinstance(child, yaml.Node) else None
    return None
