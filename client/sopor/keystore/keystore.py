"""The accounts of this device: which there are, which one is meant, and how one is unlocked."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sopor.disk import (
    disk_errors,
    exclusive,
    make_private_folder,
    read_private,
    write_private,
)
from sopor.errors import DamagedStore, InvalidInput, NotLoggedIn
from sopor.keystore import keychain, protection
from sopor.keystore.account_file import AccountFile, damaged, parse_account, seal_account
from sopor.keystore.entry import LOCKED, OpenEntry
from sopor.keystore.home import sopor_home
from sopor.keystore.passwords import PasswordRequest, PasswordSource
from sopor.keystore.protection import Protection, StoreKey
from sopor.keystore.records import DeviceSecrets, KnownAccount
from sopor_core.canonical import Json
from sopor_core.errors import VerificationError
from sopor_core.ids import AccountId
from sopor_core.names import normalize_login


class Keystore:
    """The keystore under one folder; opening it reads and creates nothing."""

    def __init__(self, home: Path | None = None) -> None:
        """Takes the folder; by default `sopor_home`."""
        self._home = home or sopor_home()

    @property
    def home(self) -> Path:
        """The folder."""
        return self._home

    @property
    def lock_path(self) -> Path:
        """The lock file."""
        return self.home / "lock"

    def account_path(self, account: AccountId) -> Path:
        """Returns the file of an account."""
        return self.home / "accounts" / f"{account.hex()}.json"

    def token_path(self, account: AccountId) -> Path:
        """Returns the file of an account's access token."""
        return self.home / "accounts" / f"{account.hex()}.token"

    def sign_on_path(self, account: AccountId) -> Path:
        """Returns the lock of an account's sign-on."""
        return self.home / "accounts" / f"{account.hex()}.sign-on"

    def accounts(self) -> list[KnownAccount]:
        """Returns the accounts of this device by login and server; unlocks nothing.

        Raises:
            DamagedStore: a file does not read back.
            DiskFull: the folder may not be read.
        """
        folder = self.home / "accounts"
        with disk_errors(folder):
            paths = sorted(folder.glob("*.json")) if folder.is_dir() else []
        files = [file for path in paths if (file := self._read(path)) is not None]
        return sorted((file.known for file in files), key=lambda known: (known.login, known.server))

    @property
    def default(self) -> AccountId | None:
        """The account that is meant where none is named, or None if none was chosen."""
        data = read_private(self.home / "default")
        try:
            return None if data is None else AccountId.from_hex(data.decode("ascii").strip())
        except (UnicodeDecodeError, VerificationError):
            raise DamagedStore(
                f"{self.home / 'default'} does not read back", hint="delete that file"
            ) from None

    def set_default(self, account: AccountId) -> None:
        """Chooses the account that is meant where none is named; raises DiskFull."""
        make_private_folder(self.home)
        write_private(self.home / "default", account.hex().encode("ascii") + b"\n")

    def find(
        self,
        server: str | None = None,
        login: str | None = None,
        account: AccountId | None = None,
    ) -> KnownAccount:
        """Returns the account that is meant: the only one that fits, or the default one.

        Args:
            server: the server's address as a person writes it, if it matters.
            login: the login name in any case, if it matters.
            account: the account's id, if it matters.

        Raises:
            NotLoggedIn: no account fits.
            InvalidInput: several fit, and the default is none of them; or the address is none.
            InvalidValue: the login name is none.
        """
        server = server and _written(server)
        login = login and normalize_login(login)
        fitting = [
            known
            for known in self.accounts()
            if server in (None, "", known.server)
            and login in (None, "", known.login)
            and account in (None, known.account)
        ]
        if not fitting:
            who = login or (account.short if account else "no account")
            where = f" at {server}" if server else ""
            raise NotLoggedIn(
                f"{who}{where} is not logged in on this device"
                if login or account
                else f"no account{where} is known on this device",
                hint="run `sopor login`, or `sopor register` for a new account",
            )
        return fitting[0] if len(fitting) == 1 else self._chosen(fitting)

    def _chosen(self, fitting: list[KnownAccount]) -> KnownAccount:
        default = self.default
        for known in fitting:
            if known.account == default:
                return known
        names = ", ".join(f"{known.login} at {known.server}" for known in fitting)
        raise InvalidInput(f"several accounts fit: {names}", hint="name one with --account")

    def add(
        self, known: KnownAccount, secrets: DeviceSecrets, password: str | None = None
    ) -> OpenEntry:
        """Stores an account, in place of what was known of it; the first one becomes the default.

        Args:
            known: who it is; its ``protection`` says how the secrets are kept.
            secrets: its secrets.
            password: the account's password, needed for that protection only.

        Raises:
            InvalidInput: there is no keychain to use.
            Busy, DiskFull: it cannot be written.
        """
        key = StoreKey.random()
        lock = self._lock(key, known, password)
        make_private_folder(self.home)
        make_private_folder(self.home / "accounts")
        with exclusive(self.lock_path, LOCKED):
            self.token_path(known.account).unlink(missing_ok=True)
            data = seal_account(known, secrets, key, lock).encode()
            write_private(self.account_path(known.account), data)
            if self.default is None:
                self.set_default(known.account)
        return OpenEntry(self, key, known, secrets)

    def _lock(self, key: StoreKey, known: KnownAccount, password: str | None) -> dict[str, Json]:
        if known.protection is Protection.KEYCHAIN:
            return protection.lock_with_keychain(key, known.account)
        if known.protection is Protection.FILE:
            return protection.lock_with_nothing(key)
        if password is None:
            raise InvalidInput("an account that is protected by password needs the password")
        return protection.lock_with_password(key, password)

    def open(self, known: KnownAccount, passwords: PasswordSource) -> OpenEntry:
        """Unlocks an account; asks for the password only if it is protected by it.

        Raises:
            NotLoggedIn: the account is no longer there.
            LoginFailed: the password is wrong.
            InputNeeded: the password may not be asked for.
            InvalidInput: the keychain cannot be used.
            DamagedStore: the file does not read back, or others can read unprotected secrets.
        """
        path = self.account_path(known.account)
        file = self._read(path)
        if file is None:
            return self._gone(known)
        try:
            key = self._unlock(file, passwords)
            return OpenEntry(self, key, file.known, file.open(key))
        except VerificationError as error:
            raise damaged(path, error) from None

    def _gone(self, known: KnownAccount) -> OpenEntry:
        raise NotLoggedIn(
            f"{known.login} at {known.server} is not logged in on this device",
            hint="run `sopor login`",
        )

    def _unlock(self, file: AccountFile, passwords: PasswordSource) -> StoreKey:
        known = file.known
        if known.protection is Protection.KEYCHAIN:
            return protection.open_with_keychain(file.lock, known.account)
        if known.protection is Protection.FILE:
            self._refuse_readable(self.account_path(known.account))
            return protection.open_with_nothing(file.lock)
        sealed = protection.password_locks(file.lock)
        password = passwords.password(PasswordRequest(known.login, known.server))
        return protection.open_with_password(sealed, password)

    def _refuse_readable(self, path: Path) -> None:
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            raise DamagedStore(
                f"{path} holds unprotected secrets and can be read by others (mode {mode:o})",
                hint=f"run `chmod 600 {path}`; if others use this machine, change the password",
            )

    def remove(self, account: AccountId) -> None:
        """Forgets an account of this device and its secrets; raises Busy, DiskFull."""
        if not self.home.is_dir():
            return
        with exclusive(self.lock_path, LOCKED), disk_errors(self.account_path(account)):
            file = self._read_or_damaged(account)
            self.token_path(account).unlink(missing_ok=True)
            self.sign_on_path(account).unlink(missing_ok=True)
            self.account_path(account).unlink(missing_ok=True)
            if file is None or file.known.protection is Protection.KEYCHAIN:
                with suppress(InvalidInput):
                    keychain.delete(account)
            with suppress(DamagedStore):
                if self.default == account:
                    (self.home / "default").unlink(missing_ok=True)

    def _read_or_damaged(self, account: AccountId) -> AccountFile | None:
        try:
            return self._read(self.account_path(account))
        except DamagedStore:
            return None

    def _read(self, path: Path) -> AccountFile | None:
        data = read_private(path)
        if data is None:
            return None
        try:
            return parse_account(data)
        except VerificationError as error:
            raise damaged(path, error) from None

    def __repr__(self) -> str:
        return f"Keystore({str(self.home)!r})"


def _written(server: str) -> str:
    from sopor.remote.address import ServerAddress

    return str(ServerAddress.parse(server, allow_plain_http=True))
