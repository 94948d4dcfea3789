"""An OpenID issuer as a client sees it: where to send the browser, and tokens for what comes back.

Authorization code with PKCE (RFC 7636) as a public client (RFC 8252). The ID token comes straight
from the issuer over TLS, so its signature is for the server to verify (OpenID Connect Core 1.0,
3.1.3.7); whom it is for is checked here too.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import field
from hashlib import sha256
from urllib.parse import quote, urlencode, urlsplit

from sopor.errors import ServerUnreachable, SignOnFailed, SignOnRequired
from sopor.records import dataclass
from sopor.remote.address import ServerAddress
from sopor.remote.sign_on import SignOnSettings
from sopor_core import canonical
from sopor_core.canonical import Json
from sopor_core.encoding import b64decode, b64encode
from sopor_core.errors import InvalidValue, VerificationError
from sopor_core.sign_on import check_issuer_url, discovery_url, is_loopback

_TIMEOUTS = (10.0, 30.0)
_MAX_BYTES = 1024 * 1024
_MAX_TOKEN = 16 * 1024
_MAX_SHOWN = 200
_ASK = "ask who runs the server: it and the issuer do not agree"
_OFFLINE = "offline_access"


@dataclass(frozen=True, slots=True)
class IssuerTokens:
    """What an issuer gave: whom its ID token means, and the refresh token if there is one."""

    id_token: str = field(repr=False)
    sub: str
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """The secrets of one sign-on: what must come back, and what proves who began it."""

    nonce: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)

    @property
    def code_challenge(self) -> str:
        """What the browser carries of the verifier (RFC 7636, S256)."""
        return b64encode(sha256(self.verifier.encode("ascii")).digest())


class Issuer:
    """The issuer that a server names; what it is about is asked with the first call.

    Every method raises ServerUnreachable when the issuer gives no usable answer, and SignOnFailed
    when it refuses or does not keep to the standards.
    """

    def __init__(self, settings: SignOnSettings) -> None:
        """Takes the settings; talks to nobody."""
        self.settings = settings
        self._described: Mapping[str, Json] | None = None

    def authorization_url(self, attempt: Attempt, redirect: str) -> str:
        """Returns where the browser goes."""
        url = self._endpoint("authorization_endpoint")
        scopes = self._scopes()
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect,
            "scope": " ".join(scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.code_challenge,
            "code_challenge_method": "S256",
        }
        if _OFFLINE in scopes:
            # Without it an issuer must ignore that scope (OpenID Connect Core 1.0, section 11).
            query["prompt"] = "consent"
        return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(query, quote_via=quote)}"

    def _scopes(self) -> list[str]:
        known = self._description().get("scopes_supported")
        offline = not isinstance(known, list) or _OFFLINE in known
        return [scope for scope in self.settings.scopes if scope != _OFFLINE or offline]

    def code_of(self, answer: Mapping[str, str]) -> str:
        """Returns the code that a browser brought; its state was checked.

        Raises:
            SignOnFailed: the issuer refused, or it is the answer of another issuer (RFC 9207).
        """
        issuer = self.settings.issuer
        if answer.get("iss", issuer) != issuer:
            raise SignOnFailed("another issuer answered", hint="try again; if it stays so, " + _ASK)
        if "error" in answer:
            raise _refused(issuer, answer)
        if not answer.get("code"):
            raise SignOnFailed(f"{issuer} sent the browser back without a code", hint="try again")
        return answer["code"]

    def exchange(self, code: str, attempt: Attempt, redirect: str) -> IssuerTokens:
        """Returns the tokens for a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": attempt.verifier,
        }
        return self._tokens(self._ask(form), attempt.nonce)

    def refresh(self, refresh_token: str, sub: str) -> IssuerTokens:
        """Returns fresh tokens of the person who signed on before.

        Raises:
            SignOnRequired: the issuer lets that person in no more, or wants to see them again.
        """
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        tokens = self._tokens(self._ask(form), None)
        if tokens.sub != sub:
            raise SignOnRequired(
                f"{self.settings.issuer} means somebody else now", hint="run `sopor login`"
            )
        return tokens

    def _ask(self, form: Mapping[str, str]) -> Mapping[str, Json]:
        sent, login = dict(form), None
        settings = self.settings
        if settings.client_secret is None:
            sent["client_id"] = settings.client_id
        elif self._wants_secret_in_form():
            sent |= {"client_id": settings.client_id, "client_secret": settings.client_secret}
        else:
            login = quote(settings.client_id, safe=""), quote(settings.client_secret, safe="")
        status, answer = _fetch(self._endpoint("token_endpoint"), sent, login)
        if status == 200:
            return answer
        if answer.get("error") == "invalid_grant" and form["grant_type"] == "refresh_token":
            raise SignOnRequired(
                f"{settings.issuer} does not continue the sign-on of this device",
                hint="run `sopor login`; if you are refused there, ask who runs the issuer",
                problem="sign-on-required",
            )
        if status >= 500 or status == 429:
            raise ServerUnreachable(
                f"{settings.issuer} cannot answer now (status {status})", hint="try again later"
            )
        raise _refused(settings.issuer, answer)

    def _wants_secret_in_form(self) -> bool:
        methods = self._description().get("token_endpoint_auth_methods_supported")
        return isinstance(methods, list) and "client_secret_basic" not in methods

    def _tokens(self, answer: Mapping[str, Json], nonce: str | None) -> IssuerTokens:
        id_token, refresh_token = answer.get("id_token"), answer.get("refresh_token")
        if not isinstance(id_token, str) or len(id_token) > _MAX_TOKEN:
            raise SignOnFailed(f"{self.settings.issuer} gave no ID token", hint=_ASK)
        claims = _claims(id_token)
        audience = claims.get("aud")
        if claims.get("iss") != self.settings.issuer:
            raise SignOnFailed("the ID token is of another issuer", hint=_ASK)
        if self.settings.client_id not in (audience if isinstance(audience, list) else [audience]):
            raise SignOnFailed("the ID token is for another client", hint=_ASK)
        if nonce is not None and claims.get("nonce") != nonce:
            raise SignOnFailed("the ID token is not for this login", hint="try again")
        usable = isinstance(refresh_token, str) and 0 < len(refresh_token) <= _MAX_TOKEN
        return IssuerTokens(
            id_token, str(claims.get("sub")), str(refresh_token) if usable else None
        )

    def _endpoint(self, name: str) -> str:
        try:
            return check_issuer_url(str(self._description().get(name)), self.settings.issuer)
        except InvalidValue:
            raise SignOnFailed(
                f"{self.settings.issuer} names no {name} that can be used", hint=_ASK
            ) from None

    def _description(self) -> Mapping[str, Json]:
        if self._described is None:
            url = discovery_url(self.settings.issuer)
            status, found = _fetch(url)
            if status != 200 or found.get("issuer") != self.settings.issuer:
                raise SignOnFailed(f"{url} does not describe the issuer", hint=_ASK)
            self._described = found
        return self._described


