"""Wraps epoch secrets for members with HPKE (RFC 9180; SPEC section 6, "Wrap")."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from sopor.crypto.keys import EpochSecret, u32
from sopor.records import dataclass
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import OrgId
from sopor_core.membership import WRAP_BYTES, Recipient, Scope

HOME = OrgId(bytes(OrgId.SIZE))
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@dataclass(frozen=True, slots=True)
class WrapContext:
    """What a wrap is bound to: one epoch of one scope, for one member or open invite.

    ``org`` is `HOME` for the home of an organization, whose id is made from the wrap.
    """

    org: OrgId
    project: Scope
    epoch: int
    recipient: Recipient

    def info(self) -> bytes:
        """Returns HPKE's ``info``."""
        parts = self.org + self.project + u32(self.epoch) + self.recipient
        return b"sopor/1 epoch\0" + parts


def wrap(secret: EpochSecret, encryption_key: bytes, context: WrapContext) -> bytes:
    """Wraps a secret to a member's X25519 key (32 bytes); returns 80 bytes.

    The caller must have verified whose key it is.

    Raises:
        VerificationError: layer ``account``, for a key that nothing can be encrypted to.
    """
    try:
        public = X25519PublicKey.from_public_bytes(encryption_key)
        return _SUITE.encrypt(secret.reveal(), public, info=context.info())
    except ValueError:
        raise VerificationError(Layer.ACCOUNT, "an encryption key is not usable") from None


def unwrap(
    wrapped: bytes, private: X25519PrivateKey, context: WrapContext, commitment: bytes
) -> EpochSecret:
    """Unwraps a secret and compares it with the log's commitment.

    Raises:
        VerificationError: layer ``epoch``, if the wrap does not open or holds another secret.
    """
    if len(wrapped) != WRAP_BYTES:
        raise VerificationError(Layer.EPOCH, f"a wrap has {WRAP_BYTES} bytes, not {len(wrapped)}")
    try:
        secret = EpochSecret(_SUITE.decrypt(wrapped, private, info=context.info()))
    except (InvalidTag, ValueError):
        raise VerificationError(Layer.EPOCH, "a key was not wrapped for this account") from None
    secret.check_commitment(context.project, context.epoch, commitment)
    return secret
