"""A document: one JSON object with an ``_id`` and a ``_type``, shaped like Insomnia's resources.

Nothing here knows which types or fields Insomnia has, apart from what says which documents stay on
one machine. The limit on a document's bytes is checked where the bytes are (`sopor_core.limits`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import ClassVar, NewType, TypeAlias, cast

from sopor.errors import InvalidInput
from sopor.records import dataclass
from sopor_core.canonical import Json

__all__ = [
    "Body",
    "Document",
    "DocumentError",
    "DocumentId",
    "Json",
    "is_local",
    "parent_of",
    "split_local",
    "split_modified",
    "with_modified",
]

Body: TypeAlias = dict[str, Json]
DocumentId = NewType("DocumentId", str)

RECORD_TYPE = "sopor_file"
"""The ``_type`` of the records that say how documents lie in files (`sopor.formats.record`)."""

MODIFIED = "modified"
"""The field that stays on one machine: Insomnia sets it with each save."""

MAX_ID_LENGTH = 200
MAX_DEPTH = 100
_UNFIT_FOR_IDS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LOCAL_TYPES = frozenset({"cookie_jar"})


class DocumentError(InvalidInput):
    """Says that a JSON value is not a document: ``message`` says what, ``where`` says which one."""

    code: ClassVar[str] = "invalid-document"

    def __init__(self, message: str, *, where: str, hint: str | None = None) -> None:
        super().__init__(f"{where}: {message}", hint=hint)
        self.reason = message
        self.where = where


@dataclass(frozen=True, slots=True)
class Document:
    """One resource of a project: ``body`` is the whole JSON object, ``_id`` and ``_type`` included.

    A body is shared between documents, files and states: whoever changes one makes a new one.
    """

    id: DocumentId
    type: str
    body: Body

    @classmethod
    def from_json(cls, value: Json, where: str) -> Document:
        """Returns the document that a JSON value holds.

        Args:
            value: a JSON object; it is kept, not copied.
            where: what to call it in an error, such as a path or a position in a list.

        Raises:
            DocumentError: the value is no object, has no usable ``_id`` (1 to 200 characters, none
                of them a control character) or ``_type``, has a ``parentId`` that is neither a
                string nor null, is nested deeper than 100, or holds what JSON can't: other keys
                than strings, NaN, infinities, lone surrogates.
        """
        if not isinstance(value, dict):
            raise DocumentError(f"expected an object, found {_kind(value)}", where=where)
        document_id = checked_id(value.get("_id"), where)
        name = f"{where} ({document_id})"
        document_type = value.get("_type")
        if not isinstance(document_type, str):
            raise DocumentError(
                f"_type must be a string, found {_kind(document_type)}",
                where=name,
                hint="every document says what it is, such as request or environment",
            )
        parent = value.get("parentId")
        if parent is not None and not isinstance(parent, str):
            raise DocumentError(
                f"parentId must be a string, found {_kind(parent)}",
                where=name,
                hint="name the folder or workspace that it lies in by its id",
            )
        check_json(value, name)
        return cls(document_id, document_type, value)


def checked_id(value: object, where: str) -> DocumentId:
    """Returns a value as a document id, or raises `DocumentError`."""
    if not isinstance(value, str) or not value:
        found = "an empty string" if value == "" else _kind(value)
        raise DocumentError(
            f"_id must be a non-empty string, found {found}",
            where=where,
            hint="give the document an id that no other document has",
        )
    if len(value) > MAX_ID_LENGTH:
        raise DocumentError(
            f"_id has {len(value)} characters, at most {MAX_ID_LENGTH} are allowed", where=where
        )
    if _UNFIT_FOR_IDS.search(value):
        raise DocumentError("_id holds a control character", where=where)
    return DocumentId(value)


def check_json(value: Json, where: str) -> None:
    """Checks that a value is JSON, at most 100 levels deep; raises `DocumentError` if not."""
    level: list[Json] = [value]
    for _ in range(MAX_DEPTH + 1):
        inside: list[Json] = []
        for item in level:
            # One loop for all kinds: this sees every text of a project in most commands.
            kind = type(item)
            if kind is str:
                text = cast("str", item)
                if not text.isascii() and _SURROGATE.search(text):
                    raise _half_a_pair(where)
            elif kind is dict:
                mapping = cast("Body", item)
                _check_keys(mapping, where)
                inside += mapping.values()
            elif kind is list:
                inside += cast("list[Json]", item)
            elif not (item is None or kind is bool or kind is int):
                _check_float(item, where)
        level = inside
        if not level:
            return
    raise DocumentError(f"nested deeper than {MAX_DEPTH} levels", where=where)


def _check_keys(mapping: Body, where: str) -> None:
    for key in mapping:
        if type(key) is not str:
            raise DocumentError(f"the key {key!r} is not a string", where=where)
        if not key.isascii() and _SURROGATE.search(key):
            raise _half_a_pair(where)


def _check_float(item: Json, where: str) -> None:
    if type(item) is not float:
        raise DocumentError(f"{_kind(item)} is not a JSON value", where=where)
    if not isfinite(item):
        raise DocumentError(
            f"the number {item} has no place in JSON",
            where=where,
            hint="write a finite number or a string instead",
        )


def _half_a_pair(where: str) -> DocumentError:
    return DocumentError("a text holds half of a surrogate pair", where=where)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    if value is None:
        return "nothing"
    return names.get(type(value)) or (
        "a number" if isinstance(value, int | float) else f"a {type(value).__name__}"
    )


def split_modified(document: Document) -> tuple[Document, Json]:
    """Returns a document without the time of its last edit, and that time; None if it has none.

    ``modified`` says when this machine touched a document. Shared, it would be a change of its own
    with each save, and the only one wherever two people save the same.
    """
    time = document.body.get(MODIFIED)
    if isinstance(time, bool) or not isinstance(time, int | float):
        return document, None
    body = {key: value for key, value in document.body.items() if key != MODIFIED}
    return Document(document.id, document.type, body), time


def with_modified(document: Document, time: Json) -> Document:
    """Returns a document with the time of its last edit, unless it has one or there is none."""
    if time is None or MODIFIED in document.body:
        return document
    return Document(document.id, document.type, {**document.body, MODIFIED: time})


def parent_of(document: Document) -> DocumentId | None:
    """Returns the id that the document names as its parent, if it names one."""
    parent = document.body.get("parentId")
    return DocumentId(parent) if isinstance(parent, str) and parent else None


def is_local(document: Document) -> bool:
    """Tells whether a document by itself is one that never leaves the machine.

    Cookie jars and private environments are. What lies below one is local as well: `split_local`
    finds that.
    """
    if document.type in _LOCAL_TYPES:
        return True
    return document.type == "environment" and document.body.get("isPrivate") is True


def split_local(
    documents: Iterable[Document],
) -> tuple[tuple[Document, ...], tuple[Document, ...]]:
    """Returns the documents to share and those that stay on this machine, each in order."""
    everything = tuple(documents)
    by_id = {document.id: document for document in everything}
    known: dict[DocumentId, bool] = {}
    local = {document.id for document in everything if _lies_in_local(document, by_id, known)}
    shared = tuple(document for document in everything if document.id not in local)
    return shared, tuple(document for document in everything if document.id in local)


def _lies_in_local(
    document: Document, by_id: Mapping[DocumentId, Document], known: dict[DocumentId, bool]
) -> bool:
    trail: dict[DocumentId, None] = {}
    at: Document | None = document
    answer = False
    while at is not None and at.id not in trail:
        if at.id in known or is_local(at):
            answer = known.get(at.id, True)
            break
        trail[at.id] = None
        parent = parent_of(at)
        at = by_id.get(parent) if parent else None
    known.update(dict.fromkeys([*trail, document.id], answer))
    return answer
