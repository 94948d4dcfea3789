"""Accounts, devices and answered challenges in SQLite; each function runs in a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from sopor_core.ids import AccountId, DeviceId, OrgId
from sopor_server.adapters.sqlite import links
from sopor_server.ports.errors import (
    AccountExists,
    ChallengeUsed,
    CredentialsMoved,
    DeviceTaken,
    LoginTaken,
)
from sopor_server.ports.records import Account, Device

_SELECT_DEVICE = (
    "SELECT device, account, name, created, last_used, refresh_hash, revoked FROM devices"
)


def insert(db: sqlite3.Connection, account: Account) -> None:
    """Adds an account; raises AccountExists or LoginTaken."""
    if db.execute("SELECT 1 FROM accounts WHERE account = ?", (account.id,)).fetchone():
        raise AccountExists("the account is registered already")
    if db.execute("SELECT 1 FROM accounts WHERE login = ?", (account.login,)).fetchone():
        raise LoginTaken("the login name is taken")
    db.execute(
        "INSERT INTO accounts (account, login, record, credentials, n) VALUES (?, ?, ?, ?, ?)",
        (account.id, account.login, account.record, account.credentials, account.n),
    )


def find(db: sqlite3.Connection, condition: str, value: bytes | str) -> Account | None:
    """Returns the account for which ``condition`` holds (``account = ?`` or ``login = ?``)."""
    row = db.execute(
        f"SELECT account, login, record, credentials, n FROM accounts WHERE {condition}",  # noqa: S608
        (value,),
    ).fetchone()
    if row is None:
        return None
    orgs = db.execute("SELECT org FROM members WHERE account = ? ORDER BY org", (row[0],))
    account, login, record, credentials, n = row
    organizations = tuple(OrgId(org) for (org,) in orgs)
    link = links.find(db, AccountId(account))
    return Account(AccountId(account), login, record, credentials, n, organizations, link)


def replace_credentials(
    db: sqlite3.Connection, account: AccountId, n: int, credentials: bytes
) -> None:
    """Replaces credentials ``n - 1``; raises CredentialsMoved."""
    row = db.execute("SELECT n, credentials FROM accounts WHERE account = ?", (account,)).fetchone()
    if row == (n, credentials):
        return
    if row is None or row[0] != n - 1:
        raise CredentialsMoved("the credentials were changed meanwhile")
    db.execute(
        "UPDATE accounts SET n = ?, credentials = ? WHERE account = ?", (n, credentials, account)
    )


def replace_keys(
    db: sqlite3.Connection, account: AccountId, n: int, keys: tuple[bytes, bytes]
) -> None:
    """Replaces record and credentials ``n - 1``; raises CredentialsMoved."""
    row = db.execute(
        "SELECT n, record, credentials FROM accounts WHERE account = ?", (account,)
    ).fetchone()
    if row == (n, *keys):
        return
    if row is None or row[0] != n - 1:
        raise CredentialsMoved("the credentials were changed meanwhile")
    db.execute(
        "UPDATE accounts SET n = ?, record = ?, credentials = ? WHERE account = ?",
        (n, *keys, account),
    )


def revoke_all(db: sqlite3.Connection, account: AccountId, *, but: DeviceId) -> None:
    """Revokes all devices of an account but one."""
    db.execute("UPDATE devices SET revoked = 1 WHERE account = ? AND device <> ?", (account, but))


def put_device(db: sqlite3.Connection, device: Device) -> None:
    """Creates or replaces a live device; raises DeviceTaken."""
    known = find_device(db, device.id)
    if known is not None and (known.account != device.account or known.revoked):
        raise DeviceTaken("the device id is in use")
    db.execute(
        "INSERT OR REPLACE INTO devices"
        " (device, account, name, created, last_used, refresh_hash, revoked)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            device.id,
            device.account,
            device.name,
            known.created if known else device.created,
            device.last_used,
            device.refresh_hash,
            device.revoked,
        ),
    )


def find_device(db: sqlite3.Connection, device: DeviceId) -> Device | None:
    """Returns a device, revoked or not."""
    row = db.execute(f"{_SELECT_DEVICE} WHERE device = ?", (device,)).fetchone()
    return None if row is None else _device(row)


def live_devices(db: sqlite3.Connection, account: AccountId) -> Sequence[Device]:
    """Returns the live devices of an account, the oldest first."""
    rows = db.execute(
        f"{_SELECT_DEVICE} WHERE account = ? AND NOT revoked ORDER BY created, device",
        (account,),
    )
    return [_device(row) for row in rows]


def revoke(db: sqlite3.Connection, account: AccountId, device: DeviceId) -> bool:
    """Revokes a device of this account."""
    cursor = db.execute(
        "UPDATE devices SET revoked = 1 WHERE device = ? AND account = ?", (device, account)
    )
    return cursor.rowcount == 1


def touch(db: sqlite3.Connection, device: DeviceId, time: int) -> None:
    """Moves a device's time of last use forward."""
    db.execute("UPDATE devices SET last_used = max(last_used, ?) WHERE device = ?", (time, device))


def use_challenge(db: sqlite3.Connection, challenge: bytes, expires: int, now: int) -> None:
    """Notes an answered challenge; raises ChallengeUsed."""
    drop_expired(db, now)
    cursor = db.execute(
        "INSERT OR IGNORE INTO used_challenges (challenge, expires) VALUES (?, ?)",
        (challenge, expires),
    )
    if cursor.rowcount == 0:
        raise ChallengeUsed("the challenge was answered before")


def drop_expired(db: sqlite3.Connection, now: int) -> None:
    """Drops notes of challenges that count no more anyway."""
    db.execute("DELETE FROM used_challenges WHERE expires < ?", (now,))


def _device(row: tuple[Any, ...]) -> Device:
    device, account, name, created, last_used, refresh_hash, revoked = row
    return Device(
        DeviceId(device),
        AccountId(account),
        name,
        created,
        last_used,
        refresh_hash,
        revoked=bool(revoked),
    )
