"""JSON files with one document each, in a tree (`sopor.formats.trees`) or elsewhere.

This is how older tools around Insomnia, and its database, name types: ``"type": "Request"``. The
file's ``type`` is the document's ``_type`` under its other name (`sopor.formats.types`); a file
that has both keys is taken as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sopor.formats.base import DEFAULT_LIMITS, FileContent, Limits
from sopor.formats.compare import by_id, same_json
from sopor.formats.errors import FormatError
from sopor.formats.gather import Found, gather
from sopor.formats.json_text import JsonStyle, JsonText
from sopor.formats.ordering import merge_keys
from sopor.formats.record import make_record
from sopor.formats.text import TextStyle, decode_text
from sopor.formats.trees import FLAT, JSON_FORMAT, SHARDED, tree_of, tree_record
from sopor.formats.types import ID_PREFIXES, type_key, type_name
from sopor.model.document import Body, Document, Json, split_local

_PATTERNS = (SHARDED, FLAT)
_ID_KEY = re.compile(rb'"_id"\s*:')
_TYPE_KEY = re.compile(rb'"type"\s*:')
_TYPE_NAMES = frozenset(type_name(key) for key in ID_PREFIXES)


class DocumentsJson:
    """The format ``documents.json``; see `sopor.formats.base.Format`."""

    name = JSON_FORMAT

    def recognises(self, path: str, data: bytes) -> bool:
        """Tells whether a ``.json`` file looks like one document of Insomnia's."""
        if not path.lower().endswith(".json") or not _ID_KEY.search(data):
            return False
        start = data.lstrip(b"\xef\xbb\xbf \t\r\n")
        if not start.startswith((b"{", b"<<<<<<<")) or not _TYPE_KEY.search(data):
            return False
        try:
            body = from_file(JsonText(data.decode().removeprefix("\ufeff"), path).whole())
        except (FormatError, UnicodeDecodeError):
            return not _TYPE_NAMES.isdisjoint(path.split("/")[:-1])
        identity, document_type = body.get("_id"), body.get("_type")
        if not isinstance(identity, str) or not isinstance(document_type, str):
            return False
        return document_type in ID_PREFIXES and (
            "parentId" in body or tree_of(path, identity, document_type, _PATTERNS) is not None
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
        documents = gather([Found(from_file(value), "the document", lambda: 1)], path)
        shared, local = split_local(documents)
        tree = tree_of(path, documents[0].id, documents[0].type, _PATTERNS)
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
        wanted = to_file(everything[0])
        text, before = _existing(previous)
        if previous is not None and before is not None and same_json(before, wanted):
            return previous
        if before is None or text is None:
            body = {key: _sorted(wanted[key]) for key in sorted(wanted)}
            return (JsonStyle().print(body) + "\n").encode()
        style = JsonStyle.of(text.lstrip())
        end = text[len(text.rstrip()) :]
        return TextStyle.of(previous).encode(style.print(as_before(wanted, before)) + end)


def from_file(value: Json) -> Body:
    """Returns a document's body for a file's object, which has the type under its name."""
    if not isinstance(value, dict):
        return {}
    name = value.get("type")
    if "_type" in value or not isinstance(name, str):
        return value
    return {key: value[key] for key in value if key != "type"} | {"_type": type_key(name)}


def to_file(document: Document) -> Body:
    """Returns the object for a file of its own: the inverse of `from_file`."""
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


def as_before(value: Json, before: Json) -> Json:
    """Returns a value with its keys in the order of an existing one, new ones in the alphabet's."""
    if isinstance(value, dict):
        old = before if isinstance(before, dict) else {}
        return {key: as_before(value[key], old.get(key)) for key in merge_keys(sorted(value), old)}
    if isinstance(value, list):
        olds = before if isinstance(before, list) else []
        padded = [*olds, *[None] * (len(value) - len(olds))]
        return [as_before(item, padded[place]) for place, item in enumerate(value)]
    return value


def _sorted(value: Json) -> Json:
    return as_before(value, None)
