"""Accounts, devices and answered challenges in Firestore."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sopor_core.ids import AccountId, DeviceId, OrgId
from sopor_server.adapters.firestore import links
from sopor_server.adapters.firestore.database import Database
from sopor_server.adapters.firestore.organizations import Organizations, organization_path
from sopor_server.adapters.firestore.settling import Attempt, settle
from sopor_server.adapters.firestore.values import Document, Value
from sopor_server.ports.errors import (
    AccountExists,
    ChallengeUsed,
    CredentialsMoved,
    DeviceTaken,
    LoginTaken,
    LogMoved,
    SubjectTaken,
)
from sopor_server.ports.records import Account, Device, Link, MembershipAppend

if TYPE_CHECKING:
    from google.cloud.firestore_v1.types import Write

# Clocks differ: a note is kept longer than the challenge counts.
_SLACK = timedelta(hours=1)


class Accounts:
    """What one account has to itself."""

    def __init__(self, database: Database, organizations: Organizations) -> None:
        self._database = database
        self._organizations = organizations

    def create(self, account: Account, genesis: MembershipAppend, device: Device) -> None:
        """Registers; raises AccountExists, LoginTaken, SubjectTaken, LogMoved or DeviceTaken."""
        mine, login = account_path(account.id), _login_path(account.login)
        founded, first = organization_path(genesis.state.id), device_path(device.id)
        subjects = [] if account.link is None else [links.subject_path(account.link)]

        def prepare(attempt: Attempt) -> list[Write] | None:
            found, _ = self._database.get_many([mine, login, founded, first, *subjects])
            known = found.get(mine)
            if known is not None and "record" in known.fields:
                if attempt.uncertain and _is_registered(known, found.get(first), account, device):
                    return None
                raise AccountExists("the account is registered already")
            if login in found:
                raise LoginTaken("the login name is taken")
            if any(path in found for path in subjects):
                raise SubjectTaken("another account is linked to the person")
            if founded in found:
                raise LogMoved("the organization exists")
            if first in found:
                raise DeviceTaken("the device id is in use")
            return [
                self._new_account(account, known, genesis.state.id),
                self._database.create(login, {"account": account.id, "login": account.login}),
                *self._organizations.writes(genesis, None, but=account.id),
                self._database.create(first, _device_fields(device)),
                *(self._database.create(path, {"account": account.id}) for path in subjects),
            ]

        settle(self._database, prepare)

    def find(self, account: AccountId) -> Account | None:
        """Returns an account."""
        found = self._database.get(account_path(account))
        return None if found is None or "record" not in found.fields else _account(found)

    def by_login(self, login: str) -> Account | None:
        """Returns the account with a login name."""
        found = self._database.get(_login_path(login))
        if found is None or found.fields["login"] != login:
            return None
        return self.find(AccountId(found.fields["account"]))

    def replace_credentials(self, account: AccountId, n: int, credentials: bytes) -> None:
        """Replaces credentials ``n - 1``; raises CredentialsMoved."""

        def prepare(_: Attempt) -> list[Write] | None:
            found = self._database.get(account_path(account))
            present = found.fields.get("n") if found else None
            if found is None or present not in (n - 1, n):
                raise CredentialsMoved("the credentials were changed meanwhile")
            if present == n:
                if found.fields["credentials"] == credentials:
                    return None
                raise CredentialsMoved("the credentials were changed meanwhile")
            return [self._database.change(found, {"n": n, "credentials": credentials})]

        settle(self._database, prepare)

    def replace_keys(
        self, account: AccountId, n: int, keys: tuple[bytes, bytes], keep: DeviceId
    ) -> None:
        """Replaces record and credentials ``n - 1``; raises CredentialsMoved."""
        record, credentials = keys

        def prepare(_: Attempt) -> list[Write] | None:
            found = self._database.get(account_path(account))
            fields = found.fields if found else {}
            if found is None or fields.get("n") not in (n - 1, n):
                raise CredentialsMoved("the credentials were changed meanwhile")
            if fields["n"] == n:
                if (fields["record"], fields["credentials"]) == keys:
                    return None
                raise CredentialsMoved("the credentials were changed meanwhile")
            new: dict[str, Value] = {"n": n, "record": record, "credentials": credentials}
            revoked: dict[str, Value] = {"revoked": True, "live": b""}
            others = self._others(account, keep)
            return [
                self._database.change(found, new),
                *(self._database.change(device, revoked) for device in others),
            ]

        settle(self._database, prepare)
        # Once more, for a device that came between the look at them and the commit.
        for device in self._others(account, keep):
            self.revoke(account, DeviceId.from_hex(device.id))

    def _others(self, account: AccountId, keep: DeviceId) -> list[Document]:
        """Returns the live devices of an account but one."""
        where = self._database.where("live", "EQUAL", bytes(account))
        found = self._database.query("devices", where)
        return [device for device in found if device.id != keep.hex()]

    def put_device(self, device: Device) -> None:
        """Creates or replaces a live device; raises DeviceTaken."""
        path = device_path(device.id)

        def prepare(_: Attempt) -> list[Write]:
            found = self._database.get(path)
            if found is None:
                return [self._database.create(path, _device_fields(device))]
            known = _device(found)
            if known.account != device.account or known.revoked:
                raise DeviceTaken("the device id is in use")
            fields = {**_device_fields(device), "created": known.created}
            return [self._database.change(found, fields)]

        settle(self._database, prepare)

    def device(self, device: DeviceId) -> Device | None:
        """Returns a device, revoked or not."""
        found = self._database.get(device_path(device))
        return None if found is None else _device(found)

    def devices(self, account: AccountId) -> Sequence[Device]:
        """Returns the live devices of an account, the oldest first."""
        where = self._database.where("live", "EQUAL", bytes(account))
        found = map(_device, self._database.query("devices", where))
        return sorted(found, key=lambda device: (device.created, device.id))

    def revoke(self, account: AccountId, device: DeviceId) -> bool:
        """Revokes a device of this account."""
        outcome: list[bool] = []

        def prepare(_: Attempt) -> list[Write] | None:
            found = self._database.get(device_path(device))
            theirs = found is not None and found.fields["account"] == account
            outcome[:] = [theirs]
            if found is None or not theirs or found.fields["revoked"]:
                return None
            return [self._database.change(found, {"revoked": True, "live": b""})]

        settle(self._database, prepare)
        return outcome[0]

    def touch(self, device: DeviceId, time: int) -> None:
        """Moves a device's time of last use forward."""
        path = device_path(device)

        def prepare(attempt: Attempt) -> list[Write] | None:
            if attempt.number and self._database.get(path) is None:
                return None
            return [self._database.raise_to(path, "last_used", time)]

        settle(self._database, prepare)

    def link(self, account: AccountId, link: Link) -> None:
        """Links an account to a person of an issuer; raises SubjectTaken or LinkMoved."""
        links.put(self._database, account_path(account), account, link)

    def unlink(self, account: AccountId) -> bool:
        """Forgets the link of an account."""
        return links.drop(self._database, account_path(account))

    def use_challenge(self, challenge: bytes, expires: int) -> None:
        """Notes an answered challenge; raises ChallengeUsed.

        Firestore deletes the note within a day after it expires. One that is still there is as
        good as used.
        """
        path = f"challenges/{challenge.hex()}"
        answer = secrets.token_bytes(16)
        until = datetime.fromtimestamp(expires / 1000, UTC) + _SLACK

        def prepare(attempt: Attempt) -> list[Write] | None:
            found = self._database.get(path) if attempt.number else None
            if found is None:
                return [self._database.create(path, {"expires": until, "answer": answer})]
            if found.fields["answer"] == answer:
                return None
            raise ChallengeUsed("the challenge was answered before")

        settle(self._database, prepare)

    def _new_account(self, account: Account, known: Document | None, org: OrgId) -> Write:
        joined = known.fields.get("orgs", []) if known else []
        fields: dict[str, Value] = {
            "login": account.login,
            "record": account.record,
            "credentials": account.credentials,
            "n": account.n,
            "orgs": [*joined, bytes(org)],
            **links.link_fields(account.link),
        }
        if known is not None:
            return self._database.change(known, fields)
        return self._database.create(account_path(account.id), fields)


