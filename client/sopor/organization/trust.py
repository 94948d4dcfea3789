"""Which people's keys a person compared by safety number, kept on the device (SPEC section 8.3)."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from sopor.disk import exclusive, make_private_folder, read_private, write_private
from sopor.errors import DamagedStore
from sopor_core import canonical
from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.errors import VerificationError
from sopor_core.fields import Fields
from sopor_core.identity import PublicIdentity
from sopor_core.ids import AccountId


class TrustedKeys:
    """The keys that one account of this device compared; other keys are not trusted any more."""

    def __init__(self, home: Path, account: AccountId) -> None:
        """Takes the folder of the keystore; creates nothing."""
        self._folder = home / "organizations" / account.hex()
        self._path = self._folder / "compared.json"

    def holds(self, identity: PublicIdentity) -> bool:
        """Tells whether exactly these keys were compared; raises DamagedStore."""
        return self._read().get(identity.account) == _fingerprint(identity)

    def remember(self, identity: PublicIdentity) -> None:
        """Notes that these keys were compared; raises Busy, DiskFull."""
        make_private_folder(self._folder)
        with exclusive(self._folder / "lock", "what this device verified of organizations"):
            known = {**self._read(), identity.account: _fingerprint(identity)}
            keys: dict[str, Json] = {
                account.b64: b64encode(found) for account, found in known.items()
            }
            write_private(self._path, canonical.encode({"v": 1, "keys": keys}))

    def _read(self) -> dict[AccountId, bytes]:
        data = read_private(self._path)
        if data is None:
            return {}
        try:
            fields = Fields(canonical.decode(data), "the compared keys")
            fields.version()
            found = fields.id_map("keys", AccountId, 32)
            fields.end()
        except VerificationError as error:
            raise DamagedStore(
                f"{self._path} does not read back ({error.detail})",
                hint="delete it, and compare safety numbers again: `sopor org verify`",
            ) from None
        return found


def _fingerprint(identity: PublicIdentity) -> bytes:
    return sha256(identity.account + identity.signing + identity.encryption).digest()
