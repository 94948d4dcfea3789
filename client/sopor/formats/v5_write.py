"""Puts a v5 file together: from the documents of one workspace to one nested tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from sopor.formats.ordering import children_of, keep_order, merge_keys, order_json
from sopor.formats.types import ID_PREFIXES
from sopor.formats.v5_fields import ITEM, ITEM_TYPES, Slot, shape_of
from sopor.formats.v5_read import IdMaker, is_tagged
from sopor.formats.v5_resource import KEPT, RESOURCES, SCHEMA, pack
from sopor.formats.v5_special import ORDERED
from sopor.model.document import Body, Document, DocumentId, Json, parent_of
from sopor.records import dataclass

_MAX_FOLDERS = 100


@dataclass(slots=True)
class TreeWriter:
    """Builds the tree of one workspace.

    Attributes:
        path: the file's path, from which ids that are not written are derived.
        documents: everything that the file shall hold.
        schema: the file's schema version, None for a file without one.
        frame: what the file says beside that of none of its documents.
        before: the objects of the existing file by id, whose order is kept.
        parents: the parents that they have in the existing file.
    """

    path: str
    documents: Sequence[Document]
    schema: Json = None
    frame: Body = field(default_factory=dict)
    before: Mapping[DocumentId, Body] = field(default_factory=dict)
    parents: Mapping[DocumentId, DocumentId | None] = field(default_factory=dict)
    _children: dict[DocumentId | None, list[Document]] = field(init=False)
    _placed: set[DocumentId] = field(default_factory=set)
    _places: dict[DocumentId, int] = field(init=False)
    _ids: IdMaker = field(init=False)

    def __post_init__(self) -> None:
        self._children = children_of(self.documents)
        self._ids = IdMaker(self.path)
        self._places = {identity: place for place, identity in enumerate(self.before)}

    def write(self, workspace: Document) -> Body:
        """Returns the whole file; what the tree has no place for comes under ``_resources``."""
        tree = self._resource(workspace, "", 0)
        whole: Body = {}
        for key, value in tree.items():
            whole[key] = value
            if key == "type" and self.schema is not None:
                whole[SCHEMA] = self.schema
        others = [item for item in self.documents if item.id not in self._placed]
        if others:
            ordered = sorted(others, key=lambda item: item.id)
            whole[RESOURCES] = [order_json(item.body) for item in ordered]
        return {**whole, **self.frame}

    def _resource(self, document: Document, place: str, level: int) -> Body:
        self._placed.add(document.id)
        parent = parent_of(document) if place else None
        hidden = {"_type", "parentId"} if place else {"_type"}
        fields = {key: value for key, value in document.body.items() if key not in hidden}
        label = (parent or "", place, document.type, document.body.get("name"))
        if document.id == self._ids.make(*label):
            self._ids.used(*label)
            del fields["_id"]
        slots = self._slots(document, level)
        item = pack(document.type, fields, slots, tagged=is_tagged(self.schema))
        return self._arranged(document, item, self.before.get(document.id, {}))

    def _slots(self, document: Document, level: int) -> Body:
        slots: Body = {}
        below = document
        for slot in shape_of(document.type).slots:
            entries = self._entries(slot, below if slot.name == "routes" else document)
            if level >= _MAX_FOLDERS or not entries:
                continue
            if slot.many:
                slots[slot.name] = [self._resource(item, slot.name, level + 1) for item in entries]
            else:
                slots[slot.name] = self._resource(entries[0], slot.name, level + 1)
                if slot.name == "server":
                    below = entries[0]
        return slots

    def _entries(self, slot: Slot, parent: Document) -> list[Document]:
        """Returns the children of a document that belong into a slot, in order."""
        entries = [
            child
            for child in self._children.get(parent.id, [])
            if child.id not in self._placed and self._belongs(child, slot)
        ]
        known = [item.id for item in entries if self._stayed(item)]
        return keep_order(entries, sorted(known, key=self._places.__getitem__))

    def _stayed(self, document: Document) -> bool:
        was_there = document.id in self._places
        return was_there and self.parents.get(document.id) == parent_of(document)

    def _belongs(self, document: Document, slot: Slot) -> bool:
        if slot.kind != ITEM:
            return document.type == slot.kind
        unknown = document.type not in ID_PREFIXES
        return document.type in ITEM_TYPES or (unknown and is_tagged(self.schema))

    def _arranged(self, document: Document, item: Body, before: Body) -> Body:
        """Returns an object with its keys in the order of an existing one, or Insomnia's."""
        slots = {slot.name for slot in shape_of(document.type).slots}
        as_is = {*slots, *ORDERED.get(document.type, ())[:1], "contents"}
        arranged: Body = {}
        for key in merge_keys(list(item), list(before)):
            value, old = item[key], before.get(key)
            if key in as_is:
                arranged[key] = value
            elif key in {"meta", "settings", "scripts"}:
                arranged[key] = _in_order_of(value, old)
            else:
                arranged[key] = order_json(value, old)
        if KEPT in arranged:
            arranged[KEPT] = arranged.pop(KEPT)
        return arranged


def _in_order_of(value: Json, old: Json) -> Json:
    """Returns an object whose keys are in Insomnia's order already in that of an existing one."""
    if not isinstance(value, dict) or not isinstance(old, dict):
        return value
    return {key: _in_order_of(value[key], old.get(key)) for key in merge_keys(list(value), old)}
