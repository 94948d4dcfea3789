"""Makes an example value of a JSON schema; bounded, also where schemas contain themselves."""

from __future__ import annotations

from collections.abc import Callable

from sopor.formats.imports.values import list_of, object_of, text_of
from sopor.model.document import Body, Json

_DEEPEST = 8
_MOST_VALUES = 500
_BY_FORMAT = {
    "date": "2024-01-31",
    "date-time": "2024-01-31T12:00:00Z",
    "email": "user@example.com",
    "uri": "https://example.com",
    "url": "https://example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def example_of(schema: Json, resolved: Callable[[Json], Json]) -> Json:
    """Returns an example: the schema's own where it has one, else a value of its type.

    Args:
        schema: the schema, or a reference to it.
        resolved: returns what a reference leads to.
    """
    return _Examples(resolved).of(schema, 0)


class _Examples:
    def __init__(self, resolved: Callable[[Json], Json]) -> None:
        self._resolved = resolved
        self._left = _MOST_VALUES

    def of(self, given: Json, depth: int) -> Json:
        schema = object_of(self._resolved(given))
        self._left -= 1
        if not schema or depth > _DEEPEST or self._left < 0:
            return None
        for key in ("example", "default", "const"):
            if key in schema:
                return schema[key]
        for key in ("examples", "enum"):
            listed = list_of(schema.get(key))
            if listed:
                return listed[0]
        if "allOf" in schema:
            return self._joined(schema, depth)
        for key in ("oneOf", "anyOf"):
            choices = list_of(schema.get(key))
            if choices:
                return self.of(choices[0], depth + 1)
        return self._typed(schema, depth)

    def _joined(self, schema: Body, depth: int) -> Json:
        parts = [self.of(part, depth + 1) for part in list_of(schema["allOf"])]
        rest = {key: value for key, value in schema.items() if key != "allOf"}
        made: Body = {}
        for part in [*parts, self._typed(rest, depth) if "properties" in rest else None]:
            made.update(object_of(part))
        return made or next((part for part in parts if part is not None), None)

    def _typed(self, schema: Body, depth: int) -> Json:
        named = schema.get("type")
        kinds = [text_of(kind) for kind in list_of(named)] or [text_of(named)]
        kind = next((kind for kind in kinds if kind != "null"), "")
        if kind == "object" or "properties" in schema:
            fields = object_of(schema.get("properties"))
            return {name: self.of(value, depth + 1) for name, value in fields.items()}
        if kind == "array" or "items" in schema:
            item = self.of(schema.get("items"), depth + 1)
            return [] if item is None else [item]
        if kind in {"integer", "number"}:
            least = schema.get("minimum")
            return least if isinstance(least, int | float) else 0
        if kind == "boolean":
            return True
        form = text_of(schema.get("format"))
        return _BY_FORMAT.get(form, "string") if kind in {"string", "file"} else None
