"""Writes the OpenAPI 3.1 document from the route table, the endpoints and the wire models.

    python -m sopor_server.openapi [FILE]

writes `functions/openapi.json`; a test refuses one that is not fresh.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from sopor_core.wire import models, parts, problems
from sopor_core.wire.events import STREAM_TYPE
from sopor_core.wire.problems import Code
from sopor_core.wire.routes import ROUTES, Operation, Route
from sopor_server import __version__
from sopor_server.app.application import PROTOCOL_HEADER
from sopor_server.app.endpoints import ENDPOINTS, OCTETS

_PROTOCOL = {"$ref": "#/components/parameters/Protocol"}
FILE = Path(__file__).parents[1] / "openapi.json"
Object = dict[str, Any]

_REQUESTS: Mapping[Operation, type[BaseModel]] = {
    Operation.ACCOUNT_CREATE: models.AccountCreate,
    Operation.LOGIN_CHALLENGE: models.ChallengeRequest,
    Operation.LOGIN: models.LoginRequest,
    Operation.LOGIN_REFRESH: models.RefreshRequest,
    Operation.CREDENTIALS_CHANGE: models.CredentialsChange,
    Operation.KEYS_CHANGE: models.KeysChange,
    Operation.PACK_ADDRESS: models.PackOffer,
}
_EMPTY = ""
_ANSWERS: Mapping[Operation, Mapping[int, type[BaseModel] | str]] = {
    Operation.HEALTH: {200: models.Health},
    Operation.META: {200: models.Meta},
    Operation.ACCOUNT_CREATE: {201: models.Session},
    Operation.LOGIN_CHALLENGE: {200: models.Challenge},
    Operation.LOGIN: {200: models.Session},
    Operation.LOGIN_REFRESH: {200: models.AccessToken},
    Operation.ACCOUNT: {200: models.AccountAnswer},
    Operation.CREDENTIALS_CHANGE: {204: _EMPTY},
    Operation.KEYS_CHANGE: {204: _EMPTY},
    Operation.DEVICES: {200: models.Devices},
    Operation.DEVICE_REVOKE: {204: _EMPTY},
    Operation.PROJECTS: {200: models.Projects},
    Operation.ORGANIZATIONS: {200: models.Organizations},
    Operation.ORG_CREATE: {201: _EMPTY},
    Operation.ORG_HEADS: {200: models.Heads},
    Operation.ORG_ENTRIES: {200: parts.MEDIA_TYPE},
    Operation.ORG_APPEND: {201: _EMPTY, 409: parts.MEDIA_TYPE},
    Operation.PUSH: {201: _EMPTY, 409: parts.MEDIA_TYPE},
    Operation.BRANCHES_CHANGE: {201: _EMPTY, 409: parts.MEDIA_TYPE},
    Operation.BRANCHES: {200: models.Branches},
    Operation.REVERT: {201: _EMPTY, 409: parts.MEDIA_TYPE},
    Operation.PULL: {200: parts.MEDIA_TYPE, 204: _EMPTY},
    Operation.PACK_PUT: {200: _EMPTY, 201: _EMPTY},
    Operation.PACK_ADDRESS: {200: models.PackAddress, 204: _EMPTY},
    Operation.PACK_GET: {200: OCTETS, 206: OCTETS, 307: _EMPTY},
    Operation.EVENTS: {200: models.Events, 304: _EMPTY},
    Operation.PRESENCE_PUT: {204: _EMPTY},
    Operation.PRESENCE_GET: {200: models.Presences},
}
_TITLES = {
    200: "Success",
    201: "Created",
    204: "Success without a body",
    206: "A part",
    304: "Nothing is new",
    307: "The storage has it, at `Location`",
}
_AFTER = ("after", "number of the newest entry that the client has", {"type": "integer"})
_QUERIES: Mapping[Operation, tuple[tuple[str, str, Object], ...]] = {
    Operation.ORG_ENTRIES: (
        _AFTER,
        ("invite", "token of an open invite, of who is no member", {"type": "string"}),
    ),
    Operation.ORG_APPEND: (("invite", "token of the invite, of who joins", {"type": "string"}),),
    Operation.PULL: (
        _AFTER,
        ("hash", "hash of that entry, base64url", {"type": "string"}),
        ("members", "number of its newest membership entry", {"type": "integer"}),
    ),
    Operation.EVENTS: (
        ("projects", "ids with commas between them; all without it", {"type": "string"}),
        ("after", "cursor; the header `Last-Event-ID` counts in its place", {"type": "string"}),
        ("presence", "1: a stream tells who is present as well", {"type": "string"}),
    ),
}


def document() -> Object:
    """Returns the OpenAPI document."""
    paths: dict[str, Object] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sopor",
            "version": __version__,
            "description": "Stores sealed packs and signed logs. `shared/SPEC.md` defines the bytes"
            " inside; ids and bytes are base64url without padding.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"access_token": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"access_token": {"type": "http", "scheme": "bearer"}},
            "responses": {"Problem": _problem()},
            "parameters": {"Protocol": _protocol()},
        },
    }


def _operation(route: Route) -> Object:
    endpoint = ENDPOINTS[route.operation]
    result: Object = {
        "operationId": str(route.operation),
        "summary": (inspect.getdoc(endpoint.load()) or "").partition("\n")[0].rstrip("."),
        "parameters": [*_path_parameters(route), *_query_parameters(route), _PROTOCOL],
        "responses": {str(status): _answer(route, status) for status in _ANSWERS[route.operation]},
    }
    result["responses"]["default"] = {"$ref": "#/components/responses/Problem"}
    if not route.authenticated:
        result["security"] = []
    if endpoint.media_type is not None:
        request = _REQUESTS.get(route.operation)
        schema = _reference(request) if request else _binary()
        result["requestBody"] = {
            "required": True,
            "description": f"at most {endpoint.limit} bytes",
            "content": {endpoint.media_type: {"schema": schema}},
        }
    return result


def _path_parameters(route: Route) -> Iterator[Object]:
    for name in re.findall(r"{(\w+)}", route.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameters(route: Route) -> Iterator[Object]:
    for name, description, schema in _QUERIES.get(route.operation, ()):
        yield {"name": name, "in": "query", "description": description, "schema": schema}


def _protocol() -> Object:
    return {
        "name": PROTOCOL_HEADER,
        "in": "header",
        "description": "the client's protocol version",
        "schema": {"type": "integer"},
    }


def _answer(route: Route, status: int) -> Object:
    kind = _ANSWERS[route.operation][status]
    if kind == _EMPTY:
        return {"description": _TITLES[status]}
    if isinstance(kind, str):
        content: Object = {kind: {"schema": _binary()}}
        if status == 409:
            content[problems.MEDIA_TYPE] = {"schema": _reference(models.Problem)}
        title = _TITLES.get(status, "A log has moved; holds what the client lacks")
        return {"description": title, "content": content}
    content = {"application/json": {"schema": _reference(kind)}}
    if route.operation is Operation.EVENTS:
        content[STREAM_TYPE] = {"schema": {"type": "string"}}
    return {"description": _TITLES[status], "content": content}


def _problem() -> Object:
    codes = ", ".join(f"`{code}` ({problems.MEANINGS[code].status})" for code in Code)
    return {
        "description": f"RFC 9457 problem document; `code` is one of {codes}",
        "content": {problems.MEDIA_TYPE: {"schema": _reference(models.Problem)}},
    }


def _binary() -> Object:
    return {"type": "string", "format": "binary"}


def _reference(model: type[BaseModel]) -> Object:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _schemas() -> Object:
    answers = (kind for kinds in _ANSWERS.values() for kind in kinds.values())
    used: set[type[BaseModel]] = {*_REQUESTS.values(), models.Problem, models.PullControl}
    used |= {kind for kind in answers if not isinstance(kind, str)}
    ordered = sorted(used, key=lambda model: model.__name__)
    _, schema = models_json_schema(
        [(model, "validation") for model in ordered],
        ref_template="#/components/schemas/{model}",
    )
    definitions: Object = schema["$defs"]
    return definitions


def rendered() -> str:
    """Returns the document as the file holds it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else FILE).write_text(rendered(), encoding="utf-8")
