"""The secrets of this device: one file for each account, under ``$SOPOR_HOME``.

    home/default                 which account is meant where none is named
    home/lock                    held while something here changes
    home/accounts/<id>.json      who the account is, and its secrets, sealed
    home/accounts/<id>.token     the access token between two commands, sealed; may be lost
    home/accounts/<id>.sign-on   held while a sign-on is continued, empty

Nothing here talks to a person or to a server: passwords come from a `PasswordSource`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sopor.lazy import lazy_names

if TYPE_CHECKING:
    from sopor.keystore.entry import OpenEntry
    from sopor.keystore.home import sopor_home
    from sopor.keystore.keystore import Keystore
    from sopor.keystore.passwords import FixedPassword, NoPasswords, PasswordRequest, PasswordSource
    from sopor.keystore.protection import Protection
    from sopor.keystore.records import DeviceSecrets, KnownAccount, NextKeys, SignOnSecrets
else:
    __getattr__ = lazy_names(
        __name__,
        entry=["OpenEntry"],
        home=["sopor_home"],
        keystore=["Keystore"],
        passwords=["FixedPassword", "NoPasswords", "PasswordRequest", "PasswordSource"],
        protection=["Protection"],
        records=["DeviceSecrets", "KnownAccount", "NextKeys", "SignOnSecrets"],
    )

__all__ = [
    "DeviceSecrets",
    "FixedPassword",
    "Keystore",
    "KnownAccount",
    "NextKeys",
    "NoPasswords",
    "OpenEntry",
    "PasswordRequest",
    "PasswordSource",
    "Protection",
    "SignOnSecrets",
    "sopor_home",
]
