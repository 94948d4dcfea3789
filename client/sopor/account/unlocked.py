"""An account whose secrets are unlocked: what commits, pushes and pulls are made with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from types import TracebackType
from typing import NoReturn, Self

from sopor.crypto.account import AccountKeys
from sopor.errors import InvalidInput
from sopor.keystore import (
    Keystore,
    KnownAccount,
    OpenEntry,
    PasswordSource,
)
from sopor.remote import Remote, ServerAddress, Session, Transport
from sopor_core.identity import PublicIdentity
from sopor_core.ids import DeviceId, OrgId, ServerId

Connect = Callable[[ServerAddress], Transport]
"""Makes the connection to a server; `Transport` itself is one."""


class Account:
    """An unlocked account of this device; its connection opens with the first request."""

    def __init__(self, entry: OpenEntry, connect: Connect = Transport) -> None:
        """Takes the keystore's entry; use `unlock`."""
        self.entry = entry
        self._connect = connect

    @property
    def known(self) -> KnownAccount:
        """What may be shown of the account."""
        return self.entry.known

    @cached_property
    def keys(self) -> AccountKeys:
        """The account's private keys; they sign and unwrap, and show nothing."""
        held = self.entry.secrets
        others = held.former + ((held.next.account_secret,) if held.next else ())
        return AccountKeys(held.account_secret, self.known.account, others)

    @property
    def identity(self) -> PublicIdentity:
        """The account's id and public keys."""
        return self.keys.identity

    @property
    def next_keys(self) -> AccountKeys | None:
        """The keys that the account is changing to, or None; see `sopor.organization.rekeying`."""
        following = self.entry.secrets.next
        return AccountKeys(following.account_secret, self.known.account) if following else None

    @property
    def login(self) -> str:
        """The login name."""
        return self.known.login

    @property
    def server(self) -> str:
        """The server's address."""
        return self.known.server

    @property
    def server_id(self) -> ServerId:
        """The pinned id of the server."""
        return self.known.server_id

    @property
    def device(self) -> DeviceId:
        """This device."""
        return self.known.device

    @cached_property
    def transport(self) -> Transport:
        """The connection to the server."""
        address = ServerAddress.parse(self.server, allow_plain_http=self.known.plain_http)
        return self._connect(address)

    @cached_property
    def remote(self) -> Remote:
        """The server, in the name of this account and device."""
        refresh_token = self.entry.secrets.refresh_token
        session = Session(
            self.transport,
            self.device,
            refresh_token,
            self.entry.tokens,
            id_token=self._fresh_id_token if self.entry.secrets.sign_on else None,
        )
        return Remote(self.transport, session)

    def _fresh_id_token(self) -> str:
        from sopor.account.staying_on import fresh_id_token

        return fresh_id_token(self.entry)

    @property
    def organizations(self) -> tuple[OrgId, ...]:
        """The organizations that this device knows of; the server's word until verified."""
        return self.entry.secrets.organizations

    @property
    def personal_organization(self) -> OrgId:
        """The account's own organization, whose genesis was made or verified on this device.

        Raises:
            InvalidInput: the server named none at login.
        """
        org = self.entry.secrets.personal
        if org is None:
            raise InvalidInput(
                f"{self.login} has no personal organization", hint="run `sopor login` again"
            )
        return org

    def refresh_organizations(self) -> tuple[OrgId, ...]:
        """Asks the server which organizations there are, and remembers them."""
        organizations = self.remote.account().organizations
        if organizations != self.organizations:
            self.entry.change(lambda secrets: replace(secrets, organizations=organizations))
        return organizations

    def remember_organization(self, org: OrgId) -> None:
        """Adds an organization to those that this device knows of; raises Busy, DiskFull."""
        if org not in self.organizations:
            self.entry.change(
                lambda secrets: replace(secrets, organizations=(*secrets.organizations, org))
            )

    def close(self) -> None:
        """Closes the connection, if there is one."""
        if "transport" in self.__dict__:
            self.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Account({self.login!r} at {self.server!r})"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("Account is secret and is not pickled or copied")


def unlock(
    keystore: Keystore,
    passwords: PasswordSource,
    known: KnownAccount | None = None,
    connect: Connect = Transport,
) -> Account:
    """Unlocks an account of this device; talks to no server.

    Args:
        keystore: the device's keystore.
        passwords: asked if the account is protected by password.
        known: which account, from `Keystore.find`; the default one if it is not named.
        connect: makes the connection when it is needed.

    Raises:
        NotLoggedIn: there is no account.
        LoginFailed: the password is wrong.
        InputNeeded, InvalidInput, DamagedStore: see `Keystore.open`.
    """
    return Account(keystore.open(known or keystore.find(), passwords), connect)
