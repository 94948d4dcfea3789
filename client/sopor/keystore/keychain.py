"""The operating system's keychain, through the optional library `keyring`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from sopor.errors import DamagedStore, InvalidInput
from sopor_core.encoding import b64decode, b64encode
from sopor_core.errors import VerificationError
from sopor_core.ids import AccountId

if TYPE_CHECKING:
    from types import ModuleType

SERVICE = "sopor"


def put(account: AccountId, key: bytes) -> None:
    """Stores the key of an account; raises InvalidInput where the keychain does not take it."""
    keyring = _keyring()
    try:
        keyring.set_password(SERVICE, account.hex(), b64encode(key))
    except keyring.errors.KeyringError as error:
        _refuse(error)


def get(account: AccountId) -> bytes:
    """Returns the key of an account.

    Raises:
        InvalidInput: there is no keychain, or it is locked.
        DamagedStore: it does not hold the key.
    """
    keyring = _keyring()
    try:
        text = keyring.get_password(SERVICE, account.hex())
        return b64decode(text) if text is not None else _lost()
    except keyring.errors.KeyringError as error:
        _refuse(error)
    except VerificationError:
        _lost()


def delete(account: AccountId) -> None:
    """Removes the key of an account, if it is there; raises InvalidInput."""
    keyring = _keyring()
    try:
        if keyring.get_password(SERVICE, account.hex()) is not None:
            keyring.delete_password(SERVICE, account.hex())
    except keyring.errors.KeyringError as error:
        _refuse(error)


def _keyring() -> Any:  # noqa: ANN401 (an optional library without types)
    try:
        import keyring
        import keyring.errors
    except ModuleNotFoundError:
        raise InvalidInput(
            "the keychain needs the library keyring",
            hint="run `pip install 'sopor[keychain]'`, or protect the keystore by password",
        ) from None
    module: ModuleType = keyring
    return module


def _refuse(error: Exception) -> NoReturn:
    raise InvalidInput(
        f"the keychain of this system cannot be used ({type(error).__name__})",
        hint="unlock it, or protect the keystore by password",
    ) from None


def _lost() -> NoReturn:
    raise DamagedStore(
        "the keychain does not hold the key of this account's secrets",
        hint="run `sopor login` with your password and the secret key from the recovery kit",
    )
