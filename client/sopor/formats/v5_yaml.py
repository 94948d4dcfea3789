"""Insomnia's v5 files: one workspace a file, as YAML, schema 5.0 to 5.2.

Its workspace is the record's only root. Of the container the record keeps ``schema_version``.
Documents that a v5 file has no place for (proto files, a second cookie jar) are written under the
top-level key ``_resources``, which Insomnia ignores. What a v4 export said of itself goes through
v5 files under ``_container`` and ``_containerOrder``, which the record keeps as that of v4 does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sopor.formats import v4
from sopor.formats.base import DEFAULT_LIMITS, FileContent, Limits
from sopor.formats.errors import FormatError
from sopor.formats.gather import gather
from sopor.formats.ordering import order_json
from sopor.formats.record import make_record, record_roots
from sopor.formats.text import TextStyle
from sopor.formats.v5_read import TreeReader
from sopor.formats.v5_resource import CONTAINER, CONTAINER_ORDER, SCHEMA, is_file_type
from sopor.formats.v5_write import TreeWriter
from sopor.formats.yaml_file import line_in, parse_file
from sopor.formats.yaml_patch import emit_like
from sopor.formats.yaml_write import emit_yaml
from sopor.model.document import Body, Document, DocumentId, parent_of, split_local
from sopor.records import dataclass

_MARK = re.compile(
    rb"^type:[ \t]*([\"']?)[A-Za-z]+\.insomnia(?:\.rest)?/5\.[0-9]+\1[ \t]*(?:#.*)?\r?$",
    re.MULTILINE,
)


_CARRIED = ((CONTAINER, dict, "mapping"), (CONTAINER_ORDER, list, "list"))


@dataclass(frozen=True, slots=True)
class _Existing:
    whole: Body
    content: FileContent
    objects: dict[DocumentId, Body]


class V5Yaml:
    """The format ``insomnia.v5.yaml``; see `sopor.formats.base.Format`."""

    name = "insomnia.v5.yaml"

    def recognises(self, path: str, data: bytes) -> bool:
        """Tells whether a YAML file looks like a v5 file."""
        return path.lower().endswith((".yaml", ".yml")) and bool(_MARK.search(data))

    def read(self, data: bytes, path: str, limits: Limits = DEFAULT_LIMITS) -> FileContent:
        """Returns what the file says."""
        return self._read(data, path, limits).content

    def write(
        self,
        record: Document,
        documents: Iterable[Document],
        local: Iterable[Document] = (),
        previous: bytes | None = None,
    ) -> bytes:
        """Returns the bytes of the file."""
        path = str(record.body.get("path"))
        existing = self._try_read(previous, path)
        content = existing.content if existing else None
        everything = v4.with_local(documents, local, content)
        if previous is not None and content and v4.says_the_same(content, record, everything):
            return previous
        writer = TreeWriter(
            path,
            everything,
            schema=record.body.get(SCHEMA),
            frame=_frame(record, existing.whole if existing else {}),
            before=existing.objects if existing else {},
            parents={item.id: parent_of(item) for item in content.everything} if content else {},
        )
        whole = writer.write(_workspace(record, everything, path))
        style = TextStyle.of(previous)
        if previous is None or existing is None:
            return style.encode(emit_yaml(whole))
        return style.encode(emit_like(whole, style.text(previous), existing.whole))

    def _try_read(self, data: bytes | None, path: str) -> _Existing | None:
        try:
            return None if data is None else self._read(data, path, DEFAULT_LIMITS)
        except FormatError:
            return None

    def _read(self, data: bytes, path: str, limits: Limits) -> _Existing:
        whole = parse_file(data, path, limits)
        if not isinstance(whole, dict) or not is_file_type(whole.get("type")):
            raise FormatError(
                "expected a type such as collection.insomnia.rest/5.0", path=path, line=1
            )
        reader = TreeReader(path, data)
        shared, local = split_local(gather(reader.read(whole), path))
        record = make_record(path, self.name, shared, _container(whole, path, data))
        return _Existing(whole, FileContent(record, shared, local), reader.objects)


def _container(whole: Body, path: str, data: bytes) -> Body:
    """Returns what the record keeps of the file itself."""
    container: Body = {SCHEMA: whole[SCHEMA]} if whole.get(SCHEMA) is not None else {}
    for key, kind, wanted in _CARRIED:
        value = whole.get(key)
        if value is None:
            continue
        if not isinstance(value, kind):
            raise FormatError(f"{key} must be a {wanted}", path=path, line=line_in(data, (key,)))
        container[key.removeprefix("_")] = value
    return container


def _frame(record: Document, before: Body) -> Body:
    """Returns the same for the file, without the schema, in the order of an existing file."""
    found = ((key, record.body.get(key.removeprefix("_")), kind) for key, kind, _ in _CARRIED)
    return {
        key: order_json(value, before.get(key))
        for key, value, kind in found
        if isinstance(value, kind)
    }


def _workspace(record: Document, everything: Iterable[Document], path: str) -> Document:
    """Returns the document that the whole file stands for."""
    roots = record_roots(record)
    found = [item for item in everything if item.type == "workspace"]
    if len(found) == 1 and roots in {(found[0].id,), ()}:
        return found[0]
    count = len(found) or "no"
    raise FormatError(
        f"a v5 file holds one workspace, not {count}",
        path=path,
        hint="export to v4, or give each workspace a file of its own",
    )
