"""The file of one account: canonical JSON in one line, with a checksum that tells damage.

    {"v": 1, "account": who it is, "lock": where the key lies, "sealed": the secrets, "check": hash}

The secrets are under AES-256-GCM with ``account`` as associated data, so that none of it, such as
the pinned server, changes unnoticed. The checksum keeps nobody out; it lets a damaged file be told
from a wrong password.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from pathlib import Path

from sopor.crypto.primitives import hkdf, open_sealed, seal
from sopor.errors import DamagedStore, SoporError
from sopor.keystore.protection import StoreKey
from sopor.keystore.records import DeviceSecrets, KnownAccount
from sopor.records import dataclass
from sopor_core import canonical
from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.errors import Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.limits import MIB

_LABEL = "sopor/1 device secrets"
_MAX_SEALED_BYTES = 2 * MIB


@dataclass(frozen=True, slots=True)
class AccountFile:
    """A parsed file: its secrets are still sealed, and ``known`` is not yet authenticated."""

    known: KnownAccount
    lock: Json
    sealed: bytes

    def encode(self) -> bytes:
        """Returns the file's bytes."""
        content: dict[str, Json] = {
            "v": 1,
            "account": self.known.to_json(),
            "lock": self.lock,
            "sealed": b64encode(self.sealed),
        }
        return canonical.encode({**content, "check": _check(content)}) + b"\n"

    def open(self, key: StoreKey) -> DeviceSecrets:
        """Opens the secrets, which authenticates ``known``; raises VerificationError."""
        derived = hkdf(key.reveal(), b"", _LABEL)
        what = "the secrets of the keystore"
        data = open_sealed(derived, self.sealed, _associated(self.known), Layer.ACCOUNT, what)
        return DeviceSecrets.from_json(canonical.decode(data))


def seal_account(
    known: KnownAccount, secrets: DeviceSecrets, key: StoreKey, lock: Json
) -> AccountFile:
    """Seals the secrets of an account."""
    derived = hkdf(key.reveal(), b"", _LABEL)
    data = canonical.encode(secrets.to_json())
    return AccountFile(known, lock, seal(derived, data, _associated(known)))


def parse_account(data: bytes) -> AccountFile:
    """Parses a file; raises VerificationError for one that is damaged or of a newer version."""
    if not data.endswith(b"\n"):
        raise VerificationError(Layer.PARSE, "the file is cut off")
    fields = Fields(canonical.decode(data[:-1]), "the file")
    fields.version()
    check = fields.text("check", 64)
    account, lock = fields.value("account"), fields.value("lock")
    sealed = fields.data("sealed", max_size=_MAX_SEALED_BYTES)
    fields.end()
    content: dict[str, Json] = {
        "v": 1,
        "account": account,
        "lock": lock,
        "sealed": b64encode(sealed),
    }
    if not hmac.compare_digest(check.encode(), _check(content).encode()):
        raise VerificationError(Layer.PARSE, "the file's checksum is wrong")
    return AccountFile(KnownAccount.from_json(account), lock, sealed)


def damaged(path: Path, error: SoporError) -> DamagedStore:
    """Returns the error that tells which file is damaged, and what to do."""
    return DamagedStore(
        f"{path} does not read back ({error.message})",
        hint=error.hint
        or "restore it from a backup, or move it away and run `sopor login` with your password "
        "and the secret key from the recovery kit",
    )


def _associated(known: KnownAccount) -> bytes:
    return _LABEL.encode("ascii") + b"\0" + canonical.encode(known.to_json())


def _check(content: dict[str, Json]) -> str:
    return b64encode(sha256(canonical.encode(content)).digest())
