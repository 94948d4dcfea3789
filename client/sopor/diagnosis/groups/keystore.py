"""The keystore: whether its files read back, who else can read them, and what unlocks them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sopor.diagnosis.checks import Check, Teller
from sopor.diagnosis.scope import Scope
from sopor.errors import SoporError
from sopor.keystore import KnownAccount, Protection, keychain
from sopor.repository.configuration import Configuration


def checks(scope: Scope) -> Iterator[Check]:
    """Yields one check for the folder, for the settings, and for each account."""
    tell, home = Teller("keystore"), scope.keystore.home
    if not home.is_dir():
        yield tell.ok("folder", f"{home} is not there yet: no account on this device", accounts=0)
        return
    accounts = scope.accounts()
    yield _privacy(tell, home, accounts)
    Configuration(home).all()  # raises where it does not read back
    for number, known in enumerate(accounts, 1):
        yield _unlocking(tell, f"account-{number}", known)
    default = scope.keystore.default
    if default is not None and default not in {known.account for known in accounts}:
        yield tell.warn(
            "default",
            "the account that is meant by default is not on this device any more",
            "choose another one: `sopor whoami --use LOGIN`",
        )


def _privacy(tell: Teller, home: Path, accounts: list[KnownAccount]) -> Check:
    count = len(accounts)
    open_to_others = [
        path
        for path in (home, *sorted(home.rglob("*")))
        if not path.is_symlink() and path.stat().st_mode & 0o077
    ]
    if not open_to_others or not home.stat().st_mode & 0o077:
        return tell.ok("folder", f"only you can enter {home}", accounts=count, private=True)
    hint = f"run `chmod -R go= {home}`"
    told = f"others can read {len(open_to_others)} files and folders of {home}"
    if any(known.protection is Protection.FILE for known in accounts):
        hint += "; if others use this machine, change the password: `sopor passwd`"
        return tell.bad("folder", told, hint, accounts=count, private=False)
    return tell.warn("folder", told, hint, accounts=count, private=False)


def _unlocking(tell: Teller, name: str, known: KnownAccount) -> Check:
    facts: dict[str, str | bool] = {
        "protection": str(known.protection),
        "sign_on": known.sign_on is not None,
    }
    who = f"{known.login} at {known.server}"
    if known.protection is Protection.KEYCHAIN:
        try:
            keychain.get(known.account)
        except SoporError as error:
            return tell.bad(name, f"{who}: {error.message}", error.hint or "log in again", **facts)
        return tell.ok(name, f"{who}: the keychain is open and holds the key", **facts)
    if known.protection is Protection.FILE:
        return tell.ok(name, f"{who}: file permissions alone protect the keys", **facts)
    return tell.ok(name, f"{who}: the password opens the keys", **facts)
