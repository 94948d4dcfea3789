"""Lays documents out in the files of one format, keeping their ids, and says what that costs.

Nothing is lost on the way: what a format has no place for is carried in it all the same (a v5 file
has ``_resources``, unknown fields, and in ``_container`` what a v4 export said of itself; that has
``_schemas``), and told in a list, as Insomnia itself may drop it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from json import dumps
from types import MappingProxyType

from sopor.formats.assign import assign
from sopor.formats.base import Format
from sopor.formats.compare import same_json
from sopor.formats.containers import (
    CONTAINER,
    carried,
    container_of,
    joined,
    said_by,
    with_carried,
)
from sopor.formats.known import format_of
from sopor.formats.openapi_file import OPENAPI_FORMAT
from sopor.formats.ordering import depth_first
from sopor.formats.record import (
    ROOT_FOLDER,
    is_record,
    make_record,
    record_extras,
    record_roots,
)
from sopor.formats.trees import GIT_SYNC, GIT_SYNC_FOLDER, tree_record
from sopor.formats.v4 import SCHEMAS
from sopor.formats.v4_json import V4Json
from sopor.formats.v4_yaml import V4Yaml
from sopor.formats.v5_fields import ITEM_TYPES, SHAPES, Slot
from sopor.formats.v5_resource import SCHEMA
from sopor.formats.v5_yaml import V5Yaml
from sopor.model.document import Body, Document, DocumentId, Json, parent_of, split_local
from sopor.records import dataclass

Previous = Callable[[str], bytes | None]
_ALWAYS_HELD = frozenset({"_id", "_type", "parentId", "type"})
_HELD_BY_WORKSPACES = frozenset({"scope"})


class Target(Enum):
    """What documents can be converted into."""

    V5 = "v5"
    V4 = "v4"
    TREE = "tree"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Conversion:
    """The files of a conversion.

    Attributes:
        files: the bytes of each file by its path; one file for v4 and JSON.
        holds: how many documents each file holds.
        notes: what the format has no place for, one sentence each.
    """

    files: Mapping[str, bytes]
    holds: Mapping[str, int]
    notes: tuple[str, ...]


def convert(
    documents: Iterable[Document],
    target: Target,
    name: str,
    previous: Previous = lambda _: None,
) -> Conversion:
    """Returns the files that hold these documents.

    Args:
        documents: all of them, local ones too; file records of the wanted format place what they
            claim, others only tell what is lost with them.
        target: the format.
        name: the path of the file where there is one; JSON or YAML by its ending. For v5 the path
            of the only workspace's file, if it is not empty.
        previous: returns what a file holds now, whose order and style are kept.

    Raises:
        DocumentError: documents are each other's parents in a circle.
        FormatError: the format can't hold them.
    """
    everything = tuple(documents)
    records = [item for item in everything if is_record(item)]
    plain = tuple(item for item in everything if not is_record(item))
    if target is Target.JSON:
        listed: list[Json] = [item.body for item in depth_first(plain)]
        text = dumps(listed, indent=2, ensure_ascii=False) + "\n"
        return Conversion({name: text.encode()}, {name: len(plain)}, ())
    if target is Target.V4:
        return _v4(plain, records, name, previous)
    if target is Target.TREE:
        notes = [note for item in records for note in _lost_with(item)]
        return _laid_out([*plain, tree_record(GIT_SYNC_FOLDER, GIT_SYNC)], previous, notes)
    return _v5(plain, records, name, previous)


def _v4(
    plain: Sequence[Document], records: Sequence[Document], name: str, previous: Previous
) -> Conversion:
    form: Format = V4Yaml() if name.lower().endswith((".yaml", ".yml")) else V4Json()
    shared, local = split_local(plain)
    record = make_record(name, form.name, shared, joined(records))
    data = form.write(record, shared, local, previous(name))
    notes = [note for item in records for note in _lost_with(item, record)]
    return Conversion({name: data}, {name: len(plain)}, tuple(notes))


def _v5(
    plain: Sequence[Document], records: Sequence[Document], name: str, previous: Previous
) -> Conversion:
    specs = [item for item in records if item.body.get("format") == OPENAPI_FORMAT]
    same = [item for item in records if item.body.get("format") == V5Yaml.name]
    workspaces = [item for item in plain if item.type == "workspace"]
    if name and not same and len(workspaces) == 1:
        same = [make_record(name, V5Yaml.name, workspaces)]
    others = [item for item in records if item not in same and item not in specs]
    kept = carried(others)
    notes = [note for item in others for note in _lost_with(item, kept=kept)]
    apart = {name for item in specs for name in record_extras(item)}
    held = [item for item in plain if item.id not in apart]
    return _laid_out([*plain, *same, *specs], previous, (*notes, *not_in_v5(held)), kept)


def _laid_out(
    documents: Sequence[Document],
    previous: Previous,
    notes: Sequence[str],
    kept: Mapping[DocumentId, Body] = MappingProxyType({}),
) -> Conversion:
    files: dict[str, bytes] = {}
    holds: dict[str, int] = {}
    for path, held in assign(documents).items():
        shared, local = split_local(held.documents)
        record = with_carried(held.record, kept)
        files[path] = format_of(record).write(record, shared, local, previous(path))
        holds[path] = len(held.documents)
    return Conversion(files, holds, tuple(notes))


def _lost_with(
    record: Document,
    new: Document | None = None,
    kept: Mapping[DocumentId, Body] = MappingProxyType({}),
) -> Iterator[str]:
    """Yields what a file says of itself that neither its documents nor a new record do."""
    path = record.body.get("path")
    if path == ROOT_FOLDER or not isinstance(path, str):
        return
    held = container_of(new) if new else {}
    said = said_by(record)
    if SCHEMA in record.body:
        said[SCHEMA] = record.body[SCHEMA]
    with_documents = any(claim in kept for claim in (*record_roots(record), *record_extras(record)))
    for key, value in sorted(said.items()):
        if key in held and same_json(held[key], value):
            continue
        where = "which no document holds"
        if new and key == SCHEMA:
            where = f"which has no place in v4: it is carried in {SCHEMAS}"
        elif with_documents and key != SCHEMA:
            where = f"which has no place in v5: it is carried in _{CONTAINER}"
        yield f"{path} said {key}: {dumps(value, ensure_ascii=False)}, {where}"


def not_in_v5(documents: Sequence[Document]) -> Iterator[str]:
    """Yields what a v5 file carries although Insomnia gives it no place there."""
    by_id = {item.id: item for item in documents}
    children: defaultdict[tuple[DocumentId | None, str], int] = defaultdict(int)
    fields: defaultdict[tuple[str, str], int] = defaultdict(int)
    for item in sorted(documents, key=lambda item: item.id):
        place = _slot(item, by_id)
        if place is None or (not place.many and children[parent_of(item), place.name]):
            yield f"the {item.type} {item.id} has no place in v5: it is carried in _resources"
            continue
        children[parent_of(item), place.name] += 1
        for key in item.body.keys() - _known_fields(item.type):
            fields[item.type, key] += 1
    for (kind, key), count in sorted(fields.items()):
        yield f"the field {key} of {count} {kind} has no place in v5: it is carried all the same"


def _known_fields(kind: str) -> frozenset[str]:
    known = _ALWAYS_HELD | (SHAPES[kind].keys if kind in SHAPES else frozenset())
    if kind == "workspace":
        return known | _HELD_BY_WORKSPACES
    return known | {"dataPropertyOrder", "environmentPropertyOrder", "contentType"}


def _slot(item: Document, by_id: Mapping[DocumentId, Document]) -> Slot | None:
    """Returns the place of a document in the shape of its parent."""
    if item.type == "workspace":
        return Slot("", "workspace", many=True)
    parent = parent_of(item)
    above = by_id.get(parent) if parent else None
    if above and (above.type, item.type) == ("mock", "mock_route"):
        return Slot("routes", "mock_route", many=True)
    shape = SHAPES.get(above.type) if above else None
    for slot in shape.slots if shape else ():
        if slot.kind == item.type or (slot.kind == "item" and item.type in ITEM_TYPES):
            return slot
    return None
