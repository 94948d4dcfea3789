"""Changes the password of an account: one new set of credentials, signed by the account.

Ordering: while it is not known whether the server took the new password, both open the keystore.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from sopor.account.managing import revoke_others as revoke_other_devices
from sopor.account.results import PasswordResult
from sopor.account.setup import answer, check_new_password, check_server
from sopor.account.unlocked import Account
from sopor.crypto.account import LoginKeys, derive_login
from sopor.crypto.registration import change_password as next_credentials
from sopor.errors import LoginFailed, SoporError, TheirFault, Weather
from sopor.keystore import Protection
from sopor.remote import Remote, RemoteAccount
from sopor.remote.login import LoginApi
from sopor_core.account import Action, ChallengeProof, Credentials, KdfParameters
from sopor_core.errors import Layer, RollbackError, VerificationError
from sopor_core.ids import AccountId, ServerId


def change_password(
    account: Account,
    old: str,
    new: str,
    *,
    revoke_others: bool = False,
    costs: KdfParameters | None = None,
) -> PasswordResult:
    """Changes the password; secret key and recovery kit stay as they are.

    Args:
        account: the unlocked account.
        old: the present password.
        new: the new one.
        revoke_others: whether to log out all other devices.
        costs: Argon2id's costs; the default is what SPEC section 9 names for writers.

    Raises:
        LoginFailed: the present password is wrong.
        InvalidInput, InvalidValue: the new one is not acceptable.
        RollbackError, VerificationError: what the server keeps is not this account's.
        Weather: the server cannot be reached; if it may have taken the new password, both open
            this device until the next change.
    """
    check_new_password(new)
    present = present_credentials(account)
    secret_key = account.entry.secrets.secret_key
    keys = present_login(account, old, present)
    credentials = next_credentials(account.keys, present, account.login, secret_key, new, costs)
    _seal(account, old, new)
    try:
        publish(account.remote, account.login, account.server_id, credentials, keys)
    except (TheirFault, VerificationError):
        _seal(account, old)
        raise
    account.entry.change(known=lambda known: replace(known, n=credentials.n, kdf=credentials.kdf))
    _seal(account, new)
    revoked = revoke_other_devices(account) if revoke_others else ()
    return PasswordResult(account.login, credentials.n, revoked)


def present_credentials(account: Account) -> Credentials:
    """Asks for the present credentials and verifies that the account itself signed them.

    Raises:
        RollbackError: they are older than this device has seen.
        VerificationError: they are not this account's.
    """
    return own_credentials(account, account.remote.account())


def own_credentials(account: Account, found: RemoteAccount) -> Credentials:
    """Returns the credentials that a server gave; raises as `present_credentials` does."""
    credentials = found.credentials
    if found.record.identity != account.identity or credentials.account != account.known.account:
        raise VerificationError(Layer.ACCOUNT, "the server gave the record of another account")
    credentials.verify_signature(account.identity.signing)
    if credentials.n < account.known.n:
        raise RollbackError(f"the server gave credentials {credentials.n} after {account.known.n}")
    return credentials


def present_login(account: Account, password: str, present: Credentials) -> LoginKeys:
    """Returns the login keys of the present password; raises LoginFailed for another one."""
    secret_key = account.entry.secrets.secret_key
    keys = derive_login(password, secret_key, account.login, present.kdf)
    if keys.login.public != present.login_key:
        raise LoginFailed("the present password is wrong", hint="type it again")
    return keys


def publish(
    remote: Remote, login: str, server_id: ServerId, credentials: Credentials, keys: LoginKeys
) -> None:
    """Replaces the credentials on the server; if the answer is lost, asks which are in force.

    Args:
        remote: the server, in the name of the account.
        login: the login name.
        server_id: the pinned server.
        credentials: the new credentials, signed.
        keys: the present login keys, or those of the recovery key.

    Raises:
        Weather: it is not known whether the server took them.
        SoporError: it did not.
    """
    proof = prove(remote, login, server_id, credentials.account, keys)
    try:
        remote.change_credentials(credentials, proof)
    except Weather:
        with suppress(SoporError):
            if remote.account().credentials == credentials:
                return
        raise


def prove(
    remote: Remote, login: str, server_id: ServerId, account: AccountId, keys: LoginKeys
) -> ChallengeProof:
    """Asks for a challenge and answers it, to change what the server keeps of an account.

    Raises:
        VerificationError: another server than the pinned one answers.
    """
    challenge = LoginApi(remote.transport).challenge(login, Action.CREDENTIALS)
    check_server(challenge.server, server_id, remote.transport.address)
    return answer(keys, challenge, account, Action.CREDENTIALS)


def _seal(account: Account, *passwords: str) -> None:
    if account.known.protection is Protection.PASSWORD:
        account.entry.use_passwords(*passwords)
