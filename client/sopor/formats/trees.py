"""Trees of files with one document each: ``Request/ab/req_ab12.json`` below some folder.

One record stands for a whole tree: its ``path`` is the folder, its ``pattern`` says where below it
a document lies, and it claims what no other record does. A file elsewhere has a record of its own.
The pattern's ending says which notation the files have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256

from sopor.formats.record import ROOT_FOLDER, record_id
from sopor.formats.types import type_name
from sopor.model.document import RECORD_TYPE, Body, Document, DocumentId

JSON_FORMAT = "documents.json"
YAML_FORMAT = "documents.yaml"
SHARDED = "{type}/{shard}/{id}.json"
FLAT = "{type}/{id}.json"
GIT_SYNC = "{type}/{id}.yml"
PATTERNS = (SHARDED, FLAT, GIT_SYNC)
PATTERN = "pattern"
GIT_SYNC_FOLDER = ".insomnia"
"""Where older versions of Insomnia's Git Sync kept their tree."""

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,190}", re.ASCII)
_SAFE_SHARD = re.compile(r"[A-Za-z0-9]{2}", re.ASCII)


def format_of_pattern(pattern: str) -> str:
    """Returns the name of the format of a tree's files."""
    return JSON_FORMAT if pattern.endswith(".json") else YAML_FORMAT


def tree_record(folder: str, pattern: str) -> Document:
    """Returns the record of a tree below a folder."""
    identity = record_id(f"{folder}/{pattern}")
    body: Body = {
        "_id": identity,
        "_type": RECORD_TYPE,
        "path": folder,
        "format": format_of_pattern(pattern),
        PATTERN: pattern,
    }
    return Document(identity, RECORD_TYPE, body)


def is_tree(record: Document) -> bool:
    """Tells whether a record stands for a tree of files."""
    pattern = record.body.get(PATTERN)
    return pattern in PATTERNS and record.body.get("format") == format_of_pattern(str(pattern))


def path_in_tree(record: Document, document: Document) -> str:
    """Returns the path of a document's file in the tree of a record."""
    folder, pattern = record.body.get("path"), record.body.get(PATTERN)
    below = _below(str(pattern), document.id, document.type)
    return below if folder == ROOT_FOLDER else f"{folder}/{below}"


def _below(pattern: str, identity: str, document_type: str) -> str:
    return pattern.format(
        type=_file_name(type_name(document_type)),
        shard=_shard(identity),
        id=_file_name(identity),
    )


def _file_name(name: str) -> str:
    """Returns a name if every file system takes it, else one made from its hash."""
    return name if _SAFE_NAME.fullmatch(name) else f"~{_hash(name)}"


def _shard(identity: str) -> str:
    start = (identity.partition("_")[2] or identity)[:2]
    return start if _SAFE_SHARD.fullmatch(start) else _hash(identity)[:2]


def _hash(name: str) -> str:
    return sha256(name.encode(errors="surrogatepass")).hexdigest()[:32]


def tree_of(
    path: str, identity: str, document_type: str, patterns: Iterable[str]
) -> tuple[str, str] | None:
    """Returns the folder and the pattern of the tree in which a path is a document's place."""
    for pattern in patterns:
        below = _below(pattern, identity, document_type)
        if path == below:
            return ROOT_FOLDER, pattern
        if path.endswith(f"/{below}"):
            return path[: -len(below) - 1], pattern
    return None


def single_id(record: Document) -> DocumentId | None:
    """Returns the id of the one document of a file outside of a tree; None for other records."""
    if record.body.get("format") not in {JSON_FORMAT, YAML_FORMAT} or is_tree(record):
        return None
    for name in ("roots", "extras"):
        listed = record.body.get(name)
        if isinstance(listed, list) and listed and isinstance(listed[0], str):
            return DocumentId(listed[0])
    return None
