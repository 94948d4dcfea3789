"""The secrets of this device: one file for each account, under ``$SOPOR_HOME``.

    home/default                 which account is meant where none is named
    home/lock                    held while something here changes
    home/accounts/<id>.json      who the account is, and its secrets, sealed
    home/accounts/<id>.token     the access token between two commands, sealed; may be lost
    home/accounts/<id>.sign-on   held while a sign-on is continued, empty

Nothing here talks to a person or to a server: passwords come from a `PasswordSource`.
"""

from sopor.keystore.entry import OpenEntry
from sopor.keystore.home import sopor_home
from sopor.keystore.keystore import Keystore
from sopor.keystore.passwords import FixedPassword, NoPasswords, PasswordRequest, PasswordSource
from sopor.keystore.protection import Protection
from sopor.keystore.records import (
    DeviceSecrets,
    KnownAccount,
    NextKeys,
    SignOnSecrets,
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
