"""Firestore's values and documents as plain Python ones.

Times of change are whole nanoseconds since 1970-01-01T00:00:00Z: a precondition on a rounded one
would not hold. The package has no public codec for single values, so this one is ours.

Source: https://cloud.google.com/firestore/docs/reference/rpc/google.firestore.v1
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from google.cloud.firestore_v1 import types

Value: TypeAlias = "bytes | int | str | bool | datetime | list[bytes]"
Fields: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was read: path under the database's documents, fields, when it changed."""

    path: str
    fields: dict[str, Any]
    changed: int

    @property
    def id(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


def encode(value: Value) -> types.Value:
    """Returns Firestore's form of a value."""
    from google.cloud.firestore_v1 import types

    match value:
        case bool():
            return types.Value(boolean_value=value)
        case int():
            return types.Value(integer_value=value)
        case str():
            return types.Value(string_value=value)
        case datetime():
            return types.Value(timestamp_value=value)
        case list():
            return types.Value(array_value=types.ArrayValue(values=list(map(encode, value))))
        case _:
            return types.Value(bytes_value=value)


def encode_fields(fields: Fields) -> dict[str, types.Value]:
    """Returns Firestore's form of the fields of a document."""
    return {name: encode(value) for name, value in fields.items()}


def decode_document(found: Any, root: str) -> Document:  # noqa: ANN401
    """Returns a document whose name begins with ``root/``, from its protocol buffer."""
    fields = {name: _decode(value) for name, value in found.fields.items()}
    path = found.name.removeprefix(f"{root}/")
    return Document(path, fields, found.update_time.ToNanoseconds())


def _decode(value: Any) -> Value | list[Any]:  # noqa: ANN401
    kind = value.WhichOneof("value_type")
    content = getattr(value, kind)
    match kind:
        case "array_value":
            return [_decode(item) for item in content.values]
        case "timestamp_value":
            return content.ToDatetime(UTC)  # type: ignore[no-any-return]
        case _:
            return content  # type: ignore[no-any-return]
