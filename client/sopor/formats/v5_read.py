"""Takes a v5 file apart: from one nested tree to the documents of one workspace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import field
from functools import partial
from hashlib import sha256
from typing import TypeAlias

from sopor.formats.errors import FormatError
from sopor.formats.gather import Found, name_of
from sopor.formats.types import ID_PREFIXES
from sopor.formats.v5_fields import ITEM, Slot, shape_of
from sopor.formats.v5_resource import RESOURCES, SCHEMA, infer_type, unpack
from sopor.formats.yaml_file import line_in
from sopor.model.document import Body, DocumentId, Json
from sopor.records import dataclass

Way: TypeAlias = "tuple[str | int, ...]"


@dataclass(slots=True)
class IdMaker:
    """Makes the ids of resources that a file gives none.

    An id depends on the file's path, on the parent, the place and the name of the resource, and on
    how many of that name without an id were there before: the same whenever the file is read, and
    not changed by what else is added to the file. Those of one name sort in their order.
    """

    path: str
    _seen: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def make(self, parent: str, place: str, document_type: str, name: Json) -> DocumentId:
        """Returns the id of the next such resource; `used` says that it was."""
        label = self._label(parent, place, document_type, name)
        digest = sha256("\0".join(label).encode(errors="surrogatepass")).hexdigest()
        prefix = ID_PREFIXES.get(document_type, "doc")
        return DocumentId(f"{prefix}_{digest[:28]}{self._seen[label]:04x}")

    def used(self, parent: str, place: str, document_type: str, name: Json) -> None:
        """Notes that the file has such a resource without an id."""
        self._seen[self._label(parent, place, document_type, name)] += 1

    def _label(
        self, parent: str, place: str, document_type: str, name: Json
    ) -> tuple[str, str, str, str, str]:
        return (self.path, parent, place, document_type, name if isinstance(name, str) else "")


def is_tagged(schema: Json) -> bool:
    """Tells whether files of a schema version tag the entries of collections with their type."""
    major, _, minor = str(schema).partition(".")
    return major == "5" and minor.isdecimal() and int(minor) >= 2


@dataclass(slots=True)
class TreeReader:
    """Finds the documents of one parsed v5 file."""

    path: str
    data: bytes
    tagged: bool = False
    objects: dict[DocumentId, Body] = field(default_factory=dict)
    _ids: IdMaker = field(init=False)

    def __post_init__(self) -> None:
        self._ids = IdMaker(self.path)

    def read(self, whole: Body) -> Iterator[Found]:
        """Yields what the file holds, each parent before its children.

        Raises:
            FormatError: something is not of the kind that its place asks for.
        """
        self.tagged = is_tagged(whole.get(SCHEMA))
        yield from self._resource("workspace", whole, None, "", ())
        others = whole.get(RESOURCES) or []
        if not isinstance(others, list):
            raise self._error(f"{RESOURCES} must be a list", (RESOURCES,))
        for index, value in enumerate(others):
            yield self._found(value, (RESOURCES, index))

    def _resource(
        self, document_type: str, item: Body, parent: DocumentId | None, place: str, way: Way
    ) -> Iterator[Found]:
        fields = unpack(document_type, item, tagged=self.tagged)
        identity = self._identity(document_type, fields, item, parent, place, way)
        body: Body = {"_id": identity, "_type": document_type}
        if parent is not None:
            body["parentId"] = parent
        body.update(fields)
        self.objects[identity] = item
        yield self._found(body, way)
        below = identity
        for slot in shape_of(document_type).slots:
            value = item.get(slot.name)
            if not value:
                continue
            if slot.name == "routes" and isinstance(item.get("server"), dict):
                below = self._server_id(item, identity)
            yield from self._slot(slot, value, below, (*way, slot.name))
            below = identity

    def _slot(self, slot: Slot, value: Json, parent: DocumentId, way: Way) -> Iterator[Found]:
        if not slot.many:
            if not isinstance(value, dict):
                raise self._error("expected a mapping", way)
            yield from self._resource(slot.kind, value, parent, slot.name, way)
            return
        if not isinstance(value, list):
            raise self._error("expected a list", way)
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                raise self._error("expected a mapping", (*way, index))
            kind = infer_type(item) if slot.kind == ITEM else slot.kind
            yield from self._resource(kind, item, parent, slot.name, (*way, index))

    def _identity(
        self,
        document_type: str,
        fields: Body,
        item: Body,
        parent: DocumentId | None,
        place: str,
        way: Way,
    ) -> DocumentId:
        given = fields.get("_id")
        if isinstance(given, str):
            return DocumentId(given)
        meta = item.get("meta")
        if isinstance(meta, dict) and meta.get("id") is not None:
            raise self._error("meta.id must be a string", (*way, "meta", "id"))
        label = (parent or "", place, document_type, item.get("name"))
        identity = self._ids.make(*label)
        self._ids.used(*label)
        return identity

    def _server_id(self, workspace: Body, identity: DocumentId) -> DocumentId:
        """Returns the id of the mock server, under which its routes are."""
        for known, item in self.objects.items():
            if item is workspace.get("server"):
                return known
        return identity

    def _found(self, value: Json, way: Way) -> Found:
        position = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in way)
        where = name_of(value, position.removeprefix(".") or "workspace")
        return Found(value, where, partial(line_in, self.data, way))

    def _error(self, reason: str, way: Way) -> FormatError:
        position = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in way)
        return FormatError(
            reason,
            path=self.path,
            line=line_in(self.data, way),
            document=position.removeprefix("."),
            hint="correct the file, or restore it",
        )
