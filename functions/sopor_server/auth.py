"""Tokens and challenges that the server recognizes without keeping them (SPEC section 9).

Both are authenticated with the server's secret, so issuing one writes nothing: nobody can fill the
storage by asking. What must be kept is kept elsewhere: revoked devices, answered challenges.
"""

from __future__ import annotations

import hmac
import secrets
import struct
from dataclasses import dataclass, field
from hashlib import sha256

from sopor_core.account import Action
from sopor_core.encoding import b64decode, b64encode
from sopor_core.errors import VerificationError
from sopor_core.ids import AccountId, DeviceId, ServerId
from sopor_core.wire.problems import Code
from sopor_server.errors import Refused

ACCESS_SECONDS = 15 * 60
CHALLENGE_SECONDS = 5 * 60
_TAG_BYTES = 16
_LOGIN_HINT = "run `sopor login` again"


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """Who this server is: the id that devices pin, and the secret behind its tokens."""

    id: ServerId
    secret: bytes = field(repr=False)

    def tag(self, label: str, *parts: bytes) -> bytes:
        """Returns 16 bytes of HMAC-SHA256 over label, zero byte and parts of fixed lengths."""
        message = b"\0".join((label.encode("ascii"), b"".join(parts)))
        return hmac.digest(self.secret, message, "sha256")[:_TAG_BYTES]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request, as its access token says; the device may be revoked meanwhile."""

    account: AccountId
    device: DeviceId


def issue_access_token(server: ServerIdentity, caller: Caller, now: int) -> str:
    """Returns an access token that ends 15 minutes after ``now`` (milliseconds)."""
    body = caller.account + caller.device + struct.pack(">I", now // 1000 + ACCESS_SECONDS)
    return b64encode(body + server.tag("sopor/1 access token", body))


def read_access_token(server: ServerIdentity, token: str, now: int) -> Caller:
    """Returns whom a token names.

    Raises:
        Refused: ``unauthenticated`` for what this server did not issue, ``session-expired``.
    """
    try:
        data = b64decode(token)
    except VerificationError:
        data = b""
    body, tag = data[:-_TAG_BYTES], data[-_TAG_BYTES:]
    if len(body) != 36 or not hmac.compare_digest(tag, server.tag("sopor/1 access token", body)):
        raise Refused(Code.UNAUTHENTICATED, "the access token is not valid", hint=_LOGIN_HINT)
    (expires,) = struct.unpack(">I", body[32:])
    if expires <= now // 1000:
        raise Refused(
            Code.SESSION_EXPIRED,
            "the access token has expired",
            hint="refresh it at /v1/login/refresh",
        )
    return Caller(AccountId(body[:16]), DeviceId(body[16:32]))


def expiry_of(token: str) -> int:
    """Returns when an access token that was read expires, in milliseconds."""
    (expires,) = struct.unpack(">I", b64decode(token)[32:36])
    return 1000 * int(expires)


def issue_challenge(server: ServerIdentity, account: AccountId, action: Action, now: int) -> bytes:
    """Returns 32 bytes that prove, when they come back, that this server chose them."""
    head = struct.pack(">I", now // 1000 + CHALLENGE_SECONDS) + secrets.token_bytes(12)
    return head + _challenge_tag(server, account, action, head)


def check_challenge(
    server: ServerIdentity, account: AccountId, action: Action, challenge: bytes, now: int
) -> int | None:
    """Returns when the challenge expires (milliseconds), or None for one that counts no more."""
    head, tag = challenge[:16], challenge[16:]
    expires = 1000 * int.from_bytes(head[:4], "big")
    genuine = hmac.compare_digest(tag, _challenge_tag(server, account, action, head))
    return expires if genuine and expires > now else None


def _challenge_tag(
    server: ServerIdentity, account: AccountId, action: Action, head: bytes
) -> bytes:
    return server.tag("sopor/1 issued challenge", account, head, action.encode("ascii"))


def new_refresh_token() -> tuple[str, bytes]:
    """Returns a refresh token and the hash of it that the server keeps."""
    token = secrets.token_bytes(32)
    return b64encode(token), sha256(token).digest()


def matches_refresh_token(token: str, refresh_hash: bytes) -> bool:
    """Tells whether a refresh token is the one whose hash is kept."""
    try:
        data = b64decode(token)
    except VerificationError:
        return False
    return hmac.compare_digest(sha256(data).digest(), refresh_hash)
