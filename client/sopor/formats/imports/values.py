"""Parses a file of any notation, and reads fields of values whose shape nobody guarantees."""

from __future__ import annotations

from collections.abc import Iterator

from sopor.formats.base import Limits
from sopor.formats.errors import FormatError
from sopor.formats.json_text import JsonText
from sopor.formats.text import decode_text
from sopor.formats.yaml_file import parse_file
from sopor.model.document import MAX_DEPTH, Body, DocumentError, Json, check_json


def parse_any(data: bytes, path: str, limits: Limits) -> Json:
    """Returns the value of a JSON or YAML file.

    Raises:
        FormatError: it is neither, or exceeds a limit.
    """
    if path.lower().endswith((".yaml", ".yml")):
        value = parse_file(data, path, limits)
    else:
        value = JsonText(decode_text(data, path, limits), path).whole()
    try:
        check_json(value, "the file")
    except DocumentError as error:
        raise FormatError(
            f"{error.reason}, at most {MAX_DEPTH} are allowed"
            if "deeper" in error.reason
            else error.reason,
            path=path,
            line=1,
            hint=error.hint,
        ) from None
    return value


def text_of(value: Json, default: str = "") -> str:
    """Returns a value as text: numbers and booleans as JSON writes them, else the default."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return default


def object_of(value: Json) -> Body:
    """Returns a value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def list_of(value: Json) -> list[Json]:
    """Returns a value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def objects_of(value: Json) -> Iterator[Body]:
    """Yields the objects of a list."""
    for item in list_of(value):
        if isinstance(item, dict):
            yield item
