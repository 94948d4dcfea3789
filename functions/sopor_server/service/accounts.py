"""Accounts: registering one, reading one's own, changing its credentials."""

from __future__ import annotations

from dataclasses import dataclass

from sopor_core import canonical
from sopor_core.account import AccountRecord, Action, ChallengeProof, Credentials
from sopor_core.canonical import Json
from sopor_core.errors import Layer, VerificationError
from sopor_core.identity import check_encryption_key
from sopor_core.ids import DeviceId, OrgId
from sopor_core.membership import Genesis, MembershipEntry, MembershipLog
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.problems import Code
from sopor_server.auth import Caller
from sopor_server.errors import Refused, malformed
from sopor_server.ports.errors import (
    AccountExists,
    CredentialsMoved,
    DeviceTaken,
    LoginTaken,
    LogMoved,
    SubjectTaken,
)
from sopor_server.ports.records import Account, Link, MembershipAppend
from sopor_server.service import sign_on
from sopor_server.service.context import Context, device_revoked
from sopor_server.service.login import Session, check_proof, new_device, session
from sopor_server.service.state import organization_of


@dataclass(frozen=True, slots=True)
class NewKeys:
    """What replaces the keys of an account, nothing of it verified."""

    record: Json
    approval: bytes
    credentials: Json


@dataclass(frozen=True, slots=True)
class Registration:
    """What a new account sends, nothing of it verified."""

    record: Json
    credentials: Json
    genesis: bytes
    device: DeviceId
    device_name: str
    id_token: str | None = None
    challenge: bytes | None = None


def register(context: Context, address: str, request: Registration) -> Session:
    """Creates an account, its personal organization and its first device, in one step.

    Raises:
        Refused: ``forbidden`` where registration is closed, ``rate-limited``, ``login-taken``,
            ``malformed``, ``sign-on-required``, ``sign-on-refused``.
        VerificationError: a signed object does not verify, or they do not belong together.
    """
    if not context.registration_open:
        raise Refused(
            Code.FORBIDDEN,
            "this server takes no registrations",
            hint="ask who runs it to set SOPOR_REGISTRATION=open",
        )
    context.by_address.take(address)
    record = AccountRecord.verified(request.record)
    record.identity.check_founding_id()
    credentials = Credentials.parse(request.credentials)
    if credentials.account != record.identity.account or credentials.n != 1:
        raise VerificationError(Layer.ACCOUNT, "the credentials are not the account's first")
    credentials.verify_signature(record.identity.signing)
    genesis = _personal_genesis(context, request.genesis, record)
    account = Account(
        record.identity.account,
        record.login,
        canonical.encode(record.to_json()),
        canonical.encode(credentials.to_json()),
        credentials.n,
        (genesis.state.id,),
        _link(context, record.login, request),
    )
    device, token = new_device(context, account.id, request.device, request.device_name)
    try:
        context.store.create_account(account, genesis, device)
    except (LoginTaken, AccountExists, LogMoved):
        raise Refused(
            Code.LOGIN_TAKEN,
            f"the login name {record.login!r} is taken",
            hint="log in if it is yours, else choose another",
        ) from None
    except SubjectTaken:
        raise sign_on.linked_elsewhere() from None
    except DeviceTaken:
        raise malformed("the device id is in use", "draw another id and try again") from None
    return session(context, account, device.id, token)


def _link(context: Context, login: str, request: Registration) -> Link | None:
    """Returns whom a new account is linked to, as the ID token says that came with it."""
    return sign_on.check_registration(
        context, login, request.device, request.challenge, request.id_token
    )


