"""What ties an ID token of an issuer to one login of one device (SPEC section 9.1)."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import urlsplit

from sopor_core.encoding import b64encode
from sopor_core.errors import InvalidValue
from sopor_core.ids import DeviceId, ServerId

_NONCE_LABEL = b"sopor/1 sign-on\0"
_SUBJECT_LABEL = b"sopor/1 subject\0"


def nonce_of(server: ServerId, device: DeviceId, challenge: bytes) -> str:
    """Returns the nonce that an ID token must have to count for this device and challenge.

    So a token that somebody got elsewhere, or that another server passes on, logs nobody in.
    """
    return b64encode(sha256(_NONCE_LABEL + server + device + challenge).digest())


def subject_of(issuer: str, sub: str) -> bytes:
    """Returns the 32 bytes by which a server remembers a person of an issuer.

    An issuer is a URL, so the zero byte after it cannot be part of it.
    """
    return sha256(_SUBJECT_LABEL + issuer.encode() + b"\0" + sub.encode()).digest()


def discovery_url(issuer: str) -> str:
    """Returns where an issuer describes itself (OpenID Connect Discovery 1.0, section 4)."""
    return issuer.removesuffix("/") + "/.well-known/openid-configuration"


def check_issuer_url(url: str, issuer: str = "") -> str:
    """Returns a URL of an issuer: https, or http on this machine.

    An issuer elsewhere cannot name an address of this machine: ``issuer`` is the one that names
    this URL.

    Raises:
        InvalidValue: it is another kind of address.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    near = is_loopback(url) and (not issuer or is_loopback(issuer))
    safe = parts.scheme == "https" or (parts.scheme == "http" and near)
    odd = parts.username is not None or parts.fragment or not url.isprintable() or " " in url
    if not host or not safe or odd:
        raise InvalidValue(
            f"{url[:200]!r} is not an https:// address of an issuer",
            hint="an issuer is written as it names itself, such as https://login.example.com",
        )
    return url


def is_loopback(url: str) -> bool:
    """Tells whether a URL is of this machine."""
    try:
        return urlsplit(url).hostname in {"127.0.0.1", "::1", "localhost"}
    except ValueError:
        return False
