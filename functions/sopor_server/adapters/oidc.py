"""The keys of an OpenID issuer, from its discovery document (OpenID Connect Discovery 1.0).

Keys are kept for an hour, and fetched anew once for a token that names an unknown one, as happens
when an issuer changes its keys. Nothing is imported or fetched before the first token comes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from sopor_core.errors import InvalidValue
from sopor_core.sign_on import check_issuer_url, discovery_url, is_loopback
from sopor_server.errors import Refused
from sopor_server.ports.sign_on import IdTokenInvalid, IssuerUnavailable
from sopor_server.throttle import Throttle

if TYPE_CHECKING:
    from jwt import PyJWK
    from jwt.types import Options

KEYS_SECONDS = 3600.0
RETRY_SECONDS = 2.0
_TIMEOUT_SECONDS = 5.0
_MAX_BYTES = 1024 * 1024
_MIN_RSA_BYTES = 256
# Each algorithm with the one kind of key that it goes with: none that a public key could pass for a
# shared secret of (RFC 8725, section 3.1).
_ALGORITHMS = {"RS256": ("RSA", None), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519")}
Object = Mapping[str, Any]
# What is in a token is for the caller to check, with the server's own clock and settings.
_SIGNATURE_ONLY: Options = {
    "verify_signature": True,
    "verify_aud": False,
    "verify_exp": False,
    "verify_iat": False,
    "verify_iss": False,
    "verify_jti": False,
    "verify_nbf": False,
    "verify_sub": False,
}


class OidcTokens:
    """Implements `sopor_server.ports.sign_on.IdTokens`; the docstrings there are the contract."""

    def __init__(self, issuer: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Takes the issuer's URL as it stands in its tokens; talks to nobody."""
        self._issuer = issuer
        self._clock = clock
        self._lock = Lock()
        self._keys: list[Object] = []
        self._good_until: float | None = None
        self._failure: IssuerUnavailable | None = None
        self._failed_until = 0.0
        # Whoever sends tokens with made-up key names must not make this server ask all the time.
        self._again = Throttle(5, 60.0, clock)

    def claims(self, token: str) -> Mapping[str, Any]:  # noqa: D102
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            algorithm = str(header.get("alg"))
            if algorithm not in _ALGORITHMS:
                raise IdTokenInvalid(f"the ID token is signed with {algorithm[:20]!r}")
            key = self._key(algorithm, header.get("kid"))
            claims = jwt.decode(token, key, algorithms=[algorithm], options=_SIGNATURE_ONLY)
        except jwt.PyJWTError as error:
            raise IdTokenInvalid(f"the ID token does not verify ({error})") from None
        return dict(claims)

    def _key(self, algorithm: str, name: object) -> PyJWK:
        """Returns the key that a token names, or the only one of its kind where it names none."""
        fitting = self._fitting(algorithm, name, again=False)
        if not fitting:
            fitting = self._fitting(algorithm, name, again=True)
        if len(fitting) != 1:
            raise IdTokenInvalid("the ID token is signed by a key that the issuer does not name")
        from jwt import PyJWK

        return PyJWK(dict(fitting[0]), algorithm)

    def _fitting(self, algorithm: str, name: object, *, again: bool) -> list[Object]:
        with self._lock:
            old = self._good_until is None or self._good_until < self._clock()
            if old or (again and self._may_ask_again()):
                self._try_to_fetch_keys()
            keys = self._keys
        named = [key for key in keys if name is None or key.get("kid") == name]
        return [key for key in named if _is_for(key, algorithm)]

    def _may_ask_again(self) -> bool:
        try:
            self._again.take(self._issuer)
        except Refused:
            return False
        return True

    def _try_to_fetch_keys(self) -> None:
        """Fetches the keys, or raises at once what a moment ago took long to find out."""
        if self._failure is not None and self._clock() < self._failed_until:
            raise IssuerUnavailable(self._failure.message)
        try:
            self._fetch_keys()
        except IssuerUnavailable as error:
            self._failure, self._failed_until = error, self._clock() + RETRY_SECONDS
            raise
        self._failure = None

    def _fetch_keys(self) -> None:
        document = self._get(discovery_url(self._issuer))
        if document.get("issuer") != self._issuer:
            raise IssuerUnavailable(f"{self._issuer} names itself {document.get('issuer')!r}")
        try:
            address = check_issuer_url(str(document.get("jwks_uri")), self._issuer)
        except InvalidValue as error:
            raise IssuerUnavailable(f"{self._issuer} names no keys: {error.message}") from None
        keys = self._get(address).get("keys")
        if not isinstance(keys, list):
            raise IssuerUnavailable(f"{address} holds no keys")
        self._keys = [key for key in keys if isinstance(key, dict)]
        self._good_until = self._clock() + KEYS_SECONDS

    def _get(self, url: str) -> Object:
        """Returns the JSON object at a URL; raises IssuerUnavailable."""
        from http.client import HTTPException
        from urllib.request import Request, build_opener

        request = Request(url, headers={"Accept": "application/json"})  # noqa: S310 (https, checked)
        try:
            opener = build_opener(*_handlers(url))
            with opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                found = json.loads(answer.read(_MAX_BYTES))
        except (OSError, HTTPException, ValueError) as error:
            raise IssuerUnavailable(f"{url} does not answer as it must ({error})") from None
        if not isinstance(found, dict):
            raise IssuerUnavailable(f"{url} does not answer as it must (no object)")
        return found


def _handlers(url: str) -> list[Any]:
    """Returns what keeps a request from being sent on, and on this machine from a proxy."""
    from urllib.request import HTTPRedirectHandler, ProxyHandler

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    return [Stay(), ProxyHandler({})] if is_loopback(url) else [Stay()]


def _is_for(key: Object, algorithm: str) -> bool:
    """Tells whether a key of the issuer verifies this algorithm's signatures, and is not weak."""
    kind, curve = _ALGORITHMS[algorithm]
    if key.get("kty") != kind or key.get("crv") != curve:
        return False
    if key.get("alg", algorithm) != algorithm or key.get("use", "sig") != "sig":
        return False
    # Four characters of base64url are three bytes.
    return kind != "RSA" or len(str(key.get("n"))) * 3 // 4 >= _MIN_RSA_BYTES
