"""How the key of an account's file is kept: under the password, in the keychain, or in the open.

The file itself is always sealed under a random `StoreKey`; only where that key lies differs. So a
change of the file costs no password hashing, and unlocking costs one.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from sopor.crypto.sealed_file import WrongPassphrase, open_file, seal_file
from sopor.crypto.secret import Secret
from sopor.errors import LoginFailed
from sopor.keystore import keychain
from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.errors import Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.ids import AccountId

_MAX_PASSWORDS = 2
_MAX_SEALED_KEY_BYTES = 4096


class Protection(StrEnum):
    """What keeps the secrets of an account on this device from others."""

    PASSWORD = "password"  # noqa: S105 (names the protection)
    """The account's password, asked for whenever secrets are needed."""
    KEYCHAIN = "keychain"
    """The operating system's keychain."""
    FILE = "file"
    """Nothing but file permissions."""


class StoreKey(Secret):
    """The AES-256 key of one account's file."""

    __slots__ = ()


def lock_with_password(key: StoreKey, *passwords: str) -> dict[str, Json]:
    """Seals the key under one or more passwords; each opens it alone (SPEC section 13)."""
    sealed: list[Json] = [b64encode(seal_file(password, key.reveal())) for password in passwords]
    return {"kind": str(Protection.PASSWORD), "keys": sealed}


def lock_with_keychain(key: StoreKey, account: AccountId) -> dict[str, Json]:
    """Puts the key into the system's keychain; raises InvalidInput where there is none."""
    keychain.put(account, key.reveal())
    return {"kind": str(Protection.KEYCHAIN)}


def lock_with_nothing(key: StoreKey) -> dict[str, Json]:
    """Leaves the key in the file, readable for whoever can read that."""
    return {"kind": str(Protection.FILE), "key": b64encode(key.reveal())}


def password_locks(lock: Json) -> list[bytes]:
    """Returns the sealed keys of a password lock, each for another password."""
    fields = Fields(lock, "the lock of the keystore")
    _expect(fields, Protection.PASSWORD)
    items = Fields(
        {str(at): item for at, item in enumerate(fields.items("keys", 1, _MAX_PASSWORDS))},
        "the sealed keys of the keystore",
    )
    fields.end()
    return [items.data(name, max_size=_MAX_SEALED_KEY_BYTES) for name in items.names()]


def open_with_password(sealed: Sequence[bytes], password: str) -> StoreKey:
    """Opens a key with a password.

    Raises:
        LoginFailed: it is another password.
        VerificationError: the sealed key is damaged.
    """
    for data in sealed:
        try:
            return StoreKey(open_file(password, data))
        except WrongPassphrase:
            continue
    raise LoginFailed(
        "the password does not open the keystore of this device",
        hint="type it again; if it was changed on another device, the password before that opens "
        "this one until you run `sopor login`",
    )


def open_with_keychain(lock: Json, account: AccountId) -> StoreKey:
    """Takes the key out of the system's keychain; raises InvalidInput or DamagedStore."""
    fields = Fields(lock, "the lock of the keystore")
    _expect(fields, Protection.KEYCHAIN)
    fields.end()
    return StoreKey(keychain.get(account))


def open_with_nothing(lock: Json) -> StoreKey:
    """Takes the key out of the file."""
    fields = Fields(lock, "the lock of the keystore")
    _expect(fields, Protection.FILE)
    key = StoreKey(fields.data("key", StoreKey.SIZE))
    fields.end()
    return key


def _expect(fields: Fields, kind: Protection) -> None:
    if fields.text("kind", 16) != kind:
        raise VerificationError(Layer.PARSE, "the lock of the keystore is of another kind")
