"""JSON files with one document each, in a tree (`sopor.formats.trees`) or elsewhere.

This is how older tools around Insomnia, and its database, name types: ``"type": "Request"``. The
file's ``type`` is the document's ``_type`` under its other name (`sopor.formats.types`); a file
that has both keys is taken as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sopor.formats.base import DEFAULT_LIMITS, FileContent, Limits
from sopor.formats.compare import same_json
from sopor.formats.errors import FormatError
from sopor.formats.json_text import JsonStyle, JsonText
from sopor.formats.one_document import as_before, from_file, only_document, read_one, to_file
from sopor.formats.text import TextStyle, decode_text
from sopor.formats.trees import FLAT, JSON_FORMAT, SHARDED, tree_of
from sopor.formats.types import ID_PREFIXES, type_name
from sopor.model.document import Body, Document

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
        return read_one(source.whole(), path, self.name, _PATTERNS, "an object", lambda _: 1)

    def write(
        self,
        record: Document,
        documents: Iterable[Document],
        local: Iterable[Document] = (),
        previous: bytes | None = None,
    ) -> bytes:
        """Returns the bytes of the file with the one document."""
        wanted = to_file(only_document(record, documents, local))
        text, before = _existing(previous)
        if previous is not None and before is not None and same_json(before, wanted):
            return previous
        if before is None or text is None:
            return (JsonStyle().print(as_before(wanted, None)) + "\n").encode()
        style = JsonStyle.of(text.lstrip())
        end = text[len(text.rstrip()) :]
        return TextStyle.of(previous).encode(style.print(as_before(wanted, before)) + end)


def _existing(previous: bytes | None) -> tuple[str | None, Body | None]:
    if previous is None:
        return None, None
    try:
        text = decode_text(previous, "", DEFAULT_LIMITS).replace("\r\n", "\n")
        value = JsonText(text, "").whole()
    except FormatError:
        return None, None
    return text, value if isinstance(value, dict) else None
