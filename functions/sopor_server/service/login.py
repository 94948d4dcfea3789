"""Logging in: challenges, proofs, sessions.

An unknown login name gets the same answers as a known one, with an account id that follows from
the name and the server's secret, so that asking twice tells nothing either.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sopor_core import canonical
from sopor_core.account import Action, ChallengeProof, Credentials, KdfParameters
from sopor_core.errors import VerificationError
from sopor_core.ids import AccountId, DeviceId
from sopor_core.signing import VerifyKey
from sopor_core.wire.problems import Code
from sopor_server.auth import (
    Caller,
    check_challenge,
    issue_access_token,
    issue_challenge,
    matches_refresh_token,
    new_refresh_token,
)
from sopor_server.errors import Refused, malformed
from sopor_server.ports.errors import ChallengeUsed, DeviceTaken
from sopor_server.ports.records import Account, Device
from sopor_server.service import sign_on
from sopor_server.service.context import Context, device_revoked

MAX_DEVICES = 100
# Ed25519's base point, as the key of nobody: what an unknown login costs in time must tell nothing.
_NO_KEY = VerifyKey(b"\x58" + b"\x66" * 31)
_NOBODY = Credentials(
    AccountId(bytes(16)), 1, KdfParameters(), _NO_KEY, bytes(60), _NO_KEY, bytes(60), bytes(64)
)
_NOBODYS_CREDENTIALS = canonical.encode(_NOBODY.to_json())


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a client needs to prove itself."""

    account: AccountId
    kdf: KdfParameters
    challenge: bytes


@dataclass(frozen=True, slots=True)
class Session:
    """A new login: the account and the tokens of its device."""

    account: Account
    device: DeviceId
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


def challenge(context: Context, address: str, login: str, action: Action) -> Challenge:
    """Returns a challenge for whoever has this login name; raises Refused (``rate-limited``)."""
    context.by_address.take(address)
    account = context.store.account_by_login(login)
    made_up = AccountId(context.server.tag("sopor/1 made-up account", login.encode("utf-8")))
    who = account.id if account else made_up
    if action is Action.REGISTER:
        # The same answer whether or not somebody has the name.
        account, who = None, sign_on.nobody(context, login)
    issued = issue_challenge(context.server, who, action, context.now())
    return Challenge(who, _credentials(account).kdf, issued)


def login(
    context: Context,
    address: str,
    proof: ChallengeProof,
    device: DeviceId,
    name: str,
    id_token: str | None = None,
) -> Session:
    """Opens a session for who answered a ``login`` or ``recover`` challenge.

    Raises:
        Refused: ``login-failed``, ``rate-limited``, ``device-revoked``, ``quota-exceeded``,
            ``sign-on-required``, ``sign-on-refused``.
    """
    if proof.action not in (Action.LOGIN, Action.RECOVER):
        raise malformed("a login is proved by the action 'login' or 'recover'")
    context.by_address.take(address)
    account = check_proof(context, proof, context.store.account(proof.account))
    sign_on.check_login(context, account, device, proof.challenge, id_token)
    if len(context.store.devices(account.id)) >= MAX_DEVICES:
        raise Refused(
            Code.QUOTA_EXCEEDED,
            f"the account has {MAX_DEVICES} devices, which is the most",
            hint="revoke some with `sopor devices`",
        )
    record, token = new_device(context, account.id, device, name)
    try:
        context.store.put_device(record)
    except DeviceTaken:
        raise device_revoked() from None
    _check_still_valid(context, account, device)
    return session(context, account, device, token)


def _check_still_valid(context: Context, account: Account, device: DeviceId) -> None:
    """Revokes the new device if the credentials that let it in were replaced meanwhile.

    New keys revoke all devices; one that is stored in the same moment might slip by.
    """
    found = context.store.account(account.id)
    if found is None or found.n != account.n:
        context.store.revoke_device(account.id, device)
        raise _failed()


def _failed() -> Refused:
    return Refused(
        Code.LOGIN_FAILED,
        "the login failed",
        hint="check the login name, the password and the secret key, then try again",
    )


def check_proof(context: Context, proof: ChallengeProof, account: Account | None) -> Account:
    """Returns the account, whose key answered a challenge that is now used up.

    ``login`` is proved by the login key, ``recover`` by the recovery login key, every other action
    by either.

    Raises:
        Refused: ``login-failed``, ``rate-limited``.
    """
    key = proof.account.hex()
    context.by_login.check(key)
    try:
        return _check_proof(context, proof, account)
    except (VerificationError, ChallengeUsed):
        context.by_login.take(key)
        raise _failed() from None


def _check_proof(context: Context, proof: ChallengeProof, account: Account | None) -> Account:
    now = context.now()
    expires = check_challenge(context.server, proof.account, proof.action, proof.challenge, now)
    _verify(proof, _keys(proof.action, account))
    if account is None or expires is None or proof.server != context.server.id:
        raise ChallengeUsed("the challenge is not valid")
    context.store.use_challenge(proof.challenge, expires, now)
    return account


def _keys(action: Action, account: Account | None) -> tuple[VerifyKey, ...]:
    credentials = _credentials(account)
    if action is Action.LOGIN:
        return (credentials.login_key,)
    if action is Action.RECOVER:
        return (credentials.recovery_key,)
    return (credentials.login_key, credentials.recovery_key)


def _verify(proof: ChallengeProof, keys: tuple[VerifyKey, ...]) -> None:
    for key in keys[:-1]:
        try:
            return proof.verify(key)
        except VerificationError:
            continue
    return proof.verify(keys[-1])


def _credentials(account: Account | None) -> Credentials:
    """Returns an account's credentials, which were verified when they came, or nobody's."""
    data = account.credentials if account else _NOBODYS_CREDENTIALS
    return Credentials.parse(canonical.parse_json(data))


def new_device(
    context: Context, account: AccountId, device: DeviceId, name: str
) -> tuple[Device, str]:
    """Returns the record of a new device and its refresh token; raises Refused (``malformed``)."""
    if not name.isprintable() or not name.strip():
        raise malformed("a device's name has control characters or none to show")
    token, refresh_hash = new_refresh_token()
    now = context.now()
    return Device(device, account, name, now, now, refresh_hash), token


def session(context: Context, account: Account, device: DeviceId, token: str) -> Session:
    """Returns the session of a device that was just stored."""
    access = issue_access_token(context.server, Caller(account.id, device), context.now())
    return Session(account, device, access, token)


def refresh(context: Context, device: DeviceId, token: str, id_token: str | None = None) -> str:
    """Returns a new access token for a device's refresh token.

    Raises:
        Refused: ``device-revoked``, ``sign-on-required`` or ``sign-on-refused`` to who has the
            token, else ``session-expired``.
    """
    found = context.store.device(device)
    if not matches_refresh_token(token, found.refresh_hash if found else bytes(32)) or not found:
        raise Refused(
            Code.SESSION_EXPIRED, "the session has ended", hint="log in again with `sopor login`"
        )
    if found.revoked:
        raise device_revoked()
    sign_on.check_refresh(context, found.account, id_token)
    now = context.now()
    context.store.touch_device(device, now)
    return issue_access_token(context.server, Caller(found.account, device), now)
