"""What each route reads and which handler serves it.

Handlers are named, not imported, so that a push never pays for what only a login needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from werkzeug.wrappers import Response

from sopor_core.limits import (
    MAX_ENTRY_BYTES,
    MAX_INLINE_BYTES,
    MAX_MEMBERSHIP_ENTRY_BYTES,
    MAX_PACK_BYTES,
)
from sopor_core.wire import parts
from sopor_core.wire.events import MAX_PRESENCE_BYTES
from sopor_core.wire.routes import Operation
from sopor_server.app.call import Call

JSON = "application/json"
PARTS = parts.MEDIA_TYPE
OCTETS = "application/octet-stream"
_JSON_LIMIT = 64 * 1024
_PARTS_OVERHEAD = 4096


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A handler as ``module:function``, the media type that it reads, the most bytes of it."""

    handler: str
    media_type: str | None = None
    limit: int = 0

    def load(self) -> Callable[[Call], Response]:
        """Imports the handler."""
        module, _, function = self.handler.partition(":")
        handler: Callable[[Call], Response] = getattr(
            import_module(f"sopor_server.app.{module}"), function
        )
        return handler


def _json(handler: str) -> Endpoint:
    return Endpoint(handler, JSON, _JSON_LIMIT)


def _parts(handler: str, inline: int) -> Endpoint:
    return Endpoint(handler, PARTS, MAX_ENTRY_BYTES + inline + _PARTS_OVERHEAD)


def _membership(handler: str) -> Endpoint:
    return Endpoint(handler, PARTS, MAX_MEMBERSHIP_ENTRY_BYTES + _PARTS_OVERHEAD)


ENDPOINTS: dict[Operation, Endpoint] = {
    Operation.HEALTH: Endpoint("status:health"),
    Operation.META: Endpoint("status:meta"),
    Operation.ACCOUNT_CREATE: _json("identity:account_create"),
    Operation.LOGIN_CHALLENGE: _json("identity:login_challenge"),
    Operation.LOGIN: _json("identity:login"),
    Operation.LOGIN_REFRESH: _json("identity:login_refresh"),
    Operation.ACCOUNT: Endpoint("identity:account"),
    Operation.CREDENTIALS_CHANGE: _json("identity:credentials_change"),
    Operation.KEYS_CHANGE: _json("identity:keys_change"),
    Operation.DEVICES: Endpoint("identity:devices"),
    Operation.DEVICE_REVOKE: Endpoint("identity:device_revoke"),
    Operation.PROJECTS: Endpoint("history:projects"),
    Operation.ORGANIZATIONS: Endpoint("history:organizations"),
    Operation.ORG_CREATE: _membership("history:org_create"),
    Operation.ORG_HEADS: Endpoint("history:org_heads"),
    Operation.ORG_ENTRIES: Endpoint("history:org_entries"),
    Operation.ORG_APPEND: _membership("history:org_append"),
    Operation.PUSH: _parts("history:push", MAX_INLINE_BYTES),
    Operation.BRANCHES_CHANGE: _parts("history:branches_change", 0),
    Operation.BRANCHES: Endpoint("history:branches"),
    Operation.REVERT: _parts("history:revert", MAX_INLINE_BYTES),
    Operation.PULL: Endpoint("history:pull"),
    Operation.PACK_PUT: Endpoint("packs:pack_put", OCTETS, MAX_PACK_BYTES),
    Operation.PACK_ADDRESS: _json("packs:pack_address"),
    Operation.PACK_GET: Endpoint("packs:pack_get"),
    Operation.EVENTS: Endpoint("events:poll"),
    Operation.PRESENCE_PUT: Endpoint("presence:presence_put", OCTETS, MAX_PRESENCE_BYTES),
    Operation.PRESENCE_GET: Endpoint("presence:presence_get"),
}
