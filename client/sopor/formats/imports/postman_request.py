"""Turns one request of a Postman collection into the fields of Insomnia's."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from json import dumps

from sopor.formats.imports.base import KEPT, Collector, leftovers
from sopor.formats.imports.values import list_of, object_of, objects_of, text_of
from sopor.model.document import Body, Json

_ITEM_FIELDS = frozenset(
    {"id", "_postman_id", "uid", "name", "description", "request", "event", "variable"}
)
_REQUEST_FIELDS = frozenset({"method", "url", "header", "body", "auth", "description"})
_PM = re.compile(r"\bpm\.")
_LANGUAGES = {
    "json": "application/json",
    "xml": "application/xml",
    "html": "text/html",
    "javascript": "application/javascript",
    "text": "text/plain",
}


def request_of(item: Body, collector: Collector, way: str) -> Body:
    """Returns the fields of a request; what has no place is noted and kept."""
    value = item.get("request")
    request: Body = {"url": value} if isinstance(value, str) else object_of(value)
    kept = leftovers(item, _ITEM_FIELDS) | leftovers(request, _REQUEST_FIELDS)
    body, odd_body = _body_of(request.get("body"))
    if odd_body:
        kept["body"] = request.get("body")
    if kept:
        collector.note(f"{way}: {', '.join(sorted(kept))} kept in the field {KEPT}, without effect")
    url, query, path_parameters = _url_of(request.get("url"))
    about = request.get("description", item.get("description"))
    return {
        "name": text_of(item.get("name"), "Unnamed"),
        "description": text_of(
            object_of(about).get("content") if isinstance(about, dict) else about
        ),
        "method": text_of(request.get("method"), "GET") or "GET",
        "url": url,
        "parameters": query,
        "pathParameters": path_parameters or None,
        "headers": _headers_of(request.get("header")),
        "body": body,
        "authentication": authentication_of(request.get("auth"), collector, way) or {},
        **scripts_of(item.get("event")),
        KEPT: kept or None,
    }


def _url_of(value: Json) -> tuple[str, list[Json], list[Json]]:
    """Returns the address without its query, the query, and the values of ``:name`` parts."""
    parts = object_of(value)
    raw = text_of(parts.get("raw")) if isinstance(value, dict) else text_of(value)
    if isinstance(value, dict) and not raw:
        raw = _joined(parts)
    query: list[Json] = []
    if isinstance(parts.get("query"), list):
        raw = raw.partition("?")[0]
        query = [_pair(item) for item in objects_of(parts["query"])]
    paths: list[Json] = [
        {"name": text_of(item.get("key")), "value": text_of(item.get("value"))}
        for item in objects_of(parts.get("variable"))
    ]
    return raw, query, paths


def _joined(parts: Body) -> str:
    host = parts.get("host")
    name = ".".join(map(text_of, host)) if isinstance(host, list) else text_of(host)
    path = parts.get("path")
    way = "/".join(map(text_of, path)) if isinstance(path, list) else text_of(path)
    scheme = text_of(parts.get("protocol"))
    port = text_of(parts.get("port"))
    return (
        (f"{scheme}://" if scheme else "")
        + name
        + (f":{port}" if port else "")
        + (f"/{way.lstrip('/')}" if way else "")
    )


def _pair(item: Body, **more: Json) -> Body:
    pair: Body = {
        "name": text_of(item.get("key")),
        "value": text_of(item.get("value")),
        **more,
    }
    about = item.get("description")
    note = text_of(object_of(about).get("content") if isinstance(about, dict) else about)
    if note:
        pair["description"] = note
    if item.get("disabled") is True:
        pair["disabled"] = True
    return pair


def _headers_of(value: Json) -> list[Json]:
    if isinstance(value, str):
        lines = [line.partition(":") for line in value.splitlines() if ":" in line]
        return [{"name": name.strip(), "value": text.strip()} for name, _, text in lines]
    return [_pair(item) for item in objects_of(value)]


def _body_of(value: Json) -> tuple[Body, bool]:
    """Returns a body, and whether something of it has no place."""
    body = object_of(value)
    mode = text_of(body.get("mode"))
    if not body or not mode:
        return {}, False
    reader = _BODIES.get(mode)
    return reader(body) if reader else ({}, True)


def _raw(body: Body) -> tuple[Body, bool]:
    raw = object_of(object_of(body.get("options")).get("raw"))
    mime = _LANGUAGES.get(text_of(raw.get("language"), "text"), "text/plain")
    return {"mimeType": mime, "text": text_of(body.get("raw"))}, False


def _url_encoded(body: Body) -> tuple[Body, bool]:
    params: list[Json] = [_pair(item) for item in objects_of(body.get("urlencoded"))]
    return {"mimeType": "application/x-www-form-urlencoded", "params": params}, False


def _form_data(body: Body) -> tuple[Body, bool]:
    params: list[Json] = []
    for item in objects_of(body.get("formdata")):
        source = item.get("src")
        if item.get("type") == "file":
            first = list_of(source)[0] if list_of(source) else source
            params.append(_pair(item, type="file", fileName=text_of(first)))
        else:
            params.append(_pair(item))
    several = any(len(list_of(item.get("src"))) > 1 for item in objects_of(body.get("formdata")))
    return {"mimeType": "multipart/form-data", "params": params}, several


def _file(body: Body) -> tuple[Body, bool]:
    file = object_of(body.get("file"))
    name = text_of(file.get("src"))
    return {"mimeType": "application/octet-stream", "fileName": name}, "content" in file


def _graphql(body: Body) -> tuple[Body, bool]:
    graphql = object_of(body.get("graphql"))
    return {"mimeType": "application/graphql", "text": dumps(graphql, ensure_ascii=False)}, False


_BODIES: Mapping[str, Callable[[Body], tuple[Body, bool]]] = {
    "raw": _raw,
    "urlencoded": _url_encoded,
    "formdata": _form_data,
    "file": _file,
    "graphql": _graphql,
}


def scripts_of(value: Json) -> Body:
    """Returns the fields for the scripts of a list of events; ``pm`` is ``insomnia`` there."""
    found: Body = {}
    names = {"prerequest": "preRequestScript", "test": "afterResponseScript"}
    for event in objects_of(value):
        field = names.get(text_of(event.get("listen")))
        lines = object_of(event.get("script")).get("exec")
        text = "\n".join(map(text_of, lines)) if isinstance(lines, list) else text_of(lines)
        if field and text.strip():
            found[field] = _PM.sub("insomnia.", text)
    return found


def authentication_of(value: Json, collector: Collector, way: str) -> Body | None:
    """Returns Insomnia's authentication; None where Postman inherits it."""
    auth = object_of(value)
    kind = text_of(auth.get("type"))
    if not kind:
        return None
    given = _given(auth.get(kind))
    if kind == "noauth":
        return {"type": "none"}
    if kind in _AUTHENTICATIONS:
        names = _AUTHENTICATIONS[kind]
        found: Body = {name: given[key] for key, name in names.items() if key in given}
        if found.get("grantType") == "password_credentials":
            found["grantType"] = "password"
        return {"type": kind, **found}
    if kind == "apikey":
        where = "queryParams" if given.get("in") == "query" else "header"
        key, secret = given.get("key", ""), given.get("value", "")
        return {"type": "apikey", "key": key, "value": secret, "addTo": where}
    collector.note(f"{way}: authentication {kind} has to be set up anew; kept as it was in {KEPT}")
    return {"type": "none", KEPT: auth}


def _given(value: Json) -> Body:
    """Returns the settings of an authentication: version 2.1 has a list, 2.0 an object."""
    if isinstance(value, dict):
        return value
    return {text_of(item.get("key")): item.get("value") for item in objects_of(value)}


_AUTHENTICATIONS: Mapping[str, Mapping[str, str]] = {
    "basic": {"username": "username", "password": "password"},
    "digest": {"username": "username", "password": "password"},
    "ntlm": {"username": "username", "password": "password"},
    "bearer": {"token": "token"},
    "oauth2": {
        "grant_type": "grantType",
        "accessTokenUrl": "accessTokenUrl",
        "authUrl": "authorizationUrl",
        "clientId": "clientId",
        "clientSecret": "clientSecret",
        "redirect_uri": "redirectUrl",
        "scope": "scope",
        "username": "username",
        "password": "password",
    },
}
