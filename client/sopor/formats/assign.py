"""Says which file holds which document, from the file records of a whole state.

A record claims its roots and extras and what lies below them; that of a tree claims the rest. Where
none does, a file is made up: a v5 file named after the workspace, or one v4 file for documents that
have no workspace. Nothing depends on the order of the documents.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import field
from hashlib import sha256

from sopor.formats.containers import CONTAINER, MADE_HERE
from sopor.formats.record import (
    OWN_FIELDS,
    is_record,
    make_record,
    record_extras,
    record_format,
    record_path,
    record_roots,
)
from sopor.formats.trees import is_tree, path_in_tree, single_id
from sopor.formats.v4_json import V4Json
from sopor.formats.v5_yaml import V5Yaml
from sopor.model.document import Document, DocumentError, DocumentId, parent_of
from sopor.records import dataclass

ORPHANS = "without-workspace.json"
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class FileDocuments:
    """The documents of one file, with the record that reading the file will give."""

    record: Document
    documents: tuple[Document, ...]


def assign(documents: Iterable[Document]) -> Mapping[str, FileDocuments]:
    """Returns every file that a state describes, by path.

    Args:
        documents: all documents of the state, file records among them, in any order.

    Raises:
        DocumentError: documents are each other's parents in a circle, or a record's path leads out
            of the working copy.
    """
    everything = sorted(documents, key=lambda item: item.id)
    records = sorted(
        (item for item in everything if is_record(item)),
        key=lambda item: (record_path(item), item.id),
    )
    claims = _Claims({item.id: item for item in everything if not is_record(item)}, records)
    files: defaultdict[str, list[Document]] = defaultdict(list)
    owners: dict[str, Document] = {}
    for document in claims.documents.values():
        record = claims.owner(document)
        path = path_in_tree(record, document) if is_tree(record) else record_path(record)
        owners.setdefault(path, record)
        files[path].append(document)
    return {
        path: FileDocuments(settled(owners[path], files[path]), tuple(files[path]))
        for path in sorted(files)
    }


def settle(documents: Iterable[Document]) -> tuple[Document, ...]:
    """Returns a state's documents with the records that its files will have once written.

    A merge can leave a record that names what is gone, lacks what came, or that no document belongs
    to. Committing the result of this makes the state and the files agree; a second call changes
    nothing.
    """
    given = tuple(documents)
    records = {held.record.id: held.record for held in assign(given).values()}
    return (*(item for item in given if not is_record(item)), *records.values())


def settled(record: Document, documents: Iterable[Document]) -> Document:
    """Returns a record as it follows from the documents of its file."""
    if is_tree(record):
        return record
    container = {key: value for key, value in record.body.items() if key not in OWN_FIELDS}
    return make_record(record_path(record), record_format(record), documents, container)


@dataclass(slots=True)
class _Claims:
    """Finds the record that a document belongs to."""

    documents: Mapping[DocumentId, Document]
    records: list[Document]
    _below: dict[DocumentId, Document] = field(default_factory=dict)
    _alone: dict[DocumentId, Document] = field(default_factory=dict)
    _made: dict[DocumentId | None, Document] = field(default_factory=dict)
    _known: dict[DocumentId, Document] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for record in self.records:
            alone = single_id(record)
            if alone is not None:
                self._alone.setdefault(alone, record)
                continue
            for claimed in self._claimed(record):
                self._below.setdefault(claimed, record)

    def _claimed(self, record: Document) -> tuple[DocumentId, ...]:
        """Returns what a record claims; that of a v5 file claims nothing without its workspace."""
        roots, extras = record_roots(record), record_extras(record)
        if record_format(record) != V5Yaml.name:
            return roots + extras
        here = tuple(root for root in roots if root in self.documents)[:1]
        return here + extras if here else ()

    def owner(self, document: Document) -> Document:
        """Returns the record of a document, making one up where none claims it."""
        if document.id in self._alone:
            return self._alone[document.id]
        trail: dict[DocumentId, None] = {}
        at = document
        while at.id not in self._known and at.id not in self._below:
            if at.id in trail:
                raise DocumentError(
                    "its parents form a cycle",
                    where=document.id,
                    hint="move it to the workspace",
                )
            trail[at.id] = None
            parent = parent_of(at)
            if at.type == "workspace" or parent is None or parent not in self.documents:
                break
            at = self.documents[parent]
        record = self._known.get(at.id) or self._below.get(at.id) or self._unclaimed(at)
        self._known.update(dict.fromkeys(trail, record))
        return record

    def _unclaimed(self, top: Document) -> Document:
        tree = next((record for record in self.records if is_tree(record)), None)
        if tree is not None:
            return tree
        key = top.id if top.type == "workspace" else None
        if key not in self._made:
            self._made[key] = self._make_up(top if key is not None else None)
        return self._made[key]

    def _make_up(self, workspace: Document | None) -> Document:
        if workspace is None:
            path = self._free_path(ORPHANS, "")
            return make_record(path, V4Json.name, (), {CONTAINER: {**MADE_HERE}})
        name = workspace.body.get("name")
        path = self._free_path(f"{slug(name)}.yaml", workspace.id)
        return make_record(path, V5Yaml.name, (workspace,))

    def _free_path(self, path: str, identity: str) -> str:
        """Returns the path, or one like it that no file has yet."""
        others = [*self.records, *self._made.values()]
        taken = {record_path(record).casefold() for record in others}
        stem, dot, ending = path.rpartition(".")
        count = 0
        while path.casefold() in taken:
            digest = sha256(f"{identity}\0{count}".encode()).hexdigest()[:8]
            path = f"{stem}-{digest}{dot}{ending}"
            count += 1
        return path


def slug(name: object) -> str:
    """Returns a name as the stem of a file's name that every file system takes."""
    text = unicodedata.normalize("NFKC", name) if isinstance(name, str) else ""
    return _NOT_IN_NAMES.sub("-", text).strip("-._")[:60].lower() or "workspace"
