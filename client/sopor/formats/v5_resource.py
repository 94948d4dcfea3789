"""Turns one resource of a v5 file into the fields of a document and back, losing nothing.

- What a document can't hold under a field of its own goes into its field ``_v5``: the rest of the
  file's object, nested as it was (``{"_v5": {"settings": {"newInInsomnia": true}}}``).
- What a v5 file has no place for goes into the key ``_v4`` of the file's object: fields of the
  document, by name. Insomnia ignores that key. In it, ``_absent`` lists fields that the document
  does not have although the file shows them, ``_type`` gives a type that the file would not show,
  and ``_exact`` a whole document for which all of this is not enough.
"""

from __future__ import annotations

from sopor.formats.compare import same_json
from sopor.formats.types import ID_PREFIXES, type_key, type_name
from sopor.formats.v5_fields import FILE_TYPES, ITEM_TYPES, Leaf, Shape, shape_of
from sopor.formats.v5_special import ABSENT, to_document, to_file
from sopor.model.document import Body, Json

LEFT = "_v5"
KEPT = "_v4"
RESOURCES = "_resources"
SCHEMA = "schema_version"
CONTAINER = "_container"
CONTAINER_ORDER = "_containerOrder"
FRAME = frozenset({RESOURCES, SCHEMA, CONTAINER, CONTAINER_ORDER})
"""Keys of a whole file that are not its workspace's."""
_EXACT = "_exact"
_TYPE = "_type"
_SCOPES = {file_type: scope for scope, file_type in FILE_TYPES.items()}
_STRUCTURAL = frozenset({"_id", _TYPE, "parentId", LEFT})


def infer_type(item: Body) -> str:
    """Returns the type of an entry of a collection.

    Its tag says it (since schema 5.2), else the start of its id, else the fields that it has.
    """
    kept = item.get(KEPT)
    if isinstance(kept, dict) and isinstance(kept.get(_TYPE), str):
        return str(kept[_TYPE])
    tag = item.get("type")
    if isinstance(tag, str) and tag:
        return type_key(tag)
    meta = item.get("meta")
    identity = meta.get("id") if isinstance(meta, dict) else None
    if isinstance(identity, str):
        for kind in ITEM_TYPES:
            if identity.startswith(ID_PREFIXES[kind] + "_"):
                return kind
    return _type_by_fields(item)


def _type_by_fields(item: Body) -> str:
    if not item.keys().isdisjoint(("protoFileId", "metadata", "reflectionApi")):
        return "grpc_request"
    if "method" in item:
        return "request"
    if "eventListeners" in item:
        return "socketio_request"
    if "children" in item or "url" not in item:
        return "request_group"
    settings = item.get("settings")
    if isinstance(settings, dict) and settings:
        return "websocket_request" if "followRedirects" in settings else "socketio_request"
    return "request"


def unpack(document_type: str, item: Body, *, tagged: bool) -> Body:
    """Returns the fields of a document, without type and parent, that a file's object says.

    Args:
        document_type: its type.
        item: the object; what is in the slots of its shape is left out, unless it is not a list or
            object.
        tagged: whether entries of collections carry their type (schema 5.2 and later).
    """
    kept = item.get(KEPT)
    if isinstance(kept, dict) and isinstance(kept.get(_EXACT), dict):
        exact = kept[_EXACT]
        plain = {key: value for key, value in item.items() if key != KEPT}
        if isinstance(exact, dict) and same_json(
            _without_slots(document_type, plain),
            _without_slots(document_type, _plainly(document_type, exact, {}, tagged=tagged)),
        ):
            return exact
    return _unpack(document_type, item, tagged=tagged)


def _without_slots(document_type: str, item: Body) -> Body:
    names = {slot.name for slot in shape_of(document_type).slots} | FRAME
    return {key: value for key, value in item.items() if key not in names}


def _plainly(document_type: str, fields: Body, slots: Body, *, tagged: bool) -> Body:
    """Returns an object that shows what it can of fields that need to be kept exactly."""
    shown = {key: value for key, value in fields.items() if key != LEFT}
    item = _pack(document_type, shown, slots, tagged=tagged)
    item.pop(KEPT, None)
    return item


def _unpack(document_type: str, item: Body, *, tagged: bool) -> Body:
    shape = shape_of(document_type)
    fields, rest = _take(shape, item)
    kept: Body = {}
    for key, value in item.items():
        if key in shape.heads or _is_frame(key, document_type):
            continue
        if key == KEPT and isinstance(value, dict):
            kept = value
        elif key == "type" and document_type == "workspace":
            _take_file_type(value, fields, rest)
        elif key == "type" and tagged and document_type not in ID_PREFIXES.keys() - ITEM_TYPES:
            if value != type_name(document_type):
                rest[key] = value
        elif key in shape.keys or key in _STRUCTURAL or key in {KEPT, *_reserved(document_type)}:
            rest[key] = value
        else:
            fields[key] = value
    absent = kept.get(ABSENT)
    kept = {key: value for key, value in kept.items() if key not in {ABSENT, _TYPE}}
    fields = to_document(document_type, fields, kept)
    for name in absent if isinstance(absent, list) else ():
        fields.pop(str(name), None)
    if rest:
        fields[LEFT] = rest
    return fields


def _is_frame(key: str, document_type: str) -> bool:
    return document_type == "workspace" and key in FRAME


def _take_file_type(value: Json, fields: Body, rest: Body) -> None:
    scope = _SCOPES.get(value) if isinstance(value, str) else None
    if scope is None:
        rest["type"] = value
    else:
        fields["scope"] = scope


