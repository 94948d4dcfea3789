"""Logs in on a further device, or again on this one: believes nothing that does not verify."""

from __future__ import annotations

from contextlib import suppress

from sopor.account.results import AccountInfo, LoginResult
from sopor.account.setup import (
    Admission,
    Setup,
    ask_challenge,
    check_server,
    remember_personal,
    store,
)
from sopor.account.signing_on import open_session
from sopor.account.unlocked import Account
from sopor.crypto.account import derive_login
from sopor.crypto.registration import unlock as unlock_records
from sopor.crypto.written_keys import SecretKey
from sopor.errors import DamagedStore, InputNeeded, LoginFailed, SoporError
from sopor.keystore import DeviceSecrets, FixedPassword, KnownAccount
from sopor.records import dataclass
from sopor.remote import ServerAddress
from sopor.remote.login import Challenge, LoginApi, NewSession
from sopor_core.account import Action
from sopor_core.errors import Layer, VerificationError
from sopor_core.identity import PublicIdentity
from sopor_core.ids import DeviceId, OrgId, ServerId
from sopor_core.membership import Genesis, MembershipEntry, MembershipLog
from sopor_core.names import normalize_login


@dataclass(frozen=True, slots=True)
class Remembered:
    """What this device knew of an account before; no secrets if they cannot be unlocked."""

    known: KnownAccount
    secrets: DeviceSecrets | None


def login(
    setup: Setup,
    server: str,
    login_name: str,
    password: str,
    secret_key: SecretKey | None = None,
    server_id: ServerId | None = None,
) -> LoginResult:
    """Opens a session for an account that exists, and keeps its secrets on this device.

    Args:
        setup: where secrets go.
        server: the server's address.
        login_name: the login name, in any case.
        password: as typed.
        secret_key: from the recovery kit; not needed where this device knows the account.
        server_id: whom the kit names as the server, to be sure at the first contact.

    Raises:
        LoginFailed: login name, password or secret key are wrong; the server does not tell which.
        InputNeeded: the secret key is needed, or a person who signs on.
        SignOnFailed: nobody signed on at the server's issuer, or not so that it counts.
        RollbackError: the credentials are older than this device has seen.
        VerificationError: the server is another one, offers weaker password hashing (``kdf``), or
            gives records that are not this person's.
    """
    address, name = setup.address(server), normalize_login(login_name)
    before = remembered(setup, setup.known(address, name), password, needed=secret_key is None)
    if secret_key is None:
        secret_key = before.secrets.secret_key if before and before.secrets else None
    if secret_key is None:
        raise InputNeeded(
            f"the secret key of {name} is needed on a new device",
            hint="it is in the recovery kit: name that file with --kit",
        )
    transport = setup.connect(address)
    try:
        api = LoginApi(transport)
        admission = admit(api, setup, address, name, password, secret_key, server_id)
    finally:
        transport.close()
    first_contact = server_id is None and before is None
    account = settle(setup, admission, password, before)
    info = AccountInfo.of(account.known, setup.keystore)
    return LoginResult(account, info, account.organizations, first_contact)


def remembered(
    setup: Setup, known: KnownAccount | None, password: str, *, needed: bool
) -> Remembered | None:
    """Returns what this device knows of an account; raises only if its secrets are needed."""
    if known is None:
        return None
    try:
        return Remembered(known, setup.keystore.open(known, FixedPassword(password)).secrets)
    except (LoginFailed, DamagedStore) as error:
        if not needed:
            return Remembered(known, None)
        if isinstance(error, LoginFailed):
            raise LoginFailed(
                error.message,
                hint="type it again; if it was changed on another device, log in with the "
                "secret key too: name the recovery kit with --kit",
            ) from None
        raise


def admit(
    api: LoginApi,
    setup: Setup,
    address: ServerAddress,
    name: str,
    password: str,
    secret_key: SecretKey,
    server_id: ServerId | None = None,
) -> Admission:
    """Logs in and verifies everything that comes with the session; stores nothing.

    Raises:
        LoginFailed: login name, password or secret key are wrong.
        VerificationError: see `login`.
    """
    challenge = ask_challenge(api, setup, address, name, Action.LOGIN)
    check_server(challenge.server, server_id, address)
    keys = derive_login(password, secret_key, name, challenge.kdf)
    device = setup.new_device()
    session, signed_on = open_session(api, setup, keys, challenge, name, Action.LOGIN, device)
    check_session(session, challenge)
    records = session.account
    seen = credentials_seen(setup, challenge)
    account_keys = unlock_records(keys, records.record, records.credentials, name, seen)
    return Admission(
        address, challenge.server, device, session, account_keys, secret_key, signed_on
    )


def credentials_seen(setup: Setup, challenge: Challenge) -> int:
    """Returns the newest number of credentials that this device saw of an account, or 0."""
    known = setup.keystore.accounts()
    return max((each.n for each in known if each.account == challenge.account), default=0)


def check_session(session: NewSession, challenge: Challenge) -> None:
    """Raises VerificationError (``account``) if a session is of another account than challenged."""
    if session.account.record.identity.account != challenge.account:
        raise VerificationError(Layer.ACCOUNT, "the server gave the record of another account")


def settle(setup: Setup, admission: Admission, password: str, before: Remembered | None) -> Account:
    """Stores a session, finds the account's own organization, ends the session that it replaces."""
    account = store(setup, admission, password, before.secrets if before else None)
    with account:
        if account.entry.secrets.personal is None:
            _find_personal(account)
        if before and before.known.account == account.known.account:
            _forget_device(account, before.known.device)
    return account


def _find_personal(account: Account) -> None:
    for org in account.organizations:
        # A log that somebody else founded is not read on, however long a server makes it.
        api, identity = account.remote.organizations, account.identity
        first = api.entries(org, upto=1)
        if not first or not _founds_personal(MembershipEntry.parse(first[0]), identity):
            continue
        if is_personal(org, [*first, *api.entries(org, len(first))], identity):
            remember_personal(account, org)
            return


def _founds_personal(genesis: MembershipEntry, identity: PublicIdentity) -> bool:
    body = genesis.body
    return (
        isinstance(body, Genesis)
        and body.kind == "personal"
        and body.owner.account == identity.account
    )


def is_personal(org: OrgId, entries: list[bytes], identity: PublicIdentity) -> bool:
    """Tells whether a verified log founds this account's own organization.

    Raises:
        VerificationError: the log does not verify.
    """
    if not _founds_personal(MembershipEntry.parse(entries[0]), identity):
        return False
    log = MembershipLog.replay(org, entries)
    return log.identity(identity.account) == identity


def _forget_device(account: Account, device: DeviceId) -> None:
    # The session that this login replaces would only fill the list of devices.
    with suppress(SoporError):
        account.remote.revoke_device(device)
