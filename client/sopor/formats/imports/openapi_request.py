"""Turns one operation of an OpenAPI description into the fields of a request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from json import dumps

from sopor.formats.imports.base import Collector
from sopor.formats.imports.openapi_example import example_of
from sopor.formats.imports.values import list_of, object_of, objects_of, text_of
from sopor.model.document import Body, Json
from sopor.records import dataclass

_PLACEHOLDER = re.compile(r"\{([^{}/]+)\}")
_NOT_IN_NAMES = re.compile(r"\W+")
_MOST_REFERENCES = 20
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True)
class Description:
    """A whole description, with what references inside it lead to."""

    body: Body
    schemes: Body = field(init=False)

    def __post_init__(self) -> None:
        new = object_of(object_of(self.body.get("components")).get("securitySchemes"))
        object.__setattr__(self, "schemes", new or object_of(self.body.get("securityDefinitions")))

    def resolved(self, value: Json) -> Json:
        """Returns what a local reference leads to, or the value itself; nothing for a lost one."""
        for _ in range(_MOST_REFERENCES):
            reference = object_of(value).get("$ref")
            if not isinstance(reference, str):
                return value
            value = self._at(reference)
        return None

    def _at(self, reference: str) -> Json:
        if not reference.startswith("#/"):
            return None
        at: Json = self.body
        for part in reference[2:].split("/"):
            at = object_of(at).get(part.replace("~1", "/").replace("~0", "~"))
        return at

    def servers(self) -> list[tuple[str, str]]:
        """Returns name and address of each server, at least one."""
        found = [
            (text_of(item.get("description")) or text_of(item.get("url")), _address(item))
            for item in objects_of(self.body.get("servers"))
        ]
        if not found and "swagger" in self.body:
            host, base = text_of(self.body.get("host"), "localhost"), self.body.get("basePath")
            for scheme in list_of(self.body.get("schemes")) or ["https"]:
                url = f"{text_of(scheme)}://{host}{text_of(base)}".rstrip("/")
                found.append((text_of(scheme), url))
        return found or [("", "")]

    def variables(self) -> set[str]:
        """Returns the names of the variables that the security schemes need."""
        return {
            name
            for key, scheme in self.schemes.items()
            for name in _variables_of(key, object_of(self.resolved(scheme)))
        }


def _address(server: Body) -> str:
    values = object_of(server.get("variables"))
    url = _PLACEHOLDER.sub(
        lambda found: text_of(object_of(values.get(found[1])).get("default"), found[0]),
        text_of(server.get("url")),
    )
    return url.rstrip("/")


def _slug(name: str) -> str:
    return _NOT_IN_NAMES.sub("_", name).strip("_") or "value"


def _variables_of(key: str, scheme: Body) -> tuple[str, ...]:
    name = _slug(key)
    kind, how = text_of(scheme.get("type")), text_of(scheme.get("scheme")).lower()
    if kind == "basic" or how == "basic":
        return (f"{name}_username", f"{name}_password")
    if kind == "apiKey" or how == "bearer":
        return (name,)
    return (f"{name}_client_id", f"{name}_client_secret") if kind == "oauth2" else ()


def request_of(
    description: Description, path: str, method: str, item: Body, collector: Collector
) -> Body:
    """Returns the fields of the request for one operation."""
    operation = object_of(item.get(method))
    way = f"{method.upper()} {path}"
    parameters = _parameters(description, item, operation)
    body, kind = _body(description, operation, parameters)
    headers = [_pair(each, description) for each in parameters if each.get("in") == "header"]
    if kind:
        headers.insert(0, {"name": "Content-Type", "value": kind})
    for each in parameters:
        if each.get("in") == "cookie":
            collector.note(f"{way}: the cookie {text_of(each.get('name'))} has to be set by hand")
    paths: list[Json] = [
        {"name": text_of(each.get("name")), "value": _value(each, description)}
        for each in parameters
        if each.get("in") == "path"
    ]
    query: list[Json] = [
        _pair(each, description) for each in parameters if each.get("in") == "query"
    ]
    return {
        "name": text_of(operation.get("summary")) or text_of(operation.get("operationId")) or way,
        "description": text_of(operation.get("description")),
        "method": method.upper(),
        "url": "{{ _.base_url }}" + _PLACEHOLDER.sub(r":\1", path),
        "parameters": query,
        "pathParameters": paths or None,
        "headers": list[Json](headers),
        "body": body,
        "authentication": _authentication(description, operation, way, collector),
    }


def _parameters(description: Description, item: Body, operation: Body) -> list[Body]:
    """Returns the parameters of an operation, its own before those that the path has for all."""
    found: dict[tuple[str, str], Body] = {}
    for each in [*list_of(item.get("parameters")), *list_of(operation.get("parameters"))]:
        parameter = object_of(description.resolved(each))
        found[text_of(parameter.get("in")), text_of(parameter.get("name"))] = parameter
    return list(found.values())


def _value(parameter: Body, description: Description) -> str:
    for source in (parameter, object_of(description.resolved(parameter.get("schema")))):
        for key in ("example", "default"):
            if key in source:
                return _shown(source[key])
        listed = list_of(source.get("enum"))
        if listed:
            return _shown(listed[0])
    return ""


def _shown(value: Json) -> str:
    return dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else text_of(value)


def _pair(parameter: Body, description: Description) -> Body:
    pair: Body = {"name": text_of(parameter.get("name")), "value": _value(parameter, description)}
    if parameter.get("description"):
        pair["description"] = text_of(parameter.get("description"))
    if parameter.get("required") is not True:
        pair["disabled"] = True
    return pair


def _body(
    description: Description, operation: Body, parameters: list[Body]
) -> tuple[Body, str | None]:
    """Returns the body, and its content type where it has one."""
    content = object_of(
        object_of(description.resolved(operation.get("requestBody"))).get("content")
    )
    old = list(_old_content(description, operation, parameters))
    for kind, media in [*sorted(content.items(), key=_preferred), *old]:
        return _filled(description, kind, object_of(media)), kind
    return {}, None


def _preferred(entry: tuple[str, Json]) -> int:
    return 0 if "json" in entry[0] else 1 if entry[0] in _FORMS else 2


def _old_content(
    description: Description, operation: Body, parameters: list[Body]
) -> Iterator[tuple[str, Body]]:
    """Yields the body of a Swagger 2 operation in the shape that OpenAPI 3 has for it."""
    consumes = operation.get("consumes", description.body.get("consumes"))
    kinds = [text_of(kind) for kind in list_of(consumes)]
    for each in parameters:
        if each.get("in") == "body":
            yield (kinds or ["application/json"])[0], {"schema": each.get("schema")}
    fields: Body = {
        text_of(each.get("name")): each for each in parameters if each.get("in") == "formData"
    }
    if fields:
        files = any(object_of(each).get("type") == "file" for each in fields.values())
        kind = next((kind for kind in kinds if kind in _FORMS), _FORMS[1] if files else _FORMS[0])
        yield kind, {"schema": {"type": "object", "properties": fields}}


def _filled(description: Description, kind: str, media: Body) -> Body:
    named = next(iter(object_of(media.get("examples")).values()), None)
    shown = object_of(description.resolved(named)).get("value")
    example = media.get("example", shown)
    if example is None:
        example = example_of(media.get("schema"), description.resolved)
    if kind in _FORMS:
        schema = object_of(description.resolved(media.get("schema")))
        fields = object_of(schema.get("properties"))
        params: list[Json] = [
            _form_field(name, value, object_of(description.resolved(fields.get(name))))
            for name, value in object_of(example).items()
        ]
        return {"mimeType": kind, "params": params}
    text = example if isinstance(example, str) else dumps(example, indent=2, ensure_ascii=False)
    return {"mimeType": kind, "text": "" if example is None else text}


def _form_field(name: str, value: Json, schema: Body) -> Body:
    if schema.get("type") == "file" or schema.get("format") == "binary":
        return {"name": name, "type": "file", "fileName": ""}
    return {"name": name, "value": _shown(value)}


def _authentication(
    description: Description, operation: Body, way: str, collector: Collector
) -> Body:
    wanted = list_of(operation.get("security", description.body.get("security")))
    names = list(object_of(wanted[0])) if wanted else []
    if len(wanted) > 1 or len(names) > 1:
        collector.note(f"{way}: several ways to authenticate; the first is set")
    scheme = object_of(description.resolved(description.schemes.get(names[0]))) if names else {}
    if not scheme:
        return {}
    made = _from_scheme(_slug(names[0]), scheme)
    if made is None:
        collector.note(f"{way}: authentication {names[0]} has to be set up by hand")
    return made or {}


def _from_scheme(name: str, scheme: Body) -> Body | None:
    kind, how = text_of(scheme.get("type")), text_of(scheme.get("scheme")).lower()
    if kind == "basic" or how == "basic":
        user, password = f"{{{{ _.{name}_username }}}}", f"{{{{ _.{name}_password }}}}"
        return {"type": "basic", "username": user, "password": password}
    if how == "bearer":
        return {"type": "bearer", "token": f"{{{{ _.{name} }}}}"}
    if kind == "apiKey" and scheme.get("in") in {"header", "query"}:
        add_to = "queryParams" if scheme.get("in") == "query" else "header"
        key = text_of(scheme.get("name"))
        return {"type": "apikey", "key": key, "value": f"{{{{ _.{name} }}}}", "addTo": add_to}
    return _oauth2(name, scheme) if kind == "oauth2" else None


def _oauth2(name: str, scheme: Body) -> Body:
    flows = object_of(scheme.get("flows")) or {text_of(scheme.get("flow")): scheme}
    grants = {
        "authorizationCode": "authorization_code",
        "accessCode": "authorization_code",
        "clientCredentials": "client_credentials",
        "application": "client_credentials",
        "password": "password",
        "implicit": "implicit",
    }
    flow = next(iter(flows), "")
    settings = object_of(flows.get(flow))
    return {
        "type": "oauth2",
        "grantType": grants.get(flow, "authorization_code"),
        "accessTokenUrl": text_of(settings.get("tokenUrl")),
        "authorizationUrl": text_of(settings.get("authorizationUrl")),
        "clientId": f"{{{{ _.{name}_client_id }}}}",
        "clientSecret": f"{{{{ _.{name}_client_secret }}}}",
        "scope": " ".join(object_of(settings.get("scopes"))),
    }
