"""Which people's keys a person compared by safety number, kept on the device (SPEC section 8.3)."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from sopor.organization.notes import Note, folder_of, locked
from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.fields import Fields
from sopor_core.identity import PublicIdentity
from sopor_core.ids import AccountId


class TrustedKeys:
    """The keys that one account of this device compared; other keys are not trusted any more."""

    def __init__(self, home: Path, account: AccountId) -> None:
        """Takes the folder of the keystore; creates nothing."""
        self._folder = folder_of(home, account)
        self._note = Note(
            self._folder / "compared.json",
            "keys",
            _parse,
            b64encode,
            "delete it, and compare safety numbers again: `sopor org verify`",
        )

    def holds(self, identity: PublicIdentity) -> bool:
        """Tells whether exactly these keys were compared; raises DamagedStore."""
        return self._note.read().get(identity.account) == _fingerprint(identity)

    def remember(self, identity: PublicIdentity) -> None:
        """Notes that these keys were compared; raises Busy, DiskFull, DamagedStore."""
        with locked(self._folder):
            self._note.put(identity.account, _fingerprint(identity), durable=True)


def _parse(value: Json) -> dict[AccountId, bytes]:
    return Fields({"keys": value}, "the compared keys").id_map("keys", AccountId, 32)


def _fingerprint(identity: PublicIdentity) -> bytes:
    return sha256(identity.account + identity.signing + identity.encryption).digest()
