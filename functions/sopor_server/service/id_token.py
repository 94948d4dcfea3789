"""What an ID token must say to count here, whoever signed it (OpenID Connect Core 1.0, 3.1.3.7).

Pure: the claims come verified, the time and the settings are arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sopor_core.sign_on import subject_of
from sopor_core.wire.problems import Code
from sopor_server.errors import Refused
from sopor_server.ports.records import Link
from sopor_server.ports.sign_on import SignOnSettings

LEEWAY_SECONDS = 60
_MAX_SUB = 255
_GOOGLE = "https://accounts.google.com"
_SET_UP = "tell who runs the server: it and the issuer do not agree on the client"
_CLOCKS = "sign on again; if it stays so, the clocks of this server and of the issuer differ"
Claims = Mapping[str, Any]


def person_of(
    claims: Claims, settings: SignOnSettings, now: int, nonce: str | None, *, fresh: bool
) -> Link:
    """Returns the person whom an ID token means.

    Args:
        claims: what the issuer signed.
        settings: the issuer, and whom of it the server takes.
        now: the time in milliseconds since 1970.
        nonce: what the token must have as its nonce; None at a refresh.
        fresh: whether somebody just signed on: the token must then tell a verified address.

    Raises:
        Refused: ``sign-on-refused``, and why.
    """
    if claims.get("iss") != settings.issuer:
        raise refused("the ID token is of another issuer", _SET_UP)
    _check_audience(claims, settings.client_id)
    _check_times(claims, settings.max_age, now // 1000)
    if nonce is not None and claims.get("nonce") != nonce:
        raise refused("the ID token is not for this login", "sign on again with `sopor login`")
    if fresh or "email" in claims:
        _check_address(claims, settings.domains)
    sub = claims.get("sub")
    if not isinstance(sub, str) or not 0 < len(sub) <= _MAX_SUB:
        raise refused("the ID token names no person", "tell who runs the issuer")
    return Link(settings.issuer, subject_of(settings.issuer, sub))


def refused(message: str, hint: str) -> Refused:
    """Returns the answer to a sign-on that is not accepted."""
    return Refused(Code.SIGN_ON_REFUSED, message, hint=hint)


def _check_audience(claims: Claims, client_id: str) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise refused("the ID token is for another client", _SET_UP)
    several = len(audiences) > 1
    if claims.get("azp", None if several else client_id) != client_id:
        raise refused("the ID token was given to another client", _SET_UP)


def _check_times(claims: Claims, max_age: int, now: int) -> None:
    issued, expires = (_seconds(claims, name) for name in ("iat", "exp"))
    if issued > now + LEEWAY_SECONDS:
        ahead = issued - now
        raise refused(f"the ID token is from {ahead} seconds in the future", _CLOCKS)
    if expires <= now - LEEWAY_SECONDS:
        raise refused(f"the ID token expired {now - expires} seconds ago", _CLOCKS)
    if issued < now - max_age - LEEWAY_SECONDS:
        age = now - issued
        raise refused(f"the ID token is {age} seconds old, more than {max_age} allowed", _CLOCKS)


def _seconds(claims: Claims, name: str) -> int:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise refused(f"the ID token has no time in {name!r}", "tell who runs the issuer")
    return int(value)


def _check_address(claims: Claims, domains: frozenset[str] | None) -> None:
    if domains is None:
        return
    address = claims.get("email")
    if not isinstance(address, str) or "@" not in address:
        raise refused("the issuer tells no e-mail address", "tell who runs it to release `email`")
    domain = address.rpartition("@")[2].lower()
    if domain not in domains:
        raise refused(
            f"addresses of {domain[:100]} may not sign on here",
            "sign on with an address of your organization",
        )
    if claims.get("email_verified") is not True:
        raise refused(
            "the issuer does not say that the e-mail address is verified",
            "confirm the address there; if it is, tell who runs it to release `email_verified`",
        )
    # Anybody may have an account at Google with any verified address; `hd` says whose it is today.
    if _is_private(claims, domain):
        raise refused(
            "the account at Google is a private one that only has an address of the organization",
            "sign on with the organization's own account",
        )


def _is_private(claims: Claims, domain: str) -> bool:
    """Tells whether Google vouches for an address without owning it (no claim ``hd``)."""
    return claims.get("iss") == _GOOGLE and domain != "gmail.com" and not claims.get("hd")