def account_path(account: AccountId) -> str:
    """Returns the path of an account."""
    return f"accounts/{account.hex()}"


def _login_path(login: str) -> str:
    return f"logins/{sha256(login.encode('utf-8')).hexdigest()}"


def device_path(device: DeviceId) -> str:
    """Returns the path of a device."""
    return f"devices/{device.hex()}"


def _account(found: Document) -> Account:
    fields: dict[str, Any] = found.fields
    organizations = tuple(OrgId(org) for org in sorted(fields.get("orgs", [])))
    return Account(
        AccountId.from_hex(found.id),
        fields["login"],
        fields["record"],
        fields["credentials"],
        fields["n"],
        organizations,
        links.link_of(found),
    )


def _is_registered(
    known: Document, first: Document | None, account: Account, device: Device
) -> bool:
    """Tells whether these documents are what a registration of this very device wrote."""
    return (
        first is not None
        and first.fields["refresh_hash"] == device.refresh_hash
        and known.fields["record"] == account.record
        and known.fields["credentials"] == account.credentials
    )


def _device_fields(device: Device) -> dict[str, Value]:
    return {
        "account": bytes(device.account),
        "live": b"" if device.revoked else bytes(device.account),
        "name": device.name,
        "created": device.created,
        "last_used": device.last_used,
        "refresh_hash": device.refresh_hash,
        "revoked": device.revoked,
    }


def _device(found: Document) -> Device:
    fields = found.fields
    return Device(
        DeviceId.from_hex(found.id),
        AccountId(fields["account"]),
        fields["name"],
        fields["created"],
        fields["last_used"],
        fields["refresh_hash"],
        revoked=fields["revoked"],
    )
