"""An unlocked account of the keystore."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, Protocol

from sopor.disk import exclusive, read_private, write_private
from sopor.errors import Busy, InvalidInput, NotLoggedIn
from sopor.keystore.account_file import AccountFile, damaged, parse_account, seal_account
from sopor.keystore.protection import Protection, StoreKey, lock_with_password
from sopor.keystore.records import DeviceSecrets, KnownAccount
from sopor.keystore.token_cache import TokenCache
from sopor_core.canonical import Json
from sopor_core.errors import VerificationError
from sopor_core.ids import AccountId

LOCKED = "the accounts of this device"
"""What the keystore's lock guards."""


class Places(Protocol):
    """Knows the keystore's files."""

    @property
    def home(self) -> Path:
        """The folder of the keystore."""

    @property
    def lock_path(self) -> Path:
        """The lock file."""

    def account_path(self, account: AccountId) -> Path:
        """The file of an account."""

    def token_path(self, account: AccountId) -> Path:
        """The file of an account's access token."""

    def sign_on_path(self, account: AccountId) -> Path:
        """The lock of an account's sign-on."""


class OpenEntry:
    """An account whose secrets are unlocked; every change reads the file again under the lock."""

    def __init__(
        self, places: Places, key: StoreKey, known: KnownAccount, secrets: DeviceSecrets
    ) -> None:
        """Takes what `Keystore` unlocked."""
        self._places = places
        self._key = key
        self.known = known
        self.secrets = secrets

    @property
    def home(self) -> Path:
        """The folder of the keystore, where the device keeps what it verified as well."""
        return self._places.home

    @property
    def tokens(self) -> TokenCache:
        """The cached access token of this device."""
        path = self._places.token_path(self.known.account)
        return TokenCache(path, self._key, self.known.account, self.known.device)

    @property
    def sign_on_lock(self) -> Path:
        """The lock of whoever continues this account's sign-on."""
        return self._places.sign_on_path(self.known.account)

    def read_again(self) -> None:
        """Takes over what another process wrote meanwhile; raises as `change` does."""
        file = self._read()
        self.known, self.secrets = file.known, self._open(file)

    def change(
        self,
        secrets: Callable[[DeviceSecrets], DeviceSecrets] = lambda same: same,
        known: Callable[[KnownAccount], KnownAccount] = lambda same: same,
    ) -> None:
        """Applies changes to what the file holds now, and writes it.

        Args:
            secrets: makes the new secrets from those in the file.
            known: makes the new public part from the one in the file.

        Raises:
            Busy: another process changed the password meanwhile, or holds the lock.
            NotLoggedIn: another process logged out meanwhile.
            DamagedStore, DiskFull: the file does not read back or cannot be written.
        """
        with exclusive(self._places.lock_path, LOCKED):
            file = self._read()
            self._write(known(file.known), secrets(self._open(file)), self._key, file.lock)

    def use_passwords(self, *passwords: str) -> None:
        """Seals the file under other passwords, each of which opens it, and under a new key.

        Two are given while it is not known which of them the server will take. Raises InvalidInput
        unless the account is protected by password, and what `change` raises.
        """
        if self.known.protection is not Protection.PASSWORD:
            raise InvalidInput("this account is not protected by password on this device")
        key = StoreKey.random()
        lock = lock_with_password(key, *passwords)
        with exclusive(self._places.lock_path, LOCKED):
            file = self._read()
            token = self.tokens.load()
            self._write(file.known, self._open(file), key, lock)
            if token:
                self.tokens.save(token.value, token.expires)

    def _read(self) -> AccountFile:
        path = self._places.account_path(self.known.account)
        data = read_private(path)
        if data is None:
            raise NotLoggedIn(
                f"{self.known.login} was logged out by another process", hint="run `sopor login`"
            )
        try:
            return parse_account(data)
        except VerificationError as error:
            raise damaged(path, error) from None

    def _open(self, file: AccountFile) -> DeviceSecrets:
        try:
            return file.open(self._key)
        except VerificationError:
            raise Busy(
                "another sopor process changed how this account is protected",
                hint="run the command again",
            ) from None

    def _write(
        self, known: KnownAccount, secrets: DeviceSecrets, key: StoreKey, lock: Json
    ) -> None:
        data = seal_account(known, secrets, key, lock).encode()
        write_private(self._places.account_path(known.account), data)
        self.known, self.secrets, self._key = known, secrets, key

    def __repr__(self) -> str:
        return f"OpenEntry({self.known.login!r} at {self.known.server!r})"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("OpenEntry is secret and is not pickled or copied")
