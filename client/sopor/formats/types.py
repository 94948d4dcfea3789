"""Insomnia's names of resource types: ``request`` in exports, ``Request`` in its database.

`type_name` and `type_key` are inverse to each other on all strings, also on names that Insomnia
does not have yet, so that no unknown type is lost or renamed.
"""

from __future__ import annotations

import re
from functools import lru_cache

ID_PREFIXES = {
    "api_spec": "spc",
    "cookie_jar": "jar",
    "environment": "env",
    "grpc_request": "greq",
    "mcp_request": "mcp-req",
    "mock": "mock",
    "mock_route": "mock-route",
    "proto_directory": "pd",
    "proto_file": "pf",
    "request": "req",
    "request_group": "fld",
    "socketio_payload": "socketio-payload",
    "socketio_request": "socketio-req",
    "unit_test": "ut",
    "unit_test_suite": "uts",
    "websocket_payload": "ws-payload",
    "websocket_request": "ws-req",
    "workspace": "wrk",
}
"""The types of Insomnia's resources, with what their ids start with."""

_IRREGULAR_NAMES = {
    "mock": "MockServer",
    "socketio_payload": "SocketIOPayload",
    "socketio_request": "SocketIORequest",
    "websocket_payload": "WebSocketPayload",
    "websocket_request": "WebSocketRequest",
}
_IRREGULAR_KEYS = {name: key for key, name in _IRREGULAR_NAMES.items()}
_KEY = re.compile(r"[a-z][a-z0-9]*(?:_[a-z][a-z0-9]*)*")
_NAME = re.compile(r"(?:[A-Z][a-z0-9]*)+")
_WORD = re.compile(r"[A-Z][a-z0-9]*")
_MARK = "_"


@lru_cache(maxsize=256)
def type_name(key: str) -> str:
    """Returns the name of a type: ``RequestGroup`` for ``request_group``."""
    name = _regular_name(key)
    if name is not None:
        return name
    return key[1:] if _is_marked_name(key) else _MARK * 2 + key


@lru_cache(maxsize=256)
def type_key(name: str) -> str:
    """Returns the type of a name: ``request_group`` for ``RequestGroup``."""
    key = _regular_key(name)
    if key is not None:
        return key
    return name[2:] if _is_marked_key(name) else _MARK + name


def _regular_name(key: str) -> str | None:
    if key in _IRREGULAR_NAMES:
        return _IRREGULAR_NAMES[key]
    if not _KEY.fullmatch(key):
        return None
    name = "".join(word.capitalize() for word in key.split("_"))
    return None if name in _IRREGULAR_KEYS or _plain_key(name) != key else name


def _regular_key(name: str) -> str | None:
    if name in _IRREGULAR_KEYS:
        return _IRREGULAR_KEYS[name]
    if not _NAME.fullmatch(name):
        return None
    key = _plain_key(name)
    return None if key in _IRREGULAR_NAMES else key


def _plain_key(name: str) -> str:
    return "_".join(word.lower() for word in _WORD.findall(name))


def _is_marked_name(key: str) -> bool:
    """Tells whether an irregular key stands for the irregular name that follows its mark."""
    rest = key[1:]
    return key.startswith(_MARK) and _regular_key(rest) is None and not _is_marked_key(rest)


def _is_marked_key(name: str) -> bool:
    """Tells whether an irregular name stands for the irregular key that follows its two marks."""
    rest = name[2:]
    return name.startswith(_MARK * 2) and _regular_name(rest) is None and not _is_marked_name(rest)
