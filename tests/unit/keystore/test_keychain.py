"""The keychain of the operating system, played by one that lives in memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import keyring
import keyring.backend
import keyring.errors
import pytest

from sopor.errors import DamagedStore, InvalidInput
from sopor.keystore import DeviceSecrets, Keystore, KnownAccount, NoPasswords, Protection


class MemoryKeychain(keyring.backend.KeyringBackend):
    """Keeps keys in a dictionary, and can be locked."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.keys: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked("locked")
        return self.keys.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.keys[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.keys[service, username]


@pytest.fixture
def keychain() -> Iterator[MemoryKeychain]:
    before = keyring.get_keyring()
    memory = MemoryKeychain()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


@pytest.fixture
def account(known: Callable[..., KnownAccount]) -> KnownAccount:
    return known(protection=Protection.KEYCHAIN)


def test_the_keychain_opens_the_account(
    keychain: MemoryKeychain, keystore: Keystore, account: KnownAccount, secrets: DeviceSecrets
) -> None:
    keystore.add(account, secrets)
    assert keystore.open(account, NoPasswords()).secrets == secrets
    (stored,) = keychain.keys.values()
    assert stored.encode() not in keystore.account_path(account.account).read_bytes()


def test_logging_out_empties_the_keychain(
    keychain: MemoryKeychain, keystore: Keystore, account: KnownAccount, secrets: DeviceSecrets
) -> None:
    keystore.add(account, secrets)
    keystore.remove(account.account)
    assert keychain.keys == {}


@pytest.mark.parametrize("kept", [None, "not a key", "AAAA"])
def test_a_lost_key_is_told(
    keychain: MemoryKeychain,
    keystore: Keystore,
    account: KnownAccount,
    secrets: DeviceSecrets,
    kept: str | None,
) -> None:
    keystore.add(account, secrets)
    name = next(iter(keychain.keys))
    keychain.keys = {name: kept} if kept else {}
    with pytest.raises(DamagedStore) as refused:
        keystore.open(account, NoPasswords())
    assert refused.value.hint is not None
    assert "sopor login" in refused.value.hint


def test_a_locked_keychain_is_told(
    keychain: MemoryKeychain, keystore: Keystore, account: KnownAccount, secrets: DeviceSecrets
) -> None:
    keystore.add(account, secrets)
    keychain.locked = True
    with pytest.raises(InvalidInput, match="KeyringLocked"):
        keystore.open(account, NoPasswords())


def test_without_the_library_the_extra_is_named(
    keystore: Keystore,
    account: KnownAccount,
    secrets: DeviceSecrets,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(InvalidInput) as refused:
        keystore.add(account, secrets)
    assert refused.value.hint is not None
    assert "sopor[keychain]" in refused.value.hint
    assert keystore.accounts() == []
