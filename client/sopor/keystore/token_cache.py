"""Keeps an access token between two commands, so that most of them need no refresh.

The file is a cache: whatever is wrong with it, it counts as empty.
"""

from __future__ import annotations

from dataclasses import field
from pathlib import Path

from sopor.crypto.primitives import hkdf, open_sealed, seal
from sopor.disk import read_private, write_private
from sopor.errors import StorageFault
from sopor.keystore.protection import StoreKey
from sopor.records import dataclass
from sopor_core import canonical
from sopor_core.errors import Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.ids import AccountId, DeviceId

_LABEL = "sopor/1 access token cache"


@dataclass(frozen=True, slots=True)
class CachedToken:
    """An access token; ``expires`` is in milliseconds since 1970 by this device's clock."""

    value: str = field(repr=False)
    expires: int


class TokenCache:
    """The cached access token of one device."""

    def __init__(self, path: Path, key: StoreKey, account: AccountId, device: DeviceId) -> None:
        """Takes the file and the key of the account's own file."""
        self._path = path
        self._key = hkdf(key.reveal(), b"", _LABEL)
        self._associated = _LABEL.encode("ascii") + b"\0" + account + device

    def load(self) -> CachedToken | None:
        """Returns the token, or None if there is none that this device can use."""
        try:
            data = read_private(self._path)
            return None if data is None else self._parse(data)
        except (StorageFault, VerificationError):
            return None

    def _parse(self, data: bytes) -> CachedToken:
        plain = open_sealed(self._key, data, self._associated, Layer.ACCOUNT, "the cached token")
        fields = Fields(canonical.decode(plain), "the cached token")
        token = CachedToken(fields.text("value", 4096), fields.integer("expires"))
        fields.end()
        return token

    def save(self, value: str, expires: int) -> None:
        """Replaces the token; a disk that does not take it costs a refresh next time, no more."""
        plain = canonical.encode({"value": value, "expires": expires})
        try:
            write_private(self._path, seal(self._key, plain, self._associated), durable=False)
        except StorageFault:
            self._path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Forgets the token."""
        self._path.unlink(missing_ok=True)
