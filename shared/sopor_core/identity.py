"""An account's public keys and the id that follows from them (SPEC sections 1 and 9)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.errors import Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.ids import AccountId
from sopor_core.signing import VerifyKey

_P = 2**255 - 19
# The u coordinates of the points of small order on curve25519 and its twist (RFC 7748).
_SMALL_ORDER_U = frozenset(
    {
        0,
        1,
        0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
        0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
        _P - 1,
    }
)


@dataclass(frozen=True, slots=True)
class PublicIdentity:
    """What others need of an account: its id, Ed25519 signing key, X25519 encryption key."""

    account: AccountId
    signing: VerifyKey
    encryption: bytes

    @classmethod
    def founding(cls, signing: VerifyKey, encryption: bytes) -> PublicIdentity:
        """Makes the identity of a new account, whose id follows from its keys."""
        return cls(_account_id(signing, encryption), signing, encryption)

    def check_founding_id(self) -> None:
        """Raises VerificationError (``account``) unless the id follows from the keys."""
        if self.account != _account_id(self.signing, self.encryption):
            raise VerificationError(Layer.ACCOUNT, "the account's id does not follow from its keys")

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON form."""
        return {
            "account": self.account.b64,
            "signing": b64encode(self.signing),
            "encryption": b64encode(self.encryption),
        }

    @classmethod
    def from_json(cls, value: Json) -> PublicIdentity:
        """Parses the JSON form; raises VerificationError (``parse`` or ``signature``)."""
        fields = Fields(value, "an identity")
        identity = cls(
            fields.id("account", AccountId),
            VerifyKey(fields.data("signing", 32)),
            check_encryption_key(fields.data("encryption", 32)),
        )
        fields.end()
        return identity


def check_encryption_key(key: bytes) -> bytes:
    """Returns an X25519 public key that something can be wrapped to.

    A key of small order would make every wrap fail: one member could keep the others from a new
    epoch (RFC 7748, section 6.1).

    Raises:
        VerificationError: layer ``account``.
    """
    if (int.from_bytes(key, "little") & (2**255 - 1)) % _P in _SMALL_ORDER_U:
        raise VerificationError(Layer.ACCOUNT, "an encryption key is of small order")
    return key


def _account_id(signing: VerifyKey, encryption: bytes) -> AccountId:
    return AccountId(sha256(b"sopor/1 account\0" + signing + encryption).digest()[:16])
