"""What the two notations of Insomnia's v4 export share: one flat list of resources in a container.

The resources are the documents, as they are. Of the container, the record keeps every key but
``resources`` under ``container``, and under ``containerOrder`` the order of all keys where it is
not Insomnia's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from sopor.formats.base import FileContent
from sopor.formats.compare import by_id, same_documents, same_json
from sopor.formats.errors import FormatError
from sopor.formats.gather import Found, gather
from sopor.formats.ordering import depth_first, keep_order
from sopor.formats.record import make_record
from sopor.model.document import Body, Document, Json, split_local

RESOURCES = "resources"
SCHEMAS = "_schemas"
CONTAINER_KEYS = (
    *("_type", "__export_format", "__export_date", "__export_source"),
    *(RESOURCES, SCHEMAS),
)
JSON_MARK = re.compile(rb'"__export_format"\s*:\s*4\b')
YAML_MARK = re.compile(rb"^__export_format:[ \t]*4[ \t]*\r?$", re.MULTILINE)


def content_of(
    path: str, format_name: str, container: Mapping[str, Json], resources: Iterable[Found]
) -> FileContent:
    """Returns what a v4 file says.

    Args:
        path: the file's path.
        format_name: the name for its record.
        container: its outermost object; the value of ``resources`` does not matter here.
        resources: what is in the list.

    Raises:
        FormatError: see `gather`.
    """
    shared, local = split_local(gather(resources, path))
    fields: Body = {"container": {key: container[key] for key in container if key != RESOURCES}}
    if list(container) != [key for key in CONTAINER_KEYS if key in container]:
        fields["containerOrder"] = list[Json](container)
    return FileContent(make_record(path, format_name, shared, fields), shared, local)


def container_of(record: Document) -> Body:
    """Returns a file's outermost object in its order, with an empty list of resources."""
    kept = record.body.get("container")
    container: Body = dict(kept) if isinstance(kept, dict) else {}
    container[RESOURCES] = []
    order = record.body.get("containerOrder")
    wanted = [key for key in order if isinstance(key, str)] if isinstance(order, list) else []
    keys = dict.fromkeys([*wanted, *CONTAINER_KEYS, *sorted(container)])
    return {key: container[key] for key in keys if key in container}


def with_local(
    documents: Iterable[Document], local: Iterable[Document], previous: FileContent | None
) -> list[Document]:
    """Returns all that a file shall hold: also the local documents that it holds already."""
    everything = by_id(previous.local) if previous else {}
    everything.update(by_id(local))
    everything.update(by_id(documents))
    return list(everything.values())


def says_the_same(previous: FileContent, record: Document, everything: Sequence[Document]) -> bool:
    """Tells whether an existing file holds exactly this record and these documents."""
    return same_json(previous.record.body, record.body) and same_documents(
        previous.everything, everything
    )


def in_order(everything: Sequence[Document], previous: Iterable[Document] | None) -> list[Document]:
    """Returns documents in the order for a file, as far as possible that of the existing one."""
    ordered = depth_first(everything)
    return keep_order(ordered, [item.id for item in previous]) if previous else ordered


def require_container(value: Json, path: str) -> Body:
    """Returns a parsed v4 file as an object with a list of resources; raises `FormatError`."""
    if not isinstance(value, dict):
        raise FormatError("expected an object with resources", path=path, line=1)
    if not isinstance(value.get(RESOURCES), list):
        raise FormatError("expected a list of resources", path=path, line=1)
    return value
