"""Invite codes and what follows from them (SPEC section 8.3).

A code goes from person to person, never through the server. It names the organization and the keys
of who invites, so the invited person trusts neither to the server; its secret gives a key that
vouches for the invited person's own keys, and one that opens the projects' keys at once.
"""

from __future__ import annotations

import secrets
from dataclasses import field
from functools import cached_property
from hashlib import sha256
from typing import Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sopor.crypto import crockford
from sopor.crypto.account import SigningKey
from sopor.crypto.keys import EpochSecret, u32
from sopor.crypto.primitives import hkdf
from sopor.crypto.secret import Secret
from sopor.crypto.wraps import WrapContext, unwrap
from sopor.records import dataclass
from sopor_core.errors import InvalidValue
from sopor_core.identity import PublicIdentity
from sopor_core.ids import EntryHash, InviteToken, OrgId
from sopor_core.membership import join_message
from sopor_core.signing import JOIN, VerifyKey, signed_message

_PREFIX, _NAME = "INV1", "invite code"
_VERSION = 1
_SECRET_BYTES, _INVITER_BYTES, _CHECKSUM_BYTES = 16, 16, 6
_SIZE = 1 + OrgId.SIZE + _INVITER_BYTES + _SECRET_BYTES + 4


class InviteSecret(Secret):
    """The one-use secret of an invite (16 random bytes)."""

    SIZE = _SECRET_BYTES
    __slots__ = ()


def inviter_hash(identity: PublicIdentity) -> bytes:
    """Returns what a code says of who invites (16 bytes)."""
    data = b"sopor/1 inviter\0" + identity.signing + identity.encryption
    return sha256(data).digest()[:_INVITER_BYTES]


@dataclass(frozen=True)
class InviteCode:
    """An invite code; ``expires`` is in seconds since 1970."""

    org: OrgId
    inviter: bytes
    secret: InviteSecret = field(repr=False)
    expires: int

    @classmethod
    def new(cls, org: OrgId, inviter: PublicIdentity, expires: int) -> Self:
        """Makes a code with a new secret."""
        secret = InviteSecret(secrets.token_bytes(_SECRET_BYTES))
        return cls(org, inviter_hash(inviter), secret, expires)

    def to_text(self) -> str:
        """Returns the written form, such as ``INV1-0123-...``."""
        data = (
            bytes((_VERSION,)) + self.org + self.inviter + self.secret.reveal() + u32(self.expires)
        )
        return crockford.write(_PREFIX, _NAME, data, _CHECKSUM_BYTES)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads the written form in any case, with or without spaces and hyphens.

        Raises:
            InvalidValue: saying what is wrong; never repeating the code.
        """
        data = crockford.read(_PREFIX, _NAME, text, _SIZE, _CHECKSUM_BYTES)
        if data[0] != _VERSION:
            raise InvalidValue("the invite code is of a newer kind", hint="upgrade sopor")
        at = 1 + OrgId.SIZE
        return cls(
            OrgId(data[1:at]),
            data[at : at + _INVITER_BYTES],
            InviteSecret(data[at + _INVITER_BYTES : -4]),
            int.from_bytes(data[-4:], "big"),
        )

    @cached_property
    def keys(self) -> InviteKeys:
        """The keys that follow from the secret."""
        return InviteKeys(self.org, self.secret)


class InviteKeys:
    """The token, id, signing key and decryption key of an invite."""

    def __init__(self, org: OrgId, secret: InviteSecret) -> None:
        """Derives them."""
        base = secret.reveal()
        self._org = org
        self.token = InviteToken(hkdf(base, org, "sopor/1 invite token")[: InviteToken.SIZE])
        self.invite = self.token.invite
        self._signing = SigningKey(hkdf(base, org, "sopor/1 invite key"))
        seed = hkdf(base, org, "sopor/1 invite encryption")
        self._encryption = X25519PrivateKey.from_private_bytes(seed)

    @property
    def key(self) -> VerifyKey:
        """The public signing key."""
        return self._signing.public

    @property
    def encryption(self) -> bytes:
        """The public encryption key."""
        return self._encryption.public_key().public_bytes_raw()

    def vouch(self, prev: EntryHash, identity: PublicIdentity, login: str) -> bytes:
        """Signs for the keys of who joins with the entry after ``prev``."""
        message = join_message(self._org, self.invite, prev, identity, login)
        return self._signing.sign(signed_message(JOIN, message))

    def unwrap(self, wrapped: bytes, context: WrapContext, commitment: bytes) -> EpochSecret:
        """Unwraps an epoch secret; raises VerificationError (``epoch``)."""
        return unwrap(wrapped, self._encryption, context, commitment)

    def __repr__(self) -> str:
        return f"InviteKeys({self.invite!r})"
