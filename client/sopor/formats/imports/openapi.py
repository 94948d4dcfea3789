"""Reads OpenAPI 3 and Swagger 2 descriptions into requests.

The description itself becomes the design document, each tag a folder, each operation a request, the
first server ``base_url`` in the base environment, and every further one an environment below it.
Ids are made from the title of the description and from method and path of an operation, so that a
new version of the description meets the requests of the old one.
Source: OpenAPI Specification 3.0 and 3.1, Swagger 2.0.
"""

from __future__ import annotations

from sopor.formats.errors import FormatError
from sopor.formats.imports.base import Collector, Imported
from sopor.formats.imports.openapi_request import Description, request_of
from sopor.formats.imports.values import list_of, object_of, objects_of, text_of
from sopor.model.document import Body, DocumentId, Json

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def is_openapi(value: Json) -> bool:
    """Tells whether a value is an OpenAPI 3 or Swagger 2 description."""
    body = object_of(value)
    version = body.get("openapi", body.get("swagger"))
    return text_of(version).startswith(("3.", "2.0", "2")) and (
        "info" in body or "paths" in body or "webhooks" in body
    )


def import_openapi(value: Json, path: str, data: bytes) -> Imported:
    """Returns the documents of a description.

    Args:
        value: the description.
        path: its file, for errors and, where it has no title, for its name.
        data: its bytes, which the design document keeps as text.

    Raises:
        FormatError: ``paths`` is no object.
    """
    body = object_of(value)
    if not isinstance(body.get("paths", {}), dict):
        raise FormatError("paths must be an object", path=path, line=1)
    name = text_of(object_of(body.get("info")).get("title")) or path.rpartition("/")[2]
    collector = Collector(f"openapi\0{name}")
    about = text_of(object_of(body.get("info")).get("description"))
    workspace = collector.add(
        "workspace", "", None, {"name": name, "description": about, "scope": "design"}
    )
    collector.add(
        "api_spec",
        "",
        workspace,
        {
            "fileName": path.rpartition("/")[2],
            "contents": data.decode().removeprefix("\ufeff"),
            "contentType": "json" if path.lower().endswith(".json") else "yaml",
        },
    )
    description = Description(body)
    _environments(collector, workspace, description)
    _operations(collector, workspace, description)
    for webhook in object_of(body.get("webhooks")):
        collector.note(f"the webhook {webhook} is in the design document only: nothing calls it")
    return collector.done("OpenAPI description")


def _environments(collector: Collector, workspace: DocumentId, description: Description) -> None:
    servers = description.servers()
    data: Body = {"base_url": servers[0][1]}
    data.update(dict.fromkeys(sorted(description.variables()), ""))
    base = collector.add(
        "environment",
        "base",
        workspace,
        {"name": "Base Environment", "data": data, "metaSortKey": 1},
    )
    for number, (name, url) in enumerate(servers if len(servers) > 1 else []):
        collector.add(
            "environment",
            f"server {url}",
            base,
            {"name": name, "data": {"base_url": url}, "metaSortKey": number + 1},
        )


def _operations(collector: Collector, workspace: DocumentId, description: Description) -> None:
    folders: dict[str, DocumentId] = {}
    for tag in objects_of(description.body.get("tags")):
        _folder(collector, workspace, folders, text_of(tag.get("name")), tag)
    for path, item in object_of(description.body.get("paths")).items():
        shared = object_of(description.resolved(item))
        for method in METHODS:
            operation = shared.get(method)
            if not isinstance(operation, dict):
                continue
            tags = [text_of(tag) for tag in list_of(operation.get("tags"))]
            parent = workspace
            if tags and tags[0]:
                parent = _folder(collector, workspace, folders, tags[0], {})
            if len(tags) > 1:
                collector.note(
                    f"{method.upper()} {path} has {len(tags)} tags; it lies in {tags[0]}"
                )
            fields = request_of(description, path, method, shared, collector)
            collector.add("request", f"{method} {path}", parent, fields)


def _folder(
    collector: Collector,
    workspace: DocumentId,
    folders: dict[str, DocumentId],
    name: str,
    tag: Body,
) -> DocumentId:
    if name not in folders:
        fields: Body = {"name": name, "description": text_of(tag.get("description"))}
        folders[name] = collector.add("request_group", f"tag {name}", workspace, fields)
    return folders[name]
