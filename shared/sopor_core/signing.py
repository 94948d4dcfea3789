"""Ed25519 as SPEC section 8 uses it: labelled messages, and no keys of small order.

Verification only raises; it never answers with a bool.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sopor_core import canonical
from sopor_core.canonical import Json
from sopor_core.errors import Layer, VerificationError

PUSH = "sopor/1 push"
MEMBERSHIP = "sopor/1 membership"
ACCOUNT_RECORD = "sopor/1 account record"
CREDENTIALS = "sopor/1 credentials"
CHALLENGE = "sopor/1 challenge"
JOIN = "sopor/1 join"
REKEY = "sopor/1 rekey"
ACCOUNT_REKEY = "sopor/1 account rekey"
LICENSE = "sopor/1 license"
PRESENCE = "sopor/1 presence"

_P = 2**255 - 19
# y coordinates of the points of order 1, 2, 4 and 8 on edwards25519 (RFC 8032, section 5.1).
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER_Y = frozenset({0, 1, _P - 1, _ORDER_8, _P - _ORDER_8})


class VerifyKey(bytes):
    """An Ed25519 public key (32 bytes) that is canonical and not of small order."""

    __slots__ = ()

    def __new__(cls, raw: bytes) -> VerifyKey:
        """Checks the key; raises VerificationError (``signature``)."""
        if len(raw) != 32:
            raise VerificationError(Layer.SIGNATURE, "a public key has 32 bytes")
        y = int.from_bytes(raw, "little") & (2**255 - 1)
        if y >= _P or y in _SMALL_ORDER_Y:
            raise VerificationError(Layer.SIGNATURE, "a public key is of small order")
        return super().__new__(cls, raw)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raises VerificationError (``signature``) unless the signature is of this message."""
        try:
            Ed25519PublicKey.from_public_bytes(self).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise VerificationError(Layer.SIGNATURE, "the signature does not verify") from None


def signed_message(label: str, unsigned: Mapping[str, Json]) -> bytes:
    """Returns what is signed: label, zero byte, canonical object without its signature."""
    return label.encode("ascii") + b"\0" + canonical.encode(dict(unsigned))


def without_signature(value: Json) -> dict[str, Json]:
    """Returns the members of a parsed object but its signature."""
    members = value if isinstance(value, dict) else {}
    return {name: member for name, member in members.items() if name != "sig"}


def labelled_hash(label: str, data: bytes) -> bytes:
    """Returns SHA-256 over label, zero byte and data."""
    return sha256(label.encode("ascii") + b"\0" + data).digest()
