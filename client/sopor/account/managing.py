"""What there is to do with an account that is logged in: who, which devices, out."""

from __future__ import annotations

from sopor.account.results import AccountInfo, LogoutResult
from sopor.account.unlocked import Account, Connect, unlock
from sopor.errors import InvalidInput, NotFound, SessionExpired, Weather
from sopor.keystore import Keystore, KnownAccount, PasswordSource
from sopor.remote import RemoteDevice, Transport
from sopor_core.ids import DeviceId


def whoami(keystore: Keystore) -> tuple[AccountInfo, ...]:
    """Returns the accounts of this device; unlocks nothing and asks no server.

    Raises:
        DamagedStore: the keystore does not read back.
    """
    return tuple(AccountInfo.of(known, keystore) for known in keystore.accounts())


def logout(
    keystore: Keystore,
    known: KnownAccount,
    passwords: PasswordSource | None,
    connect: Connect = Transport,
) -> LogoutResult:
    """Ends the session of this device and forgets its secrets.

    A server that cannot be reached does not keep anybody from logging out here; the result says
    that the device is still to be revoked.

    Args:
        keystore: the device's keystore.
        known: the account, from `Keystore.find`.
        passwords: unlocks the account to revoke the device; None forgets it here only.
        connect: makes the connection.

    Raises:
        LoginFailed, InputNeeded, DamagedStore: the account cannot be unlocked; nothing changed.
    """
    revoked = False
    if passwords is not None:
        with unlock(keystore, passwords, known, connect) as account:
            revoked = _revoke_own(account)
    keystore.remove(known.account)
    return LogoutResult(known.login, known.server, known.device, revoked)


def _revoke_own(account: Account) -> bool:
    try:
        account.remote.revoke_device(account.device)
    except (SessionExpired, NotFound):
        return True
    except Weather:
        return False
    return True


def devices(account: Account) -> tuple[RemoteDevice, ...]:
    """Returns the devices that are logged in, this one first, then by when they were used last."""
    found = account.remote.devices()
    return tuple(sorted(found, key=lambda device: (not device.current, -device.last_used)))


def find_device(account: Account, word: str) -> RemoteDevice:
    """Returns the device that a word means: its id or the start of it, or its name.

    Raises:
        NotFound: none is meant.
        InvalidInput: several are.
    """
    known = devices(account)
    wanted = word.strip().lower()
    exact = [device for device in known if device.id.hex() == wanted]
    named = [device for device in known if device.name == word]
    fitting = exact or named or [d for d in known if wanted and d.id.hex().startswith(wanted)]
    if not fitting:
        raise NotFound(f"there is no device {word!r}", hint="see `sopor devices`")
    if len(fitting) > 1:
        ids = ", ".join(device.id.short for device in fitting)
        raise InvalidInput(f"{word!r} means {len(fitting)} devices: {ids}", hint="use an id")
    return fitting[0]


def revoke_device(account: Account, device: DeviceId) -> None:
    """Ends the session of a device; its secrets stay on it, but it gets nothing new.

    Raises:
        NotFound: the account has no such device.
    """
    account.remote.revoke_device(device)


def revoke_others(account: Account) -> tuple[DeviceId, ...]:
    """Ends the sessions of all devices but this one; returns them."""
    others = tuple(device.id for device in devices(account) if device.id != account.device)
    for device in others:
        account.remote.revoke_device(device)
    return others
