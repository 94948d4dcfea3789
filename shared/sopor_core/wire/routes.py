"""The one table of routes: the server serves it, the client calls it, OpenAPI is made from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PROTOCOL = 1
"""The protocol version of this program; the client sends it, `GET /v1/meta` tells the range."""


class Operation(StrEnum):
    """The names of the endpoints."""

    HEALTH = "health"
    META = "meta"
    ACCOUNT_CREATE = "account_create"
    LOGIN_CHALLENGE = "login_challenge"
    LOGIN = "login"
    LOGIN_REFRESH = "login_refresh"
    ACCOUNT = "account"
    CREDENTIALS_CHANGE = "credentials_change"
    KEYS_CHANGE = "keys_change"
    DEVICES = "devices"
    DEVICE_REVOKE = "device_revoke"
    PROJECTS = "projects"
    ORGANIZATIONS = "organizations"
    ORG_CREATE = "org_create"
    ORG_HEADS = "org_heads"
    ORG_ENTRIES = "org_entries"
    ORG_APPEND = "org_append"
    PUSH = "push"
    BRANCHES_CHANGE = "branches_change"
    BRANCHES = "branches"
    REVERT = "revert"
    PULL = "pull"
    PACK_PUT = "pack_put"
    PACK_ADDRESS = "pack_address"
    PACK_GET = "pack_get"
    EVENTS = "events"
    PRESENCE_PUT = "presence_put"
    PRESENCE_GET = "presence_get"


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: method, path with ``{names}``, and whether it needs an access token."""

    operation: Operation
    method: str
    path: str
    authenticated: bool = True

    def url(self, **names: str) -> str:
        """Returns the path with its names filled in."""
        return self.path.format(**names)


_ORG = "/v1/organizations/{org}"
_PROJECT = "/v1/projects/{project}"
ROUTES: tuple[Route, ...] = (
    Route(Operation.HEALTH, "GET", "/v1/health", authenticated=False),
    Route(Operation.META, "GET", "/v1/meta", authenticated=False),
    Route(Operation.ACCOUNT_CREATE, "POST", "/v1/accounts", authenticated=False),
    Route(Operation.LOGIN_CHALLENGE, "POST", "/v1/login/challenge", authenticated=False),
    Route(Operation.LOGIN, "POST", "/v1/login", authenticated=False),
    Route(Operation.LOGIN_REFRESH, "POST", "/v1/login/refresh", authenticated=False),
    Route(Operation.ACCOUNT, "GET", "/v1/account"),
    Route(Operation.CREDENTIALS_CHANGE, "PUT", "/v1/account/credentials"),
    Route(Operation.KEYS_CHANGE, "PUT", "/v1/account/keys"),
    Route(Operation.DEVICES, "GET", "/v1/devices"),
    Route(Operation.DEVICE_REVOKE, "DELETE", "/v1/devices/{device}"),
    Route(Operation.PROJECTS, "GET", "/v1/projects"),
    Route(Operation.ORGANIZATIONS, "GET", "/v1/organizations"),
    Route(Operation.ORG_CREATE, "POST", "/v1/organizations"),
    Route(Operation.ORG_HEADS, "GET", f"{_ORG}/heads"),
    Route(Operation.ORG_ENTRIES, "GET", f"{_ORG}/entries"),
    Route(Operation.ORG_APPEND, "POST", f"{_ORG}/entries"),
    Route(Operation.PUSH, "POST", f"{_PROJECT}/push"),
    Route(Operation.BRANCHES_CHANGE, "POST", f"{_PROJECT}/branches"),
    Route(Operation.BRANCHES, "GET", f"{_PROJECT}/branches"),
    Route(Operation.REVERT, "POST", f"{_PROJECT}/revert"),
    Route(Operation.PULL, "GET", f"{_PROJECT}/pull"),
    Route(Operation.PACK_PUT, "PUT", f"{_PROJECT}/packs/{{pack}}"),
    Route(Operation.PACK_ADDRESS, "POST", f"{_PROJECT}/packs/{{pack}}"),
    Route(Operation.PACK_GET, "GET", f"{_PROJECT}/packs/{{pack}}"),
    Route(Operation.EVENTS, "GET", "/v1/events"),
    Route(Operation.PRESENCE_PUT, "PUT", f"{_PROJECT}/presence"),
    Route(Operation.PRESENCE_GET, "GET", f"{_PROJECT}/presence"),
)

ROUTE: dict[Operation, Route] = {route.operation: route for route in ROUTES}
