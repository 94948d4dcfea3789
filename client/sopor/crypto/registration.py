"""Makes and opens the signed records of an account: sign-up, log-in, new password, recovery.

Everything received is verified against what the person's own keys say, never against what the
server says (SPEC section 9).
"""

from __future__ import annotations

from sopor.crypto.account import (
    AccountKeys,
    AccountSecret,
    LoginKeys,
    SecretWrapContext,
    derive_login,
    recovery_keys,
    unwrap_secret,
    wrap_secret,
)
from sopor.crypto.written_keys import RecoveryKey, SecretKey
from sopor.records import dataclass
from sopor_core.account import AccountRecord, Credentials, KdfParameters
from sopor_core.errors import Layer, RollbackError, VerificationError
from sopor_core.names import normalize_login


@dataclass(frozen=True, slots=True)
class NewAccess:
    """Credentials to publish, and the keys that the person has to keep.

    Whoever makes one shows or stores both written keys before the credentials are sent.
    """

    keys: AccountKeys
    credentials: Credentials
    secret_key: SecretKey
    recovery_key: RecoveryKey


@dataclass(frozen=True, slots=True)
class NewAccount:
    """A new account's signed record and its first credentials."""

    record: AccountRecord
    access: NewAccess


def new_account(
    login: str, password: str, created: int, costs: KdfParameters | None = None
) -> NewAccount:
    """Makes an account with new random secrets.

    Args:
        login: the login name, in any case.
        password: as typed.
        created: milliseconds since 1970.
        costs: Argon2id's costs; the default is what SPEC section 9 names for writers.

    Raises:
        InvalidValue: the login name or the password is not acceptable.
        VerificationError: layer ``kdf``, for costs that no reader accepts.
    """
    keys = AccountKeys(AccountSecret.random())
    name = normalize_login(login)
    record = AccountRecord(keys.identity, name, created).sign(keys)
    access = _new_access(keys, name, password, 1, costs or KdfParameters(), SecretKey.random())
    return NewAccount(record, access)


def _new_access(
    keys: AccountKeys,
    login: str,
    password: str,
    n: int,
    costs: KdfParameters,
    secret_key: SecretKey,
) -> NewAccess:
    recovery_key = RecoveryKey.random()
    by_password = derive_login(password, secret_key, login, costs)
    by_recovery = recovery_keys(recovery_key)
    account = keys.identity.account
    recovery = SecretWrapContext.of_recovery(account)
    credentials = Credentials(
        account=account,
        n=n,
        kdf=costs,
        login_key=by_password.login.public,
        secret=_password_wrap(keys, by_password, n, costs),
        recovery_key=by_recovery.login.public,
        recovery_secret=wrap_secret(keys.secret, by_recovery.wrap, recovery),
    )
    return NewAccess(keys, credentials.sign(keys), secret_key, recovery_key)


def _password_wrap(keys: AccountKeys, login: LoginKeys, n: int, costs: KdfParameters) -> bytes:
    context = SecretWrapContext.of_password(keys.identity.account, n, costs)
    return wrap_secret(keys.secret, login.wrap, context)


def unlock(
    login_keys: LoginKeys,
    record: AccountRecord,
    credentials: Credentials,
    login: str,
    seen: int = 0,
) -> AccountKeys:
    """Opens an account with its password.

    Args:
        login_keys: from `derive_login`, with the costs that the credentials name.
        record: as the server gave it, its own signature verified.
        credentials: as the server gave them, parsed.
        login: the login name that the person typed.
        seen: the newest number of credentials that this device has seen.

    Raises:
        RollbackError: the credentials are older than ones seen before.
        VerificationError: layer ``account``, ``signature`` or ``kdf``, if anything is not this
            person's.
    """
    if credentials.login_key != login_keys.login.public:
        raise VerificationError(Layer.ACCOUNT, "the credentials are of another password")
    context = SecretWrapContext.of_password(record.identity.account, credentials.n, credentials.kdf)
    secret = unwrap_secret(credentials.secret, login_keys.wrap, context)
    return _checked(secret, record, credentials, login, seen)


def unlock_by_recovery(
    recovery_key: RecoveryKey,
    record: AccountRecord,
    credentials: Credentials,
    login: str,
    seen: int = 0,
) -> AccountKeys:
    """Opens an account with its recovery key; arguments and errors are those of `unlock`."""
    keys = recovery_keys(recovery_key)
    if credentials.recovery_key != keys.login.public:
        raise VerificationError(Layer.ACCOUNT, "the credentials are of another recovery key")
    context = SecretWrapContext.of_recovery(record.identity.account)
    secret = unwrap_secret(credentials.recovery_secret, keys.wrap, context)
    return _checked(secret, record, credentials, login, seen)


def _checked(
    secret: AccountSecret,
    record: AccountRecord,
    credentials: Credentials,
    login: str,
    seen: int,
) -> AccountKeys:
    keys = AccountKeys(secret, record.identity.account)
    if keys.identity != record.identity or credentials.account != record.identity.account:
        raise VerificationError(Layer.ACCOUNT, "the server gave the record of another account")
    if record.login != normalize_login(login):
        raise VerificationError(Layer.ACCOUNT, "the account has another login name")
    credentials.verify_signature(keys.identity.signing)
    credentials.kdf.check()
    if credentials.n < seen:
        raise RollbackError(f"the server gave credentials {credentials.n} after {seen}")
    return keys


def change_password(
    keys: AccountKeys,
    credentials: Credentials,
    login: str,
    secret_key: SecretKey,
    password: str,
    costs: KdfParameters | None = None,
) -> Credentials:
    """Makes the next credentials, for a new password; both written keys stay as they are.

    Args:
        keys: the account's keys.
        credentials: the present credentials.
        login: the account's login name.
        secret_key: the account's secret key.
        password: the new password as typed.
        costs: Argon2id's costs; the default is what SPEC section 9 names for writers.

    Raises:
        InvalidValue: the password is not acceptable.
    """
    costs = costs or KdfParameters()
    login_keys = derive_login(password, secret_key, login, costs)
    n = credentials.n + 1
    return Credentials(
        account=credentials.account,
        n=n,
        kdf=costs,
        login_key=login_keys.login.public,
        secret=_password_wrap(keys, login_keys, n, costs),
        recovery_key=credentials.recovery_key,
        recovery_secret=credentials.recovery_secret,
    ).sign(keys)


def renew_access(
    keys: AccountKeys,
    credentials: Credentials,
    login: str,
    password: str,
    costs: KdfParameters | None = None,
    secret_key: SecretKey | None = None,
) -> NewAccess:
    """Makes the next credentials with a new password, secret key and recovery key.

    What `recover` does after `unlock_by_recovery`: the old recovery key was typed, and the old
    secret key is lost or was on a device that is. ``secret_key`` is the new one where it is known.

    Raises:
        InvalidValue: the password is not acceptable.
    """
    name = normalize_login(login)
    n, written = credentials.n + 1, secret_key or SecretKey.random()
    return _new_access(keys, name, password, n, costs or KdfParameters(), written)


def recover(
    recovery_key: RecoveryKey,
    record: AccountRecord,
    credentials: Credentials,
    login: str,
    password: str,
    costs: KdfParameters | None = None,
) -> NewAccess:
    """Opens an account with its recovery key and renews its access.

    Raises:
        InvalidValue: the new password is not acceptable.
        VerificationError: as `unlock_by_recovery` does.
    """
    keys = unlock_by_recovery(recovery_key, record, credentials, login)
    return renew_access(keys, credentials, login, password, costs)
