"""The two values of a v5 file that are more than renamed: variables in order, and OpenAPI contents.

A v5 file tells the order of an environment's variables by their order in the file; a document,
whose keys have no order, by ``dataPropertyOrder``, as Insomnia's own resources do. A v5 file holds
an OpenAPI description as YAML structure, a document as text.
"""

from __future__ import annotations

from sopor.formats.base import Limits
from sopor.formats.compare import same_json
from sopor.formats.errors import FormatError
from sopor.formats.json_text import JsonText
from sopor.formats.yaml_read import YamlError, parse_yaml
from sopor.formats.yaml_write import emit_yaml
from sopor.model.document import MAX_DEPTH, Body, Json

ORDERED = {
    "environment": ("data", "dataPropertyOrder"),
    "request_group": ("environment", "environmentPropertyOrder"),
}
"""The field with variables and the one with their order, by type."""

_ROOT = "&"
_SEPARATOR = "~|"


ABSENT = "_absent"
"""What a file keeps besides: fields that a document does not have although the file shows them."""


def order_of(data: Body) -> Body:
    """Returns the order of a mapping's keys, level by level; nothing for an empty one."""
    order: Body = {}
    _note_order(data, _ROOT, order)
    return order


def _note_order(data: Body, way: str, order: Body) -> None:
    if data:
        order[way] = list[Json](data)
    for key, value in data.items():
        if isinstance(value, dict):
            _note_order(value, f"{way}{_SEPARATOR}{key}", order)


def in_given_order(data: Body, order: Body, way: str = _ROOT) -> Body:
    """Returns a mapping with its keys in an order; keys that it does not name follow sorted."""
    listed = order.get(way)
    named = [key for key in listed if isinstance(key, str)] if isinstance(listed, list) else []
    keys = dict.fromkeys([key for key in named if key in data] + sorted(data))
    return {key: _nested(data[key], order, f"{way}{_SEPARATOR}{key}") for key in keys}


def _nested(value: Json, order: Body, way: str) -> Json:
    if isinstance(value, dict):
        return in_given_order(value, order, way)
    if isinstance(value, list):
        return [_nested(item, {}, "") for item in value]
    return value


def parse_contents(text: str) -> Json:
    """Returns the structure in an OpenAPI text, or None if it holds none that can be shown."""
    limits = Limits(expanded_chars=4 * len(text) + 65_536, depth=MAX_DEPTH)
    try:
        if text.lstrip().startswith("{"):
            value = JsonText(text, "").whole()
        else:
            value = parse_yaml(text, limits)
    except (FormatError, YamlError):
        return None
    return value if isinstance(value, dict | list) and value and _is_shallow(value) else None


def _is_shallow(value: Json) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return True
    return False


def to_file(document_type: str, fields: Body) -> tuple[Body, Body]:
    """Returns the fields with special values as a file has them, and what to keep besides."""
    if document_type in ORDERED:
        return _order_into_data(fields, *ORDERED[document_type])
    text = fields.get("contents")
    if document_type != "api_spec" or not isinstance(text, str):
        return fields, {}
    structure = parse_contents(text)
    if structure is None:
        return fields, {}
    kept: Body = {} if emit_yaml(structure) == text else {"contents": text}
    return {**fields, "contents": structure}, kept


def _order_into_data(fields: Body, data_key: str, order_key: str) -> tuple[Body, Body]:
    data, order = fields.get(data_key), fields.get(order_key)
    if not isinstance(data, dict) or not data:
        return fields, {}
    ordered = in_given_order(data, order if isinstance(order, dict) else {})
    changed: Body = {**fields, data_key: ordered}
    if order_key not in fields:
        return changed, {ABSENT: [order_key]}
    if order_of(ordered) == order:
        del changed[order_key]
    return changed, {}


def to_document(document_type: str, fields: Body, kept: Body) -> Body:
    """Returns the fields of a document for those of a file and what the file kept besides."""
    changed = {**fields, **kept}
    if document_type == "api_spec":
        structure, text = fields.get("contents"), kept.get("contents")
        if isinstance(structure, dict | list):
            fits = isinstance(text, str) and same_json(parse_contents(text), structure)
            changed["contents"] = text if fits else emit_yaml(structure)
    if document_type in ORDERED:
        data_key, order_key = ORDERED[document_type]
        data = changed.get(data_key)
        if isinstance(data, dict) and data and order_key not in changed:
            changed[order_key] = order_of(data)
    return changed
