"""Firestore's JSON form of values and documents.

Source: https://cloud.google.com/firestore/docs/reference/rest/v1/Value
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

Value: TypeAlias = "bytes | int | str | bool | datetime | list[bytes]"
Fields: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was read: path under the database's documents, fields, when it changed."""

    path: str
    fields: dict[str, Any]
    changed: str

    @property
    def id(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


def encode(value: Value) -> dict[str, Any]:
    """Returns the JSON form of a value."""
    match value:
        case bool():
            return {"booleanValue": value}
        case int():
            return {"integerValue": str(value)}
        case str():
            return {"stringValue": value}
        case datetime():
            return {"timestampValue": value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
        case list():
            return {"arrayValue": {"values": [encode(item) for item in value]}}
        case _:
            return {"bytesValue": b64encode(value).decode("ascii")}


def encode_fields(fields: Fields) -> dict[str, Any]:
    """Returns the JSON form of the fields of a document."""
    return {name: encode(value) for name, value in fields.items()}


def decode_document(found: Mapping[str, Any], root: str) -> Document:
    """Returns a document whose name begins with ``root/``."""
    fields = {name: _decode(value) for name, value in found.get("fields", {}).items()}
    return Document(found["name"].removeprefix(f"{root}/"), fields, found["updateTime"])


def _decode(value: Mapping[str, Any]) -> Value | list[Any]:
    ((kind, content),) = value.items()
    match kind:
        case "bytesValue":
            return b64decode(content)
        case "integerValue":
            return int(content)
        case "arrayValue":
            return [_decode(item) for item in content.get("values", [])]
        case "timestampValue":
            return datetime.fromisoformat(content)
        case _:
            return content  # type: ignore[no-any-return]
