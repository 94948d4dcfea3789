"""An OpenID issuer on the loopback interface, which can be told to misbehave.

    with running_issuer() as issuer:
        with running_server(folder, **issuer.settings("required")) as server:
            ...
            issuer.disable("ada")            # refreshes for her are refused from now on
            issuer.twist = Twist(claims={"aud": "somebody-else"})

It keeps to the standards where it is not told otherwise, and refuses clients that do not: PKCE with
S256, one use of a code, the very redirect address, rotating refresh tokens of which a used one ends
all.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CLIENT = "sopor-desktop"
_LIFE_SECONDS = 600
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Somebody:
    """A person at the issuer."""

    sub: str
    email: str


ADA = Somebody("ada", "ada@example.com")
BOB = Somebody("bob", "bob@example.com")


@dataclass(frozen=True)
class Twist:
    """What is wrong with the next tokens.

    ``claims`` replace what is right, None leaves a claim out. ``age`` moves the times back, in
    seconds. ``algorithm`` may be ``none`` or ``HS256``, with the public key as the secret.
    """

    claims: Mapping[str, Any] = field(default_factory=dict)
    age: int = 0
    algorithm: str | None = None
    unknown_key: bool = False
    garbled: bool = False


STRAIGHT = Twist()


@dataclass
class _Code:
    somebody: Somebody
    query: dict[str, str]


class Issuer:
    """What the issuer knows, and what it was told to do wrong."""

    def __init__(self, algorithm: str = "ES256") -> None:
        self.algorithm = algorithm
        self.url = ""
        self.at_the_browser = ADA
        self.twist = STRAIGHT
        self.denies: str | None = None
        self.refuses_codes: str | None = None
        self.client_secret: str | None = None
        self.knows_offline_access = True
        self.requests: list[str] = []
        self.redirects: list[str] = []
        self._disabled: set[str] = set()
        self._codes: dict[str, _Code] = {}
        self._live: dict[str, Somebody] = {}
        self._used: dict[str, Somebody] = {}
        self._key: PrivateKey
        self._name: str
        self.change_keys()

    def settings(self, mode: str, domains: str = "example.com") -> dict[str, str]:
        """Returns the environment of a server that names this issuer."""
        return {
            "SOPOR_SSO": mode,
            "SOPOR_SSO_ISSUER": self.url,
            "SOPOR_SSO_CLIENT_ID": CLIENT,
            "SOPOR_SSO_DOMAINS": domains,
        }

    def disable(self, sub: str) -> None:
        """Refuses everything to a person from now on."""
        self._disabled.add(sub)

    def enable(self, sub: str) -> None:
        """Takes a person back."""
        self._disabled.discard(sub)

    def live_tokens(self) -> list[str]:
        """Returns the refresh tokens that count."""
        return list(self._live)

    def change_keys(self) -> None:
        """Signs with a new key and names only that one."""
        makers: dict[str, Any] = {
            "RS256": lambda: rsa.generate_private_key(65537, 2048),
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
        }
        self._key = makers[self.algorithm]()
        self._name = secrets.token_hex(4)

    def id_token(
        self, somebody: Somebody = ADA, nonce: str | None = None, twist: Twist | None = None
    ) -> str:
        """Signs an ID token, with what the twist of the moment makes of it."""
        twist = twist or self.twist
        now = int(time.time()) - twist.age
        claims: dict[str, Any] = {
            "iss": self.url,
            "sub": somebody.sub,
            "aud": CLIENT,
            "iat": now,
            "exp": now + _LIFE_SECONDS,
            "email": somebody.email,
            "email_verified": True,
            "nonce": nonce,
            **twist.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        token = self._signed(claims, twist)
        head, _, signature = token.rpartition(".")
        return f"{head}.{signature[::-1]}" if twist.garbled else token

    def _signed(self, claims: Mapping[str, Any], twist: Twist) -> str:
        algorithm = twist.algorithm or self.algorithm
        name = "unheard-of" if twist.unknown_key else self._name
        header = {"alg": algorithm, "typ": "JWT", "kid": name}
        if algorithm in {"none", "HS256"}:
            body = f"{_b64(json.dumps(header))}.{_b64(json.dumps(claims))}"
            pem = self._key.public_key().public_bytes(
                Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
            )
            mac = hmac.digest(pem, body.encode(), "sha256") if algorithm == "HS256" else b""
            return f"{body}.{_b64(mac)}"
        return jwt.encode(dict(claims), self._key, algorithm, {"kid": name})

    # --------------------------------------------------------------------------- endpoints

    def discovery(self) -> dict[str, Any]:
        scopes = ["openid", "email", *(["offline_access"] if self.knows_offline_access else [])]
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "scopes_supported": scopes,
            "code_challenge_methods_supported": ["S256"],
        }

    def keys(self) -> dict[str, Any]:
        algorithm = jwt.get_algorithm_by_name(self.algorithm)
        public: Any = algorithm.to_jwk(self._key.public_key(), as_dict=True)
        decoy = {"kty": "oct", "kid": "decoy", "k": "c2VjcmV0"}
        return {"keys": [decoy, {**public, "kid": self._name, "use": "sig"}]}

    def authorize(self, query: dict[str, str]) -> str:
        """Returns where the browser is sent; raises AssertionError for what no client may ask."""
        redirect = query["redirect_uri"]
        self.redirects.append(redirect)
        assert query["client_id"] == CLIENT
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert len(query["code_challenge"]) == 43
        assert len(query["state"]) >= 20
        assert "openid" in query["scope"].split()
        where = urlsplit(redirect)
        assert (where.scheme, where.hostname, where.path) == ("http", "127.0.0.1", "/callback")
        answer = {"state": query["state"], "iss": self.url}
        denied = self.denies or ("access_denied" if self._is_disabled(self.at_the_browser) else "")
        if denied:
            return f"{redirect}?{urlencode({**answer, 'error': denied})}"
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Code(self.at_the_browser, query)
        return f"{redirect}?{urlencode({**answer, 'code': code})}"

    def token(self, form: dict[str, str], authorization: str | None) -> tuple[int, dict[str, Any]]:
        if not self._is_client(form, authorization):
            return 401, {"error": "invalid_client"}
        if form.get("grant_type") == "refresh_token":
            return self._refreshed(form["refresh_token"])
        if self.refuses_codes:
            return 400, {"error": self.refuses_codes}
        code = self._codes.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "")
        proved = code and code.query["code_challenge"] == _b64(sha256(verifier.encode()).digest())
        if code is None or not proved or code.query["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        offline = "offline_access" in code.query["scope"].split()
        return 200, self._answer(code.somebody, code.query.get("nonce"), offline=offline)

    def _refreshed(self, token: str) -> tuple[int, dict[str, Any]]:
        somebody = self._live.pop(token, None)
        if token in self._used:
            # Somebody has a stolen one: whose it was has to sign on again (RFC 9700, 4.14.2).
            owner = self._used[token]
            self._live = {key: each for key, each in self._live.items() if each != owner}
        if somebody is None or self._is_disabled(somebody):
            return 400, {"error": "invalid_grant", "error_description": "the token is not active"}
        self._used[token] = somebody
        return 200, self._answer(somebody, None, offline=True)

    def _answer(self, somebody: Somebody, nonce: str | None, *, offline: bool) -> dict[str, Any]:
        answer = {
            "token_type": "Bearer",
            "access_token": secrets.token_urlsafe(16),
            "id_token": self.id_token(somebody, nonce),
        }
        if offline:
            answer["refresh_token"] = secrets.token_urlsafe(32)
            self._live[answer["refresh_token"]] = somebody
        return answer

    def _is_client(self, form: dict[str, str], authorization: str | None) -> bool:
        if self.client_secret is None:
            return form.get("client_id") == CLIENT and "client_secret" not in form
        scheme, _, encoded = (authorization or "").partition(" ")
        # Both halves were form-encoded before (RFC 6749, 2.3.1).
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
        given = (scheme, unquote_plus(name), unquote_plus(secret))
        return given == ("Basic", CLIENT, self.client_secret)

    def _is_disabled(self, somebody: Somebody) -> bool:
        return somebody.sub in self._disabled


def _b64(data: bytes | str) -> str:
    raw = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@contextmanager
def running_issuer(algorithm: str = "ES256", port: int = 0) -> Iterator[Issuer]:
    """Runs an issuer for the length of a ``with`` block."""
    issuer = Issuer(algorithm)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            where = urlsplit(self.path)
            issuer.requests.append(where.path)
            if where.path == "/authorize":
                self.send_response(302)
                query = {name: values[0] for name, values in parse_qs(where.query).items()}
                self.send_header("Location", issuer.authorize(query))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            known = {"/.well-known/openid-configuration": issuer.discovery, "/keys": issuer.keys}
            if where.path in known:
                self._send(200, known[where.path]())
            else:
                self._send(404, {"error": "not_found"})

        def do_POST(self) -> None:
            issuer.requests.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._send(*issuer.token(dict(parse_qsl(body)), self.headers.get("Authorization")))

        def _send(self, status: int, answer: Mapping[str, Any]) -> None:
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        issuer.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()