def _take(shape: Shape, item: Body) -> tuple[Body, Body]:
    """Returns the fields that lie where the shape says, and what is left of those parts."""
    fields: Body = {}
    rest: Body = {}
    slots = {slot.name for slot in shape.slots}
    for head, value in item.items():
        if head not in shape.heads:
            continue
        if head not in slots:
            _take_part(shape, (head,), value, fields, rest)
        elif not value:
            rest[head] = value
    return fields, rest


def _take_part(shape: Shape, way: tuple[str, ...], value: Json, fields: Body, rest: Body) -> None:
    leaf = shape.ways.get(way)
    if leaf is not None:
        if leaf.fits(value):
            fields[leaf.key] = (not value) if leaf.negated else value
        else:
            rest[way[-1]] = value
        return
    if way not in shape.branches or not isinstance(value, dict) or not value:
        rest[way[-1]] = value
        return
    left: Body = {}
    for key, part in value.items():
        _take_part(shape, (*way, key), part, fields, left)
    if left:
        rest[way[-1]] = left


def pack(document_type: str, fields: Body, slots: Body, *, tagged: bool) -> Body:
    """Returns the file's object for the fields of a document; `unpack` gives the same fields again.

    Args:
        document_type: its type.
        fields: its fields without ``_type`` and without a parent that its place shows. Without
            ``_id`` where the file shall not show one.
        slots: what lies in the slots of its shape.
        tagged: whether entries of collections carry their type.
    """
    item = _pack(document_type, fields, slots, tagged=tagged)
    if not _says(document_type, item, fields, tagged=tagged):
        item = _plainly(document_type, fields, slots, tagged=tagged)
        item[KEPT] = {_EXACT: fields}
    if document_type in ITEM_TYPES and infer_type(item) != document_type:
        kept = item.get(KEPT)
        item[KEPT] = {**(kept if isinstance(kept, dict) else {}), _TYPE: document_type}
    return item


def _says(document_type: str, item: Body, fields: Body, *, tagged: bool) -> bool:
    if document_type == "workspace" and item.get("type") not in _SCOPES:
        left = fields.get(LEFT)
        if not isinstance(left, dict) or not is_file_type(left.get("type")):
            return False
    return same_json(unpack(document_type, item, tagged=tagged), fields)


def is_file_type(value: Json) -> bool:
    """Tells whether a value may be the ``type`` of a v5 file."""
    if not isinstance(value, str):
        return False
    kind, dot, schema = value.partition(".insomnia")
    version = schema.removeprefix(".rest").removeprefix("/5.")
    return bool(dot) and kind.isascii() and kind.isalpha() and version.isdecimal()


def _pack(document_type: str, fields: Body, slots: Body, *, tagged: bool) -> Body:
    shape = shape_of(document_type)
    shown, kept = to_file(document_type, fields)
    item: Body = {}
    if document_type == "workspace":
        item["type"] = _file_type(shown, kept)
    elif tagged and (document_type in ITEM_TYPES or document_type not in ID_PREFIXES):
        item["type"] = type_name(document_type)
    for part in shape.layout:
        if isinstance(part, Leaf):
            _put_leaf(part, shown, item, kept)
        elif part.name in slots:
            item[part.name] = slots[part.name]
    _put_others(shape, shown, item, kept, reserved=frozenset(item) | _reserved(document_type))
    _put_left(fields, item, kept)
    if kept:
        item[KEPT] = kept
    return item


def _put_leaf(leaf: Leaf, shown: Body, item: Body, kept: Body) -> None:
    if leaf.key not in shown:
        return
    value = shown[leaf.key]
    if leaf.fits(value):
        _put(item, leaf.way, (not value) if leaf.negated else value)
    else:
        kept[leaf.key] = value


def _put_left(fields: Body, item: Body, kept: Body) -> None:
    left = fields.get(LEFT)
    if isinstance(left, dict):
        _fill(item, left)
    elif LEFT in fields:
        kept[LEFT] = left


def _reserved(document_type: str) -> frozenset[str]:
    return FRAME | {"scope", "type"} if document_type == "workspace" else frozenset()


def _file_type(fields: Body, kept: Body) -> str:
    scope = fields.get("scope")
    if isinstance(scope, str) and scope in FILE_TYPES:
        return FILE_TYPES[scope]
    left = fields.get(LEFT)
    file_type = left.get("type") if isinstance(left, dict) else None
    if isinstance(file_type, str) and is_file_type(file_type) and file_type not in _SCOPES:
        if "scope" in fields:
            kept["scope"] = scope
        return file_type
    if "scope" in fields:
        kept["scope"] = scope
    else:
        kept[ABSENT] = ["scope"]
    return FILE_TYPES["collection"]


def _put_others(
    shape: Shape, shown: Body, item: Body, kept: Body, *, reserved: frozenset[str]
) -> None:
    """Puts the fields that the shape does not list under their own names, or keeps them."""
    for key in sorted(shown.keys() - shape.keys - {LEFT}):
        if key == "scope" and "scope" in reserved:
            continue
        if key in shape.heads or key in reserved or key in _STRUCTURAL or key == KEPT:
            kept[key] = shown[key]
        else:
            item[key] = shown[key]


def _put(item: Body, way: tuple[str, ...], value: Json) -> None:
    at = item
    for step in way[:-1]:
        below = at.setdefault(step, {})
        if not isinstance(below, dict):
            raise TypeError(f"{way} crosses a value")
        at = below
    at[way[-1]] = value


def _fill(item: Body, left: Body) -> None:
    """Adds what is left of the file's object where nothing else is."""
    for key, value in sorted(left.items()):
        there = item.get(key)
        if key not in item:
            item[key] = value
        elif isinstance(there, dict) and isinstance(value, dict):
            item[key] = _filled(there, value)


def _filled(there: Body, left: Body) -> Body:
    filled = dict(there)
    _fill(filled, left)
    return filled
