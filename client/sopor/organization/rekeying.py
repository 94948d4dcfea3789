"""Replaces all keys of an account, after a device was lost with them (SPEC sections 8.2 and 9).

Ordering: the new keys are kept on this device first; then every organization's log takes them, the
new recovery kit is written, and the server replaces record and credentials; last, the projects get
new keys. Killed anywhere, `rekey` again goes on with the same new keys.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sopor.account import Account, Connect
from sopor.account.passwords import own_credentials, present_login, prove
from sopor.account.recovery_kit import RecoveryKit, check_kit_path, kit_date, write_kit
from sopor.crypto.account import AccountKeys, AccountSecret, LoginKeys
from sopor.crypto.registration import NewAccess, renew_access
from sopor.crypto.written_keys import SecretKey
from sopor.errors import SoporError, Weather
from sopor.keystore import NextKeys
from sopor.moments import now
from sopor.organization.finding import organizations
from sopor.organization.settling import settle
from sopor.records import dataclass
from sopor.remote import RemoteAccount, Transport
from sopor_core.account import AccountRecord, KdfParameters
from sopor_core.ids import AccountId


@dataclass(frozen=True)
class RekeyResult:
    """What changed: the account, the new recovery kit, organizations told, project keys made.

    ``kit`` is None where an earlier run was broken off after the server had taken the keys: then
    the kit which that run wrote is the good one.
    """

    account: AccountId
    login: str
    kit: Path | None
    organizations: int
    epochs: int


def rekey(
    account: Account,
    password: str,
    kit_path: Path,
    *,
    costs: KdfParameters | None = None,
    connect: Connect = Transport,
) -> RekeyResult:
    """Gives an account new keys everywhere, and logs out all other devices.

    Args:
        account: the unlocked account.
        password: its present password, which stays.
        kit_path: the file for the new recovery kit; it must not exist.
        costs: Argon2id's costs; the default is what SPEC section 9 names for writers.
        connect: makes the connection with the new keys.

    Raises:
        LoginFailed: the password is wrong.
        StateConflict: the kit's file exists.
        VerificationError: what the server gives is not this account's.
        Weather: the server cannot be reached; run it again.
    """
    check_kit_path(kit_path)
    following = _next(account)
    new = AccountKeys(following.account_secret, account.known.account)
    found = account.remote.account()
    written = found.record.identity != new.identity
    if written:
        keys = present_login(account, password, own_credentials(account, found))
        _tell_organizations(account, new)
        access = renew_access(
            new, found.credentials, account.login, password, costs, following.secret_key
        )
        write_kit(kit_path, _kit(account, access))
        _replace_on_server(account, found, access, keys, kit_path)
        found = replace(found, credentials=access.credentials)
    credentials = found.credentials
    account.entry.change(
        lambda secrets: replace(
            secrets,
            account_secret=following.account_secret,
            secret_key=following.secret_key,
            next=None,
            former=(*secrets.former, secrets.account_secret),
        ),
        lambda known: replace(known, n=credentials.n, kdf=credentials.kdf),
    )
    account.close()
    with Account(account.entry, connect) as renewed:
        told = organizations(renewed)
        epochs = sum(map(settle, told))
    return RekeyResult(
        account.known.account, account.login, kit_path if written else None, len(told), epochs
    )


def _next(account: Account) -> NextKeys:
    """Returns the keys to change to: those of a change that was broken off, or new ones."""
    known = account.entry.secrets.next
    if known is None:
        known = NextKeys(AccountSecret.random(), SecretKey.random())
        account.entry.change(lambda secrets: replace(secrets, next=known))
    return known


def _tell_organizations(account: Account, new: AccountKeys) -> None:
    for organization in organizations(account):
        if organization.log.identity(organization.me) != new.identity:
            organization.append(lambda drafting: drafting.rekey(new))


def _kit(account: Account, access: NewAccess) -> RecoveryKit:
    return RecoveryKit(
        server=account.server,
        server_id=account.server_id,
        login=account.login,
        account=account.known.account,
        secret_key=access.secret_key,
        recovery_key=access.recovery_key,
        created=kit_date(now()),
    )


def _replace_on_server(
    account: Account, found: RemoteAccount, access: NewAccess, keys: LoginKeys, kit: Path
) -> None:
    record = AccountRecord(access.keys.identity, found.record.login, found.record.created)
    record = record.sign(access.keys)
    me = account.known
    proof = prove(account.remote, me.login, me.server_id, me.account, keys)
    try:
        account.remote.change_keys(record, record.approve(account.keys), access.credentials, proof)
    except Weather as lost:
        if _landed(account, record):
            return
        raise type(lost)(
            lost.message,
            hint=f"{lost.hint}; keep both recovery kits and run `sopor rekey` again",
        ) from None
    except SoporError:
        kit.unlink(missing_ok=True)
        raise


def _landed(account: Account, record: AccountRecord) -> bool:
    try:
        return account.remote.account().record == record
    except Weather:
        return False
