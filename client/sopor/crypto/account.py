"""The secrets of an account, and how password and recovery key lead to them (SPEC section 9).

    password + secret key --Argon2id--> login key, wrap key --opens--> account secret
    recovery key ---------------------> login key, wrap key --opens--> account secret
    account secret --> signing key, encryption key

Nothing here talks to a server; `sopor.crypto.registration` builds what is sent there.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from enum import IntEnum
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sopor.crypto.keys import EpochSecret, u32
from sopor.crypto.passwords import SALT_BYTES, stretch
from sopor.crypto.primitives import RandomSource, hkdf, open_sealed, seal
from sopor.crypto.secret import Secret
from sopor.crypto.wraps import WrapContext, unwrap
from sopor.crypto.written_keys import RecoveryKey, SecretKey
from sopor.records import dataclass
from sopor_core.account import Action, ChallengeProof, KdfParameters
from sopor_core.errors import Layer, VerificationError
from sopor_core.identity import PublicIdentity
from sopor_core.ids import AccountId, ServerId
from sopor_core.names import normalize_login
from sopor_core.signing import VerifyKey


class AccountSecret(Secret):
    """The 32 random bytes that an account's signing and encryption keys follow from."""

    __slots__ = ()


class WrapKey(Secret):
    """The AES-256 key that the account secret is wrapped under."""

    __slots__ = ()


class SigningKey:
    """An Ed25519 private key; a `sopor_core.push_entry.Signer`."""

    __slots__ = ("_private", "public")

    def __init__(self, seed: bytes) -> None:
        """Takes the 32-byte seed."""
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = VerifyKey(self._private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Returns the 64-byte signature."""
        return self._private.sign(message)

    def __repr__(self) -> str:
        return "SigningKey(...)"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("SigningKey is secret and is not pickled or copied")


@dataclass(frozen=True, slots=True)
class LoginKeys:
    """What follows from a password with a secret key, or from a recovery key.

    ``login`` answers challenges and signs nothing else; ``wrap`` opens the account secret.
    """

    login: SigningKey
    wrap: WrapKey


def derive_login(
    password: str, secret_key: SecretKey, login: str, costs: KdfParameters
) -> LoginKeys:
    """Derives the login keys from a password; as slow as ``costs`` say.

    Args:
        password: as typed.
        secret_key: the account's secret key.
        login: the login name, in any case.
        costs: Argon2id's costs as the server names them.

    Raises:
        InvalidValue: the password or the login name is not acceptable.
        VerificationError: layer ``kdf``, before anything is computed.
    """
    name = normalize_login(login).encode("ascii")
    salt = hkdf(secret_key.reveal(), b"", "sopor/1 password salt", name)[:SALT_BYTES]
    stretched = stretch(password, salt, costs)
    master = hkdf(stretched + secret_key.reveal(), b"", "sopor/1 master", name)
    return LoginKeys(
        SigningKey(hkdf(master, b"", "sopor/1 login key")),
        WrapKey(hkdf(master, b"", "sopor/1 account wrap")),
    )


def recovery_keys(recovery_key: RecoveryKey) -> LoginKeys:
    """Derives the login keys from a recovery key."""
    key = recovery_key.reveal()
    return LoginKeys(
        SigningKey(hkdf(key, b"", "sopor/1 recovery login key")),
        WrapKey(hkdf(key, b"", "sopor/1 recovery wrap")),
    )


def answer_challenge(
    keys: LoginKeys, account: AccountId, action: Action, challenge: bytes, server: ServerId
) -> ChallengeProof:
    """Signs a server's challenge for one action; ``server`` is the pinned id, not the told one."""
    return ChallengeProof(account, action, challenge, server).sign(keys.login)


class WrapKind(IntEnum):
    """What an account secret is wrapped for; part of the associated data."""

    PASSWORD = 1
    RECOVERY = 2


@dataclass(frozen=True, slots=True)
class SecretWrapContext:
    """What a wrapped account secret is bound to.

    A wrap under the password is bound to the number and costs of its credentials. One under the
    recovery key outlives changes of the password, so it is bound to zeros in their place.
    """

    account: AccountId
    kind: WrapKind
    n: int = 0
    m: int = 0
    t: int = 0
    p: int = 0

    @classmethod
    def of_password(cls, account: AccountId, n: int, costs: KdfParameters) -> SecretWrapContext:
        """Returns the context of credentials number ``n``."""
        return cls(account, WrapKind.PASSWORD, n, costs.m, costs.t, costs.p)

    @classmethod
    def of_recovery(cls, account: AccountId) -> SecretWrapContext:
        """Returns the context of the recovery wrap."""
        return cls(account, WrapKind.RECOVERY)

    def associated(self) -> bytes:
        """Returns the associated data."""
        numbers = b"".join(map(u32, (self.n, self.m, self.t, self.p)))
        return b"sopor/1 account secret\0" + self.account + bytes((self.kind,)) + numbers


def wrap_secret(
    secret: AccountSecret,
    key: WrapKey,
    context: SecretWrapContext,
    random: RandomSource = secrets.token_bytes,
) -> bytes:
    """Wraps an account secret; returns 60 bytes."""
    return seal(key.reveal(), secret.reveal(), context.associated(), random)


def unwrap_secret(wrapped: bytes, key: WrapKey, context: SecretWrapContext) -> AccountSecret:
    """Unwraps an account secret; raises VerificationError (``account``)."""
    what = "the wrapped account secret"
    plain = open_sealed(key.reveal(), wrapped, context.associated(), Layer.ACCOUNT, what)
    return AccountSecret(plain)


class AccountKeys:
    """The private keys of an account; a `sopor_core.push_entry.Signer`."""

    def __init__(
        self,
        secret: AccountSecret,
        account: AccountId | None = None,
        others: Sequence[AccountSecret] = (),
    ) -> None:
        """Derives the keys; without ``account``, those of a new one whose id follows from them.

        ``others`` are secrets that the account had before, or is changing to: what was wrapped for
        them opens as well, and nothing is signed with them.
        """
        self.secret = secret
        self._signing = SigningKey(hkdf(secret.reveal(), b"", "sopor/1 signing"))
        self._encryption = _encryption_key(secret)
        self._others = tuple(map(_encryption_key, others))
        encryption = self._encryption.public_key().public_bytes_raw()
        self.identity = (
            PublicIdentity.founding(self._signing.public, encryption)
            if account is None
            else PublicIdentity(account, self._signing.public, encryption)
        )

    def sign(self, message: bytes) -> bytes:
        """Returns the 64-byte signature of the account's signing key."""
        return self._signing.sign(message)

    def unwrap(self, wrapped: bytes, context: WrapContext, commitment: bytes) -> EpochSecret:
        """Unwraps an epoch secret; raises VerificationError (``epoch``), see `wraps.unwrap`."""
        for private in self._others:
            with suppress(VerificationError):
                return unwrap(wrapped, private, context, commitment)
        return unwrap(wrapped, self._encryption, context, commitment)

    def __repr__(self) -> str:
        return f"AccountKeys({self.identity.account!r})"


def _encryption_key(secret: AccountSecret) -> X25519PrivateKey:
    seed = hkdf(secret.reveal(), b"", "sopor/1 encryption")
    return X25519PrivateKey.from_private_bytes(seed)
