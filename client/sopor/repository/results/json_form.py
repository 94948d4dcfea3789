"""How results become JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum

from sopor.model.document import Json
from sopor.moments import Moment
from sopor_core.ids import Id


def to_json(value: object) -> Json:
    """Returns the JSON form of a result: ids as hexadecimal, tuples as lists."""
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if is_dataclass(value) and not isinstance(value, Moment):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    return _scalar(value)


def _scalar(value: object) -> Json:
    match value:
        case Enum():
            result: Json = str(value.value)
        case Id():
            result = value.hex()
        case Moment():
            result = value.iso
        case None | bool() | int() | float() | str():
            result = value
        case _:
            raise TypeError(f"{type(value).__name__} has no JSON form")
    return result
