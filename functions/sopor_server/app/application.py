"""One callable from request to response: routing, limits, errors, the log line."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, RequestRedirect, Rule
from werkzeug.wrappers import Request, Response

from sopor_core.errors import InvalidValue, Layer, VerificationError
from sopor_core.wire.problems import Code
from sopor_core.wire.routes import PROTOCOL, ROUTE, ROUTES, Operation
from sopor_server.app import answers
from sopor_server.app.call import READ_TO_ITS_END, Call, too_large
from sopor_server.app.endpoints import ENDPOINTS, Endpoint
from sopor_server.errors import Refused, not_found
from sopor_server.logs import log_failure, log_request
from sopor_server.ports.errors import StoreUnavailable
from sopor_server.service.context import Context

PROTOCOL_HEADER = "Sopor-Protocol"
PROTOCOL_MIN = 1
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_log = logging.getLogger(__name__)


@dataclass
class _Exchange:
    """What is known of a request so far, for its log line and its headers."""

    request_id: str
    route: str = ""
    account: str = ""
    problem: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class Application:
    """Answers requests; ``trusted_proxies`` of them in front append to X-Forwarded-For.

    What has no endpoint is not found.
    """

    def __init__(
        self,
        context: Context,
        trusted_proxies: int = 0,
        endpoints: Mapping[Operation, Endpoint] = ENDPOINTS,
    ) -> None:
        self.context = context
        self._endpoints = endpoints
        self._trusted_proxies = trusted_proxies
        rules = [
            Rule(
                route.path.replace("{", "<").replace("}", ">"),
                methods=[route.method],
                endpoint=route.operation,
            )
            for route in ROUTES
            if route.operation in endpoints
        ]
        self._addresses = Map(rules, merge_slashes=False).bind("")

    def __call__(self, request: Request) -> Response:
        """Answers one request; raises nothing."""
        begun = time.perf_counter()
        exchange = _Exchange(_request_id(request))
        try:
            response = self._answer(request, exchange)
        except Exception as error:  # noqa: BLE001
            refused = _refusal(error, exchange.request_id)
            exchange.problem = str(refused.problem)
            response = answers.refusal(refused, exchange.request_id)
        response.headers.update(exchange.headers)
        response.headers["X-Request-Id"] = exchange.request_id
        log_request(
            _log,
            response.status_code,
            {
                "request_id": exchange.request_id,
                "method": request.method,
                "route": exchange.route,
                "status": response.status_code,
                "problem": exchange.problem,
                "account": exchange.account,
                "ms": round((time.perf_counter() - begun) * 1000, 1),
            },
        )
        return _leave_unread(request, response)

    def _answer(self, request: Request, exchange: _Exchange) -> Response:
        if request.method == "OPTIONS":
            return self._options(request)
        operation, names = self._match(request, exchange)
        route, endpoint = ROUTE[operation], self._endpoints[operation]
        exchange.route = route.path
        _check_protocol(request)
        _check_body(request, endpoint)
        call = Call(self.context, request, route, names, self._address(request))
        exchange.account = self._admit(call)
        return endpoint.load()(call)

    def _admit(self, call: Call) -> str:
        """Finds out who asks, before any storage is asked; returns the account in hexadecimal.

        Whoever has a valid token counts by its account, all others by their address: neighbours
        behind one address do not keep each other out, and counting asks no storage.
        """
        requests = self.context.requests
        stranger = f"address {call.address}"
        if not call.route.authenticated:
            requests.take(stranger)
            return ""
        try:
            call.authenticate()
        except Refused:
            requests.take(stranger)
            raise
        account = call.caller.account.hex()
        requests.take(f"account {account}")
        return account

    def _match(self, request: Request, exchange: _Exchange) -> tuple[Operation, dict[str, str]]:
        try:
            operation, names = self._addresses.match(request.path, request.method)
        except (NotFound, RequestRedirect):
            raise not_found("address") from None
        except MethodNotAllowed as error:
            allowed = ", ".join(sorted(error.valid_methods or ()))
            exchange.headers["Allow"] = allowed
            raise Refused(
                Code.METHOD_NOT_ALLOWED,
                "the address does not take this method",
                hint=f"use {allowed}",
            ) from None
        return Operation(operation), dict(names)

    def _options(self, request: Request) -> Response:
        allowed = set(self._addresses.allowed_methods(request.path))
        if not allowed:
            raise not_found("address")
        response = answers.empty(204)
        response.headers["Allow"] = ", ".join(sorted(allowed | {"OPTIONS"}))
        return response

    def _address(self, request: Request) -> str:
        """Returns the client's address: of a forwarded one only what our own proxies appended."""
        forwarded = request.headers.get("X-Forwarded-For", "").split(",")
        if 0 < self._trusted_proxies <= len(forwarded):
            return forwarded[-self._trusted_proxies].strip()
        return request.remote_addr or ""


def _request_id(request: Request) -> str:
    given = request.headers.get("X-Request-Id", "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _check_protocol(request: Request) -> None:
    # Clients of the first version need not say so, which spares them a header in every request.
    spoken = request.headers.get(PROTOCOL_HEADER, "1")
    if not spoken.isascii() or not spoken.isdigit() or int(spoken[:9]) < PROTOCOL_MIN:
        raise Refused(
            Code.UPGRADE_REQUIRED,
            f"this server speaks the protocol versions {PROTOCOL_MIN} to {PROTOCOL}",
            hint="upgrade sopor, for example with `pip install --upgrade sopor`",
        )


def _check_body(request: Request, endpoint: Endpoint) -> None:
    """Refuses by the headers alone, before anybody is asked who they are."""
    if (request.content_length or 0) > endpoint.limit:
        raise too_large(endpoint.limit)
    if endpoint.media_type is None:
        return
    encoded = request.headers.get("Content-Encoding", "identity") != "identity"
    if encoded or request.mimetype != endpoint.media_type:
        raise Refused(
            Code.UNSUPPORTED_MEDIA_TYPE,
            "the body's media type or encoding is not read here",
            hint=f"send {endpoint.media_type} without content encoding",
        )


def _refusal(error: Exception, request_id: str) -> Refused:
    if isinstance(error, Refused):
        return error
    if isinstance(error, VerificationError):
        code = Code.MALFORMED if error.layer is Layer.WIRE else Code.ENTRY_REFUSED
        return Refused(code, error.message, hint=error.hint)
    if isinstance(error, InvalidValue):
        return Refused(Code.MALFORMED, error.message, hint=error.hint)
    log_failure(_log, request_id, error)
    if isinstance(error, StoreUnavailable):
        return Refused(
            Code.UNAVAILABLE,
            "the server cannot reach its storage now",
            hint="try again in a moment; if it stays so, tell who runs the server",
            retry_after=2,
        )
    return Refused(
        Code.INTERNAL,
        "the server failed",
        hint=f"tell who runs the server, with the request id {request_id}",
    )


def _leave_unread(request: Request, response: Response) -> Response:
    """Keeps the framework from reading what is left of a body that was not read to its end.

    It does so before it sends an answer, except before a streamed one; so whoever is refused by
    the headers, or in the midst of an endless body, could make it swallow anything.
    """
    has_body = bool(request.content_length) or "Transfer-Encoding" in request.headers
    if has_body and not request.environ.get(READ_TO_ITS_END):
        response.content_length = len(response.get_data())
        response.response = iter([response.get_data()])
    return response
