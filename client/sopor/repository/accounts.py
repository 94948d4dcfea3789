"""Finds and unlocks the account that a working copy belongs to, when it is first needed."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sopor.keystore.home import sopor_home
from sopor.keystore.passwords import NoPasswords, PasswordSource
from sopor.lazy import lazy_module
from sopor.repository.configuration import Configuration
from sopor_core.ids import AccountId

if TYPE_CHECKING:
    from sopor import account as accounts
    from sopor import keystore
    from sopor.account import Account
    from sopor.store import Store
else:
    accounts = lazy_module("sopor.account")
    keystore = lazy_module("sopor.keystore")

__all__ = ["AccountSource", "PasswordSource"]


class AccountSource:
    """The accounts of this device; at most one of them is open."""

    def __init__(self, home: Path | None = None, passwords: PasswordSource | None = None) -> None:
        """Takes the folder of the keystore, and who knows passwords."""
        self._chosen_home = home
        self._passwords = passwords or NoPasswords()
        self._account: Account | None = None

    @cached_property
    def _home(self) -> Path:
        return self._chosen_home or sopor_home()

    @cached_property
    def config(self) -> Configuration:
        """The preferences of the device."""
        return Configuration(self._home)

    def use(self, account: Account) -> None:
        """Takes an account that is open already."""
        self._account = account

    def of(self, store: Store) -> Account:
        """Opens the account that a published project belongs to; raises NotLoggedIn."""
        settings = store.settings
        account = self.account_id(settings.get("account"))
        return self._open(settings.get("server"), None, account)

    def default(self, store: Store) -> Account:
        """Opens the account that a project is to be published in; raises NotLoggedIn."""
        return self._open(self.config.get("server", store), None, None)

    def choose(self, server: str | None = None, login: str | None = None) -> Account:
        """Opens the account that is meant by server and login, or the default one."""
        return self._open(server or self.config.get("server"), login, None)

    def _open(self, server: str | None, login: str | None, account: AccountId | None) -> Account:
        if self._account is None:
            known = keystore.Keystore(self._home).find(server, login, account)
            self._account = accounts.unlock(keystore.Keystore(self._home), self._passwords, known)
        return self._account

    @staticmethod
    def account_id(text: str | None) -> AccountId | None:
        """Returns the account that a setting names, or None."""
        return AccountId.from_hex(text) if text else None

    def close(self) -> None:
        """Closes the connection, if one was opened."""
        if self._account is not None:
            self._account.close()
