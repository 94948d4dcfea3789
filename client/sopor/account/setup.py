"""What all ways into an account share: where secrets go, how a server is reached, who it is."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from sopor.account.unlocked import Account, Connect
from sopor.crypto.account import AccountKeys, LoginKeys, answer_challenge
from sopor.crypto.written_keys import SecretKey
from sopor.errors import InvalidInput
from sopor.keystore import DeviceSecrets, Keystore, KnownAccount, Protection, SignOnSecrets
from sopor.moments import now
from sopor.records import dataclass
from sopor.remote import ServerAddress, Transport
from sopor.remote.login import Challenge, LoginApi, NewDevice, NewSession
from sopor_core.account import Action, ChallengeProof, KdfParameters
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import AccountId, DeviceId, OrgId, ServerId

MIN_PASSWORD_CHARACTERS = 8
MAX_DEVICE_NAME = 100


class Browser(Protocol):
    """Shows a person the page of an issuer."""

    def show(self, url: str, issuer: str) -> None:
        """Shows ``url`` in a browser on this machine, and returns without waiting for it."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How this device keeps secrets and reaches servers.

    Attributes:
        keystore: where secrets go.
        device_name: what the list of devices calls this one; the machine's name by default.
        protection: how the secrets are kept; None means what the account had before, or password.
        allow_plain_http: whether plain HTTP may go to another machine.
        connect: makes the connection.
        costs: the password's Argon2id costs; None means what SPEC section 9 names for writers.
        clock: tells the time in milliseconds since 1970.
        sign_on: whether to sign on at the server's issuer even where it is optional.
        browser: shows the issuer's page to the person; without one nobody signs on.
        sign_on_seconds: how long a person may take for it.
    """

    keystore: Keystore
    device_name: str = ""
    protection: Protection | None = None
    allow_plain_http: bool = False
    connect: Connect = Transport
    costs: KdfParameters | None = None
    clock: Callable[[], int] = now
    sign_on: bool = False
    browser: Browser | None = None
    sign_on_seconds: float = 120.0

    def address(self, server: str) -> ServerAddress:
        """Parses a server's address; raises InvalidInput."""
        return ServerAddress.parse(server, allow_plain_http=self.allow_plain_http)

    def new_device(self) -> NewDevice:
        """Makes the id of a new session, with a name that the server takes."""
        name = self.device_name or platform.node()
        printable = "".join(c for c in name if c.isprintable()).strip()[:MAX_DEVICE_NAME]
        return NewDevice(DeviceId.random(), printable or "device")

    def known(self, server: ServerAddress, login: str) -> KnownAccount | None:
        """Returns what this device knows of an account, if anything; raises DamagedStore."""
        for known in self.keystore.accounts():
            if (known.server, known.login) == (str(server), login):
                return known
        return None


def check_new_password(password: str) -> None:
    """Raises InvalidInput for a password that nobody should choose."""
    if len(password) < MIN_PASSWORD_CHARACTERS:
        raise InvalidInput(
            f"the password has fewer than {MIN_PASSWORD_CHARACTERS} characters",
            hint="choose a longer one; a few random words are good",
        )


def check_server(found: ServerId, pinned: ServerId | None, address: ServerAddress) -> None:
    """Raises VerificationError (``account``) if another server answers than the pinned one."""
    if pinned is not None and found != pinned:
        raise VerificationError(
            Layer.ACCOUNT,
            f"another server answers at {address} than before ({found.short}, not {pinned.short})",
            hint="do not type your password for it; ask who runs the server",
        )


def ask_challenge(
    api: LoginApi, setup: Setup, address: ServerAddress, login: str, action: Action
) -> Challenge:
    """Asks for a challenge; raises VerificationError (``account``) if the server is not the pinned.

    Pinned is the server of an account of this device that has the same login at this address, or
    that is the account which the server names.
    """
    challenge = api.challenge(login, action)
    for known in setup.keystore.accounts():
        same_login = (known.server, known.login) == (str(address), login)
        if same_login or known.account == challenge.account:
            check_server(challenge.server, known.server_id, address)
            _check_costs(challenge.kdf, known.kdf)
            if known.account != challenge.account:
                raise VerificationError(
                    Layer.ACCOUNT,
                    f"{login} is another account than the one known on this device",
                    hint="if that account was deleted, run `sopor logout` first",
                )
    return challenge


def _check_costs(offered: KdfParameters, seen: KdfParameters) -> None:
    if offered.m < seen.m or offered.t < seen.t:
        raise VerificationError(
            Layer.KDF,
            f"the server offers weaker password hashing than before "
            f"(m={offered.m}, t={offered.t}; before m={seen.m}, t={seen.t})",
            hint="do not type your password for it; ask who runs the server",
        )


def answer(
    keys: LoginKeys, challenge: Challenge, account: AccountId, action: Action
) -> ChallengeProof:
    """Answers a challenge in the name of an account."""
    return answer_challenge(keys, account, action, challenge.challenge, challenge.server)


@dataclass(frozen=True, slots=True)
class Admission:
    """A session that was verified, and the keys that it led to."""

    address: ServerAddress
    server: ServerId
    device: NewDevice
    session: NewSession
    keys: AccountKeys
    secret_key: SecretKey
    sign_on: SignOnSecrets | None = None


def store(
    setup: Setup, admission: Admission, password: str, before: DeviceSecrets | None = None
) -> Account:
    """Puts a new session into the keystore and returns the account.

    Args:
        setup: where to.
        admission: the session.
        password: the account's password, which seals the keystore unless it is kept otherwise.
        before: what this device knew of the account, such as a change of keys under way.

    Raises:
        InvalidInput, Busy, DiskFull: the keystore does not take it; the session exists.
    """
    session, credentials = admission.session, admission.session.account.credentials
    known = KnownAccount(
        server=str(admission.address),
        server_id=admission.server,
        login=session.account.record.login,
        account=admission.keys.identity.account,
        device=admission.device.id,
        device_name=admission.device.name,
        protection=_protection(setup, admission.keys.identity.account),
        n=credentials.n,
        kdf=credentials.kdf,
        plain_http=setup.allow_plain_http and not admission.address.loopback,
        sign_on=admission.sign_on.issuer if admission.sign_on else None,
    )
    secrets = DeviceSecrets(
        account_secret=admission.keys.secret,
        secret_key=admission.secret_key,
        refresh_token=session.refresh_token,
        organizations=session.account.organizations,
        personal=before.personal if before else None,
        next=before.next if before else None,
        former=before.former if before else (),
        sign_on=admission.sign_on,
    )
    entry = setup.keystore.add(known, secrets, password)
    account = Account(entry, setup.connect)
    account.remote.session.keep(session.grant)
    return account


def _protection(setup: Setup, account: AccountId) -> Protection:
    if setup.protection is not None:
        return setup.protection
    for known in setup.keystore.accounts():
        if known.account == account:
            return known.protection
    return Protection.PASSWORD


def remember_personal(account: Account, org: OrgId) -> None:
    """Keeps which organization is the account's own."""
    account.entry.change(lambda secrets: replace(secrets, personal=org))
