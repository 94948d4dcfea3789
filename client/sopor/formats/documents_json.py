"""Trees of JSON files with one document each: ``Request/ab/req_ab12.json`` below some folder.

This is how older tools around Insomnia, and its database, name types: ``"type": "Request"``. The
file's ``type`` is the document's ``_type`` under its other name (`sopor.formats.types`); a file
that has both keys is taken as it is.

One record stands for a whole tree: its ``path`` is the folder, its ``pattern`` says where below it
a document lies, and it claims what no other record does. A file elsewhere has a record of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256

from sopor.formats.base import DEFAULT_LIMITS, FileContent, Limits
from sopor.formats.compare import by_id, same_json
from sopor.formats.errors import FormatError
from sopor.formats.gather import Found, gather
from sopor.formats.json_text import JsonStyle, JsonText
from sopor.formats.ordering import merge_keys
from sopor.formats.record import ROOT_FOLDER, make_record, record_id
from sopor.formats.text import TextStyle, decode_text
from sopor.formats.types import ID_PREFIXES, type_key, type_name
from sopor.model.document import RECORD_TYPE, Body, Document, DocumentId, Json, split_local

SHARDED = "{type}/{shard}/{id}.json"
FLAT = "{type}/{id}.json"
PATTERNS = (SHARDED, FLAT)
PATTERN = "pattern"

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,190}", re.ASCII)
_SAFE_SHARD = re.compile(r"[A-Za-z0-9]{2}", re.ASCII)
_ID_KEY = re.compile(rb'"_id"\s*:')
_TYPE_KEY = re.compile(rb'"type"\s*:')
_TYPE_NAMES = frozenset(type_name(key) for key in ID_PREFIXES)


class DocumentsJson:
    """The format ``documents.json``; see `sopor.formats.base.Format`."""

    name = "documents.json"

    def recognises(self, path: str, data: bytes) -> bool:
        """Tells whether a ``.json`` file looks like one document of Insomnia's."""
        if not path.lower().endswith(".json") or not _ID_KEY.search(data):
            return False
        start = data.lstrip(b"\xef\xbb\xbf \t\r\n")
        if not start.startswith((b"{", b"<<<<<<<")) or not _TYPE_KEY.search(data):
            return False
        try:
            body = _from_file(JsonText(data.decode().removeprefix("\ufeff"), path).whole())
        except (FormatError, UnicodeDecodeError):
            return not _TYPE_NAMES.isdisjoint(path.split("/")[:-1])
        identity, document_type = body.get("_id"), body.get("_type")
        if not isinstance(identity, str) or not isinstance(document_type, str):
            return False
        return document_type in ID_PREFIXES and (
            "parentId" in body or _tree_of(path, identity, document_type) is not None
        )

    def read(self, data: bytes, path: str, limits: Limits = DEFAULT_LIMITS) -> FileContent:
        """Returns the one document of the file."""
        source = JsonText(decode_text(data, path, limits), path)
        value = source.whole()
        if not isinstance(value, dict):
            raise FormatError("expected one document as an object", path=path, line=1)
        if not isinstance(value.get("_type", value.get("type")), str):
            raise FormatError(
                "type must be a string",
                path=path,
                line=1,
                hint="every document says what it is, such as Request or Environment",
            )
        documents = gather([Found(_from_file(value), "the document", lambda: 1)], path)
        shared, local = split_local(documents)
        tree = _tree_of(path, documents[0].id, documents[0].type)
        if tree is not None:
            return FileContent(tree_record(*tree), shared, local, in_tree=True)
        return FileContent(make_record(path, self.name, shared), shared, local)

    def write(
        self,
        record: Document,
        documents: Iterable[Document],
        local: Iterable[Document] = (),
        previous: bytes | None = None,
    ) -> bytes:
        """Returns the bytes of the file with the one document."""
        everything = list(by_id([*local, *documents]).values())
        path = str(record.body.get("path"))
        if len(everything) != 1:
            raise FormatError(f"expected one document, not {len(everything)}", path=path)
        wanted = _to_file(everything[0])
        text, before = _existing(previous)
        if previous is not None and before is not None and same_json(before, wanted):
            return previous
        if before is None or text is None:
            body = {key: _sorted(wanted[key]) for key in sorted(wanted)}
            return (JsonStyle().print(body) + "\n").encode()
        style = JsonStyle.of(text.lstrip())
        end = text[len(text.rstrip()) :]
        return TextStyle.of(previous).encode(style.print(_as_before(wanted, before)) + end)


def tree_record(folder: str, pattern: str) -> Document:
    """Returns the record of a tree below a folder."""
    identity = record_id(f"{folder}/{pattern}")
    body: Body = {
        "_id": identity,
        "_type": RECORD_TYPE,
        "path": folder,
        "format": DocumentsJson.name,
        PATTERN: pattern,
    }
    return Document(identity, RECORD_TYPE, body)


def is_tree(record: Document) -> bool:
    """Tells whether a record stands for a tree of files."""
    return record.body.get("format") == DocumentsJson.name and record.body.get(PATTERN) in PATTERNS


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


def _tree_of(path: str, identity: str, document_type: str) -> tuple[str, str] | None:
    """Returns the folder and the pattern of the tree in which a path is a document's place."""
    for pattern in PATTERNS:
        below = _below(pattern, identity, document_type)
        if path == below:
            return ROOT_FOLDER, pattern
        if path.endswith(f"/{below}"):
            return path[: -len(below) - 1], pattern
    return None


def _from_file(value: Json) -> Body:
    """Returns a document's body for a file's object."""
    if not isinstance(value, dict):
        return {}
    name = value.get("type")
    if "_type" in value or not isinstance(name, str):
        return value
    return {key: value[key] for key in value if key != "type"} | {"_type": type_key(name)}


def _to_file(document: Document) -> Body:
    body = document.body
    if "type" in body:
        return body
    shown: Body = {key: body[key] for key in body if key != "_type"}
    shown["type"] = type_name(document.type)
    return shown


def _existing(previous: bytes | None) -> tuple[str | None, Body | None]:
    if previous is None:
        return None, None
    try:
        text = decode_text(previous, "", DEFAULT_LIMITS).replace("\r\n", "\n")
        value = JsonText(text, "").whole()
    except FormatError:
        return None, None
    return text, value if isinstance(value, dict) else None


def _as_before(value: Json, before: Json) -> Json:
    """Returns a value with its keys in the order of an existing one, new ones in the alphabet's."""
    if isinstance(value, dict):
        old = before if isinstance(before, dict) else {}
        return {key: _as_before(value[key], old.get(key)) for key in merge_keys(sorted(value), old)}
    if isinstance(value, list):
        olds = before if isinstance(before, list) else []
        padded = [*olds, *[None] * (len(value) - len(olds))]
        return [_as_before(item, padded[place]) for place, item in enumerate(value)]
    return value


def _sorted(value: Json) -> Json:
    return _as_before(value, None)


def single_id(record: Document) -> DocumentId | None:
    """Returns the id of the one document of a file outside of a tree; None for other records."""
    if record.body.get("format") != DocumentsJson.name or is_tree(record):
        return None
    for name in ("roots", "extras"):
        listed = record.body.get(name)
        if isinstance(listed, list) and listed and isinstance(listed[0], str):
            return DocumentId(listed[0])
    return None
