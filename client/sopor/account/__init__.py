"""Accounts as a person uses them: register, log in, recover, change the password, log out.

Each is a function over the keystore and a server. None talks to a person: passwords and keys are
arguments, and results hold no secrets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sopor.lazy import lazy_names

if TYPE_CHECKING:
    from sopor.account.logging_in import login
    from sopor.account.managing import (
        devices,
        find_device,
        logout,
        revoke_device,
        revoke_others,
        whoami,
    )
    from sopor.account.passwords import change_password
    from sopor.account.recovering import recover
    from sopor.account.recovery_kit import RecoveryKit, parse_kit, read_kit
    from sopor.account.registering import register
    from sopor.account.results import (
        AccountInfo,
        LoginResult,
        LogoutResult,
        PasswordResult,
        RecoverResult,
        RegisterResult,
    )
    from sopor.account.setup import Setup
    from sopor.account.unlocked import Account, Connect, unlock
else:
    __getattr__ = lazy_names(
        __name__,
        logging_in=["login"],
        managing=["devices", "find_device", "logout", "revoke_device", "revoke_others", "whoami"],
        passwords=["change_password"],
        recovering=["recover"],
        recovery_kit=["RecoveryKit", "parse_kit", "read_kit"],
        registering=["register"],
        results=[
            "AccountInfo",
            "LoginResult",
            "LogoutResult",
            "PasswordResult",
            "RecoverResult",
            "RegisterResult",
        ],
        setup=["Setup"],
        unlocked=["Account", "Connect", "unlock"],
    )

__all__ = [
    "Account",
    "AccountInfo",
    "Connect",
    "LoginResult",
    "LogoutResult",
    "PasswordResult",
    "RecoverResult",
    "RecoveryKit",
    "RegisterResult",
    "Setup",
    "change_password",
    "devices",
    "find_device",
    "login",
    "logout",
    "parse_kit",
    "read_kit",
    "recover",
    "register",
    "revoke_device",
    "revoke_others",
    "unlock",
    "whoami",
]
