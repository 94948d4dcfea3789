"""Puts documents, and the keys inside them, into the order in which a file lists them.

Neither order has a meaning, so documents don't carry it. Where a file exists its order is kept;
where none does the order depends on nothing but the documents, so that two devices write the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from sopor.model.document import Body, Document, DocumentId, Json, parent_of

_Key = TypeVar("_Key", bound=str)
SortKey: TypeAlias = "tuple[float, str]"

_HEAD = ("_id", "type", "parentId", "modified", "created")
_TAIL = ("metaSortKey", "isPrivate")
_SETTINGS = (
    "settingStoreCookies",
    "settingSendCookies",
    "settingDisableRenderRequestBody",
    "settingEncodeUrl",
    "settingRebuildPath",
    "settingFollowRedirects",
)
_OTHERS = {
    "request": (
        *("url", "name", "description", "method", "body", "preRequestScript"),
        *("parameters", "headers", "authentication"),
        *_TAIL,
        *("pathParameters", *_SETTINGS, "afterResponseScript"),
    ),
    "grpc_request": (
        *("url", "name", "description", "protoFileId", "protoMethodName", "metadata", "body"),
        *("reflectionApi", *_TAIL),
    ),
    "websocket_request": (
        *("name", "url", "metaSortKey", "headers", "authentication", "parameters"),
        *("pathParameters", *_SETTINGS, "description"),
    ),
    "mock_route": ("body", "headers", "statusCode", "statusText", "name", "mimeType", "method"),
    "unit_test": ("requestId", "name", "code"),
}
_ELSEWHERE = (
    *("name", "url", "description", "scope", "fileName", "contents", "contentType", "protoText"),
    *("data", "dataPropertyOrder", "kvPairData", "color", "environment"),
    *("environmentPropertyOrder", *_TAIL, "cookies", "useInsomniaCloud"),
    *("preRequestScript", "afterResponseScript", "authentication", "headers"),
)
_NAMED = ("id", "name", "value", "description", "disabled", "type", "multiline", "fileName")
_UNNAMED = ("type", "mimeType", "text", "fileName", "params", "enabled", "url", "apiKey", "module")
_COOKIE = ("key", "value", "expires", "domain", "path", "secure", "httpOnly", "extensions")
_RANKS: dict[str, dict[str, int]] = {
    kind: {key: rank for rank, key in enumerate((*_HEAD, *others))}
    for kind, others in (*_OTHERS.items(), ("", _ELSEWHERE))
}
_NAMED_RANKS = {key: rank for rank, key in enumerate(_NAMED)}
_UNNAMED_RANKS = {key: rank for rank, key in enumerate(_UNNAMED)}
_COOKIE_RANKS = {key: rank for rank, key in enumerate(_COOKIE)}
_LAST = 1_000


def sort_key(document: Document) -> SortKey:
    """Returns what orders a document among its siblings: ``metaSortKey``, then the id."""
    value = document.body.get("metaSortKey")
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else 0
    return float(max(min(number, 1e300), -1e300)), document.id


def children_of(documents: Iterable[Document]) -> dict[DocumentId | None, list[Document]]:
    """Returns the documents by the parent that they name, each list in its order."""
    children: defaultdict[DocumentId | None, list[Document]] = defaultdict(list)
    for document in sorted(documents, key=sort_key):
        children[parent_of(document)].append(document)
    return dict(children)


def depth_first(documents: Iterable[Document]) -> list[Document]:
    """Returns documents so that each is followed by what lies below it.

    Workspaces come first, then other documents without a parent here. Documents in a cycle of
    parents, which no reader lets in, come last.
    """
    everything = {document.id: document for document in documents}
    children = children_of(everything.values())
    tops = sorted(
        (item for item in everything.values() if _is_top(item, everything)),
        key=lambda item: (item.type != "workspace", sort_key(item)),
    )
    ordered: dict[DocumentId, Document] = {}
    stack = tops[::-1]
    while stack:
        document = stack.pop()
        if document.id not in ordered:
            ordered[document.id] = document
            stack.extend(reversed(children.get(document.id, [])))
    rest = sorted(everything.keys() - ordered.keys())
    return [*ordered.values(), *(everything[item] for item in rest)]


def _is_top(document: Document, everything: Mapping[DocumentId, Document]) -> bool:
    return document.type == "workspace" or parent_of(document) not in everything


def keep_order(wanted: Sequence[Document], previous: Iterable[DocumentId]) -> list[Document]:
    """Returns documents in the order that they had before; a new one follows its predecessor.

    Args:
        wanted: the documents in the order of a new file.
        previous: ids in the order of the existing one.
    """
    by_id = {document.id: document for document in wanted}
    return [by_id[item] for item in merge_keys(list(by_id), previous)]


def merge_keys(wanted: Sequence[_Key], previous: Iterable[_Key]) -> list[_Key]:
    """Returns the wanted keys in their previous order; a new one follows its predecessor."""
    known = dict.fromkeys(wanted)
    kept = [key for key in previous if key in known]
    if len(kept) == len(known):
        return kept
    old = set(kept)
    after: defaultdict[_Key | None, list[_Key]] = defaultdict(list)
    anchor: _Key | None = None
    for key in wanted:
        if key in old:
            anchor = key
        else:
            after[anchor].append(key)
    ordered = after[None]
    for key in kept:
        ordered.append(key)
        ordered.extend(after[key])
    return ordered


def order_body(document: Document, previous: Body | None = None) -> Body:
    """Returns the document's body with its keys in the order of a previous one, or Insomnia's."""
    ranks = _RANKS.get(document.type, _RANKS[""])
    before = previous or {}
    return {
        key: order_json(document.body[key], before.get(key))
        for key in merge_keys(_ranked(document.body, ranks), before)
    }


def order_json(value: Json, previous: Json = None) -> Json:
    """Returns a value with its keys in the order of a previous one, or in a fixed order."""
    if isinstance(value, dict):
        before = previous if isinstance(previous, dict) else {}
        keys = merge_keys(_ranked(value, _ranks_inside(value)), before)
        return {key: order_json(value[key], before.get(key)) for key in keys}
    if isinstance(value, list):
        old = previous if isinstance(previous, list) else []
        padded = [*old, *[None] * (len(value) - len(old))]
        return [order_json(item, padded[place]) for place, item in enumerate(value)]
    return value


def _ranks_inside(value: Body) -> Mapping[str, int]:
    if "name" in value:
        return _NAMED_RANKS
    return _COOKIE_RANKS if "key" in value and "type" not in value else _UNNAMED_RANKS


def _ranked(body: Body, ranks: Mapping[str, int]) -> list[str]:
    return sorted(
        body, key=lambda key: (_LAST + 1 if key == "_type" else ranks.get(key, _LAST), key)
    )