def _personal_genesis(context: Context, data: bytes, record: AccountRecord) -> MembershipAppend:
    entry = MembershipEntry.parse(data)
    body = entry.body
    if not isinstance(body, Genesis) or body.kind != "personal" or body.owner != record.identity:
        raise VerificationError(
            Layer.MEMBERSHIP, "the entry does not found the account's personal organization"
        )
    log = MembershipLog(OrgId(entry.hash))
    log.append(entry)
    if body.login != record.login:
        raise VerificationError(
            Layer.MEMBERSHIP, "the entry has another login than the account's record"
        )
    return MembershipAppend(data, EMPTY_LOG, organization_of(log), context.now())


def account(context: Context, caller: Caller) -> Account:
    """Returns the caller's account; raises Refused."""
    context.check_device(caller)
    found = context.store.account(caller.account)
    if found is None:
        raise device_revoked()
    return found


def change_credentials(
    context: Context, caller: Caller, change: Json, proof: ChallengeProof
) -> None:
    """Replaces the caller's credentials.

    Neither an access token nor the server alone can do this: it takes a signature of the login key
    (or the recovery login key) over a fresh challenge, and one of the account's signing key over
    the new credentials, which clients check again.

    Raises:
        Refused: ``device-revoked``, ``login-failed``, ``rate-limited``, ``malformed``,
            ``entry-refused`` where the credentials were changed meanwhile.
        VerificationError: the credentials do not verify.
    """
    found = account(context, caller)
    if proof.action is not Action.CREDENTIALS or proof.account != found.id:
        raise malformed("the proof is not for changing this account's credentials")
    credentials = Credentials.parse(change)
    record = AccountRecord.verified(canonical.parse_json(found.record))
    credentials.verify_signature(record.identity.signing)
    if credentials.account != found.id:
        raise VerificationError(Layer.ACCOUNT, "the credentials are of another account")
    if credentials.n != found.n + 1:
        raise _moved()
    check_proof(context, proof, found)
    try:
        context.store.replace_credentials(
            found.id, credentials.n, canonical.encode(credentials.to_json())
        )
    except CredentialsMoved:
        raise _moved() from None


def change_keys(context: Context, caller: Caller, change: NewKeys, proof: ChallengeProof) -> None:
    """Replaces the caller's record and credentials, and revokes its other devices.

    It takes what new credentials take, and a signature of the signing key so far. What the account
    signs in its organizations goes by their logs, which have entries of their own for this.

    Raises:
        Refused: ``device-revoked``, ``login-failed``, ``rate-limited``, ``malformed``,
            ``entry-refused`` where the credentials were changed meanwhile.
        VerificationError: the record or the credentials do not verify.
    """
    found = account(context, caller)
    if proof.action is not Action.CREDENTIALS or proof.account != found.id:
        raise malformed("the proof is not for changing this account's credentials")
    record = AccountRecord.verified(change.record)
    credentials = Credentials.parse(change.credentials)
    credentials.verify_signature(record.identity.signing)
    new = (canonical.encode(record.to_json()), canonical.encode(credentials.to_json()))
    if new != (found.record, found.credentials):
        _check_new_keys(found, record, change.approval, credentials)
        check_proof(context, proof, found)
    try:
        context.store.replace_keys(found.id, credentials.n, *new, caller.device)
    except CredentialsMoved:
        raise _moved() from None


def _check_new_keys(
    found: Account, record: AccountRecord, approval: bytes, credentials: Credentials
) -> None:
    before = AccountRecord.verified(canonical.parse_json(found.record))
    record.verify_approval(approval, before.identity.signing)
    check_encryption_key(record.identity.encryption)
    if (record.identity.account, record.login, record.created) != (
        found.id,
        before.login,
        before.created,
    ):
        raise VerificationError(Layer.ACCOUNT, "the record differs in more than its keys")
    if credentials.account != found.id:
        raise VerificationError(Layer.ACCOUNT, "the credentials are of another account")
    if credentials.n != found.n + 1:
        raise _moved()


def _moved() -> VerificationError:
    return VerificationError(
        Layer.ACCOUNT,
        "the credentials do not follow the present ones",
        hint="another device changed them; read the account again and retry",
    )
