"""Insomnia's v4 export as YAML."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from sopor.formats import v4
from sopor.formats.base import DEFAULT_LIMITS, FileContent, Limits
from sopor.formats.compare import by_id, same_json
from sopor.formats.errors import FormatError
from sopor.formats.gather import Found, name_of
from sopor.formats.ordering import order_body
from sopor.formats.text import TextStyle
from sopor.formats.yaml_file import line_in, parse_file
from sopor.formats.yaml_patch import emit_like
from sopor.formats.yaml_write import emit_yaml
from sopor.model.document import Body, Document, DocumentId, Json


class V4Yaml:
    """The format ``insomnia.v4.yaml``; see `sopor.formats.base.Format`."""

    name = "insomnia.v4.yaml"

    def recognises(self, path: str, data: bytes) -> bool:
        """Tells whether a YAML file looks like a v4 export."""
        return path.lower().endswith((".yaml", ".yml")) and bool(v4.YAML_MARK.search(data))

    def read(self, data: bytes, path: str, limits: Limits = DEFAULT_LIMITS) -> FileContent:
        """Returns what the file says."""
        container = v4.require_container(parse_file(data, path, limits), path)
        return self._content(container, path, data)

    def write(
        self,
        record: Document,
        documents: Iterable[Document],
        local: Iterable[Document] = (),
        previous: bytes | None = None,
    ) -> bytes:
        """Returns the bytes of the file."""
        path = str(record.body.get("path"))
        bodies: dict[DocumentId, Body] = {}
        container: Body = {}
        content = None
        if previous is not None:
            try:
                container = v4.require_container(parse_file(previous, path), path)
                content = self._content(container, path, previous)
            except FormatError:
                pass
            else:
                bodies = _bodies(container[v4.RESOURCES])
        everything = v4.with_local(documents, local, content)
        if previous is not None and content and v4.says_the_same(content, record, everything):
            return previous
        known = by_id(content.everything) if content else {}
        ordered = v4.in_order(everything, [known[key] for key in bodies] if content else None)
        whole = v4.container_of(record)
        whole[v4.RESOURCES] = [_body(document, bodies.get(document.id)) for document in ordered]
        style = TextStyle.of(previous)
        if previous is None or content is None:
            return style.encode(emit_yaml(whole))
        return style.encode(emit_like(whole, style.text(previous), container))

    def _content(self, container: Body, path: str, data: bytes) -> FileContent:
        resources = container[v4.RESOURCES]
        found = (
            Found(
                value,
                name_of(value, f"{v4.RESOURCES}[{index}]"),
                partial(line_in, data, [v4.RESOURCES, index]),
            )
            for index, value in enumerate(resources if isinstance(resources, list) else [])
        )
        return v4.content_of(path, self.name, container, found)


def _bodies(resources: Json) -> dict[DocumentId, Body]:
    listed = resources if isinstance(resources, list) else []
    return {DocumentId(str(item["_id"])): item for item in listed if isinstance(item, dict)}


def _body(document: Document, before: Body | None) -> Body:
    if before is not None and same_json(before, document.body):
        return before
    return order_body(document, before)
