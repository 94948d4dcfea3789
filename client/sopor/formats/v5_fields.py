"""Which field of a document lies where in a v5 file, for each type of resource.

A document has Insomnia's own fields (``metaSortKey``, ``settingEncodeUrl``); a v5 file nests and
renames them (``meta.sortKey``, ``settings.encodeUrl``). The tables below list both, in the order in
which Insomnia writes them. What they don't list keeps its name on the top level of both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import TypeAlias

from sopor.model.document import Json
from sopor.records import dataclass

FILE_TYPES = {
    "collection": "collection.insomnia.rest/5.0",
    "design": "spec.insomnia.rest/5.0",
    "environment": "environment.insomnia.rest/5.0",
    "mock-server": "mock.insomnia.rest/5.0",
    "mcp": "mcpClient.insomnia/5.0",
}
"""The ``type`` of a file by the scope of its workspace."""

ITEM = "item"
"""The kind of a slot whose entries say themselves which type they are."""

ITEM_TYPES = frozenset(
    {"request", "request_group", "grpc_request", "websocket_request", "socketio_request"}
)

Check: TypeAlias = Callable[[Json], bool]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field: its name in a document, its way in the file, which values belong there."""

    key: str
    way: tuple[str, ...]
    fits: Check
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for other documents: one, or a list of them, of a type or of kind `ITEM`."""

    name: str
    kind: str
    many: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """How a type of resource lies in a file: leaves and slots in the order of writing."""

    layout: tuple[Leaf | Slot, ...]
    slots: tuple[Slot, ...] = field(init=False)
    heads: frozenset[str] = field(init=False)
    keys: frozenset[str] = field(init=False)
    ways: dict[tuple[str, ...], Leaf] = field(init=False)
    branches: frozenset[tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        leaves = tuple(part for part in self.layout if isinstance(part, Leaf))
        slots = tuple(part for part in self.layout if isinstance(part, Slot))
        heads = frozenset(leaf.way[0] for leaf in leaves) | {slot.name for slot in slots}
        branches = {leaf.way[:end] for leaf in leaves for end in range(1, len(leaf.way))}
        object.__setattr__(self, "slots", slots)
        object.__setattr__(self, "heads", heads)
        object.__setattr__(self, "keys", frozenset(leaf.key for leaf in leaves))
        object.__setattr__(self, "ways", {leaf.way: leaf for leaf in leaves})
        object.__setattr__(self, "branches", frozenset(branches))


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_flag(value: Json) -> bool:
    return isinstance(value, bool)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: Json) -> bool:
    return isinstance(value, list)


def _is_object(value: Json) -> bool:
    return isinstance(value, dict)


def _is_object_or_null(value: Json) -> bool:
    return value is None or isinstance(value, dict)


def _is_list_or_null(value: Json) -> bool:
    return value is None or isinstance(value, list)


def _is_structure(value: Json) -> bool:
    return isinstance(value, dict | list) and bool(value)


def _is_text_or_null(value: Json) -> bool:
    return value is None or isinstance(value, str)


def _leaves(fits: Check, *names: str) -> tuple[Leaf, ...]:
    """Returns leaves on the top level of both sides, under the same name."""
    return tuple(Leaf(name, (name,), fits) for name in names)


_META = (
    Leaf("_id", ("meta", "id"), _is_text),
    Leaf("created", ("meta", "created"), _is_number),
    Leaf("modified", ("meta", "modified"), _is_number),
    Leaf("isPrivate", ("meta", "isPrivate"), _is_flag),
    Leaf("description", ("meta", "description"), _is_text),
    Leaf("metaSortKey", ("meta", "sortKey"), _is_number),
)
_GROUP_META = (*_META[:4], _META[5], _META[4])
_SCRIPTS = (
    Leaf("preRequestScript", ("scripts", "preRequest"), _is_text),
    Leaf("afterResponseScript", ("scripts", "afterResponse"), _is_text),
)
_COOKIES = (
    Leaf("settingSendCookies", ("settings", "cookies", "send"), _is_flag),
    Leaf("settingStoreCookies", ("settings", "cookies", "store"), _is_flag),
)
_ENCODE = Leaf("settingEncodeUrl", ("settings", "encodeUrl"), _is_flag)
_REDIRECTS = Leaf("settingFollowRedirects", ("settings", "followRedirects"), _is_text)
_URL_NAME_META = (*_leaves(_is_text, "url", "name"), *_META)
_NAME_META = (*_leaves(_is_text, "name"), *_META)

SHAPES: dict[str, Shape] = {
    "workspace": Shape(
        (
            *_NAME_META,
            Slot("server", "mock"),
            Slot("routes", "mock_route", many=True),
            Slot("mcpRequest", "mcp_request"),
            Slot("collection", ITEM, many=True),
            Slot("cookieJar", "cookie_jar"),
            Slot("environments", "environment"),
            Slot("spec", "api_spec"),
            Slot("testSuites", "unit_test_suite", many=True),
            *_leaves(_is_list, "certificates"),
        )
    ),
    "request": Shape(
        (
            *_URL_NAME_META,
            *_leaves(_is_text, "method"),
            *_leaves(_is_object, "body"),
            *_leaves(_is_list, "parameters", "headers"),
            *_leaves(_is_object, "authentication"),
            *_SCRIPTS,
            Leaf(
                "settingDisableRenderRequestBody",
                ("settings", "renderRequestBody"),
                _is_flag,
                negated=True,
            ),
            _ENCODE,
            _REDIRECTS,
            *_COOKIES,
            Leaf("settingRebuildPath", ("settings", "rebuildPath"), _is_flag),
            *_leaves(_is_list_or_null, "pathParameters"),
        )
    ),
    "request_group": Shape(
        (
            *_leaves(_is_text, "name"),
            *_GROUP_META,
            Slot("children", ITEM, many=True),
            *_SCRIPTS,
            *_leaves(_is_object_or_null, "authentication"),
            *_leaves(_is_object, "environment", "environmentPropertyOrder"),
            *_leaves(_is_list, "headers"),
        )
    ),
    "websocket_request": Shape(
        (
            *_URL_NAME_META,
            _ENCODE,
            _REDIRECTS,
            *_COOKIES,
            *_leaves(_is_object, "authentication"),
            *_leaves(_is_list, "headers", "parameters"),
            *_leaves(_is_list_or_null, "pathParameters"),
        )
    ),
    "socketio_request": Shape(
        (
            *_URL_NAME_META,
            _ENCODE,
            *_COOKIES,
            Leaf("settingPath", ("settings", "path"), _is_text),
            *_leaves(_is_object, "authentication"),
            *_leaves(_is_list, "headers", "parameters", "pathParameters", "eventListeners"),
        )
    ),
    "grpc_request": Shape(
        (
            *_URL_NAME_META,
            *_leaves(_is_object, "body"),
            *_leaves(_is_list, "metadata"),
            *_leaves(_is_text_or_null, "protoFileId"),
            *_leaves(_is_text, "protoMethodName"),
            *_leaves(_is_object, "reflectionApi"),
        )
    ),
    "environment": Shape(
        (
            *_NAME_META,
            *_leaves(_is_object, "data", "dataPropertyOrder"),
            *_leaves(_is_text, "color"),
            Slot("subEnvironments", "environment", many=True),
        )
    ),
    "cookie_jar": Shape((*_NAME_META, *_leaves(_is_list, "cookies"))),
    "api_spec": Shape(
        (
            Leaf("contents", ("contents",), _is_structure),
            Leaf("fileName", ("file",), _is_text),
            *_META,
        )
    ),
    "unit_test_suite": Shape((*_NAME_META, Slot("tests", "unit_test", many=True))),
    "unit_test": Shape(
        (*_NAME_META, *_leaves(_is_text_or_null, "requestId"), *_leaves(_is_text, "code"))
    ),
    "mock": Shape((*_META, *_leaves(_is_text, "url"), *_leaves(_is_flag, "useInsomniaCloud"))),
    "mock_route": Shape(
        (
            *_NAME_META,
            *_leaves(_is_text, "body"),
            *_leaves(_is_list, "headers"),
            *_leaves(_is_text, "method", "mimeType"),
            *_leaves(_is_number, "statusCode"),
            *_leaves(_is_text, "statusText"),
        )
    ),
    "mcp_request": Shape(
        (
            *_leaves(_is_text, "name", "url", "transportType"),
            *_leaves(_is_list, "headers"),
            *_leaves(_is_object, "authentication"),
            *_META,
            *_leaves(_is_list, "env", "roots"),
        )
    ),
}
OTHER_ITEM = Shape(_URL_NAME_META)
"""The shape of items of a type that is not known yet."""


def shape_of(document_type: str) -> Shape:
    """Returns the shape of a type."""
    return SHAPES.get(document_type, OTHER_ITEM)