def _refused(issuer: str, answer: Mapping[str, Json]) -> SignOnFailed:
    """Returns the error for an OAuth error answer (RFC 6749, 4.1.2.1 and 5.2)."""
    code = _shown(answer.get("error")) or "no reason"
    if code == "access_denied":
        return SignOnFailed(
            f"{issuer} did not let you in (access_denied)",
            hint="try again and allow it; if you are refused there, ask who runs the issuer",
        )
    said = _shown(answer.get("error_description"))
    return SignOnFailed(
        f"{issuer} refused the sign-on ({code}{': ' + said if said else ''})", hint=_ASK
    )


def _shown(value: Json) -> str:
    text = value if isinstance(value, str) else ""
    # Terminals obey control characters, so an issuer must not be able to print any.
    return "".join(c if c.isprintable() else "?" for c in text[:_MAX_SHOWN])


def _claims(token: str) -> Mapping[str, Json]:
    parts = token.split(".")
    try:
        claims = canonical.parse_json(b64decode(parts[1])) if len(parts) == 3 else None
    except VerificationError:
        claims = None
    if not isinstance(claims, dict):
        raise SignOnFailed("the issuer's ID token does not read", hint=_ASK)
    return claims


def _fetch(
    url: str, form: Mapping[str, str] | None = None, login: tuple[str, str] | None = None
) -> tuple[int, Mapping[str, Json]]:
    """Returns status and JSON object of an answer; raises ServerUnreachable."""
    import requests
    from urllib3.exceptions import HTTPError

    from sopor.remote.connection import lean_session

    try:
        with lean_session(ServerAddress(url, is_loopback(url))) as session:
            response = session.request(
                "GET" if form is None else "POST",
                url,
                headers={"Accept": "application/json"},
                data=form,
                auth=login,
                timeout=_TIMEOUTS,
                allow_redirects=False,
                stream=True,
            )
            with response:
                body = response.raw.read(_MAX_BYTES, decode_content=True)
    except (requests.RequestException, HTTPError, OSError) as error:
        raise _unreachable(url, error) from None
    try:
        value = canonical.parse_json(body)
    except VerificationError:
        value = None
    return response.status_code, value if isinstance(value, dict) else {}


def _unreachable(url: str, error: Exception) -> ServerUnreachable:
    from requests.exceptions import SSLError, Timeout

    reason, hint = "the connection broke or is refused", "check the network and try again"
    if isinstance(error, SSLError):
        reason = "its certificate or its encryption is not acceptable"
        hint = "check the clock; SSL_CERT_FILE names an own certificate authority"
    elif isinstance(error, Timeout):
        reason = "no answer in time"
    host = urlsplit(url).netloc
    return ServerUnreachable(f"the issuer at {host} cannot be reached ({reason})", hint=hint)
