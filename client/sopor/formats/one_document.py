"""What files with one document each share, in JSON and in YAML.

The file's ``type`` is the document's ``_type`` under its other name (`sopor.formats.types`); a file
that has both keys is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sopor.formats.base import FileContent
from sopor.formats.compare import by_id
from sopor.formats.errors import FormatError
from sopor.formats.gather import Found, gather
from sopor.formats.ordering import merge_keys
from sopor.formats.record import make_record
from sopor.formats.trees import tree_of, tree_record
from sopor.formats.types import type_key, type_name
from sopor.model.document import Body, Document, Json, split_local


def read_one(
    value: Json,
    path: str,
    name: str,
    patterns: Iterable[str],
    notation: str,
    line_of: Callable[[str], int | None],
) -> FileContent:
    """Returns the content of a file that holds one document.

    Args:
        value: what the file says.
        path: the file's path.
        name: the name of its format.
        patterns: the trees that it may belong to.
        notation: what the format calls an object.
        line_of: tells the line of a top-level key.

    Raises:
        FormatError: it is no document.
    """
    if not isinstance(value, dict):
        raise FormatError(f"expected one document as {notation}", path=path, line=1)
    if not isinstance(value.get("_type", value.get("type")), str):
        raise FormatError(
            "type must be a string",
            path=path,
            line=line_of("type") or 1,
            hint="every document says what it is, such as Request or Environment",
        )
    found = Found(from_file(value), "the document", lambda: line_of("_id"))
    documents = gather([found], path)
    shared, local = split_local(documents)
    tree = tree_of(path, documents[0].id, documents[0].type, patterns)
    if tree is not None:
        return FileContent(tree_record(*tree), shared, local, in_tree=True)
    return FileContent(make_record(path, name, shared), shared, local)


def only_document(
    record: Document, documents: Iterable[Document], local: Iterable[Document]
) -> Document:
    """Returns the one document that a file is to hold; raises FormatError for several or none."""
    everything = list(by_id([*local, *documents]).values())
    if len(everything) != 1:
        path = str(record.body.get("path"))
        raise FormatError(f"expected one document, not {len(everything)}", path=path)
    return everything[0]


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


def as_before(value: Json, before: Json) -> Json:
    """Returns a value with its keys in the order of an existing one, new ones in the alphabet's."""
    if before is None:
        return _sorted(value)
    if isinstance(value, dict):
        old = before if isinstance(before, dict) else {}
        return {key: as_before(value[key], old.get(key)) for key in merge_keys(sorted(value), old)}
    if isinstance(value, list):
        olds = before if isinstance(before, list) else []
        padded = [*olds, *[None] * (len(value) - len(olds))]
        return [as_before(item, padded[place]) for place, item in enumerate(value)]
    return value


def _sorted(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value
