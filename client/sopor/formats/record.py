"""File records: the versioned documents that say which file holds which documents, and how.

A record names the roots (workspaces) of its file and never lists what lies below them, so that two
people who add requests to one file have nothing to merge in its record. Its fields:

- ``_id``: derived from the path, so that two devices agree; ``_type``: ``sopor_file``
- ``path``: below the root of the working copy, with forward slashes
- ``format``: the name of the format
- ``roots``: sorted ids of the workspaces in the file
- ``extras``: sorted ids of documents without a known parent, if there are any; what lies below
  them belongs to the file as well
- what the container itself says, in fields that its format defines
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256

from sopor.formats.errors import FormatError
from sopor.model.document import (
    RECORD_TYPE,
    Body,
    Document,
    DocumentError,
    DocumentId,
    Json,
    check_json,
    parent_of,
)

WORKSPACE = "workspace"
ROOT_FOLDER = "."
OWN_FIELDS = frozenset({"_id", "_type", "path", "format", "roots", "extras"})
_UNSAFE_TEXT = re.compile(r"[\x00-\x1f\x7f\\]|^[A-Za-z]:|^/")
_UNSAFE_PARTS = frozenset({"", ".", "..", ".git", ".sopor"})


def record_id(path: str) -> DocumentId:
    """Returns the id of the record of the file at a path."""
    return DocumentId(f"{RECORD_TYPE}_{sha256(path.encode()).hexdigest()[:32]}")


def is_record(document: Document) -> bool:
    """Tells whether a document is a file record."""
    return document.type == RECORD_TYPE


def make_record(
    path: str,
    format_name: str,
    documents: Iterable[Document],
    container: Mapping[str, Json] | None = None,
) -> Document:
    """Returns the record of a file that holds the given documents and container fields.

    Raises:
        FormatError: the container says what no document may.
    """
    said = dict(container or {})
    try:
        check_json(said, "the file")
    except DocumentError as error:
        raise FormatError(error.reason, path=path, document=error.where, hint=error.hint) from None
    roots, extras = tops(documents)
    identity = record_id(path)
    body: Body = {
        "_id": identity,
        "_type": RECORD_TYPE,
        "path": path,
        "format": format_name,
        "roots": list[Json](roots),
    }
    if extras:
        body["extras"] = list[Json](extras)
    body |= {key: value for key, value in said.items() if key not in OWN_FIELDS}
    return Document(identity, RECORD_TYPE, body)


def tops(documents: Iterable[Document]) -> tuple[list[DocumentId], list[DocumentId]]:
    """Returns the ids of the workspaces, and of the other documents that have no parent here."""
    everything = tuple(documents)
    ids = {document.id for document in everything}
    roots = sorted(document.id for document in everything if document.type == WORKSPACE)
    known = set(roots)
    extras = sorted(
        document.id
        for document in everything
        if document.id not in known and parent_of(document) not in ids
    )
    return roots, extras


def record_path(record: Document) -> str:
    """Returns the path that a record is for.

    Another member may have made the record, so a path that leads out of the working copy, or into
    the store of Sopor or git, raises `DocumentError`.
    """
    path = record.body.get("path")
    if not isinstance(path, str) or not path:
        raise DocumentError("a file record needs a path", where=record.id)
    if path != ROOT_FOLDER and not is_safe_path(path):
        raise DocumentError(
            f"the path {path!r} leads out of the working copy",
            where=record.id,
            hint="do not check this out; ask who made the commit",
        )
    return path


def is_safe_path(path: str) -> bool:
    """Tells whether a path stays inside the working copy and out of its hidden stores."""
    if _UNSAFE_TEXT.search(path):
        return False
    return not any(part.lower() in _UNSAFE_PARTS for part in path.split("/"))


def record_format(record: Document) -> str:
    """Returns the name of the format of a record; raises `DocumentError` if it names none."""
    name = record.body.get("format")
    if not isinstance(name, str):
        raise DocumentError("a file record needs a format", where=record.id)
    return name


def record_roots(record: Document) -> tuple[DocumentId, ...]:
    """Returns the ids of the workspaces that the record claims."""
    return _ids(record, "roots")


def record_extras(record: Document) -> tuple[DocumentId, ...]:
    """Returns the ids of the documents without a known parent that the record claims."""
    return _ids(record, "extras")


def _ids(record: Document, field: str) -> tuple[DocumentId, ...]:
    value = record.body.get(field)
    listed = value if isinstance(value, list) else []
    return tuple(DocumentId(item) for item in listed if isinstance(item, str))
