"""The two keys that people write down: secret key and recovery key (SPEC section 9).

Their text is made for copying by hand: no letters that look like digits, groups of four, and a
checksum that notices a mistyped character before any password is tried.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import ClassVar, NoReturn, Self

from sopor.crypto.secret import Secret
from sopor_core.errors import InvalidValue

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOKALIKES = str.maketrans("OIL", "011")
_KEY_BYTES = 16
_CHECKSUM_BYTES = 4
_LETTERS = (_KEY_BYTES + _CHECKSUM_BYTES) * 8 // 5
_GROUP = 4


class WrittenKey(Secret):
    """A key of 16 bytes with a written form: a prefix and eight groups of four characters."""

    SIZE = _KEY_BYTES
    PREFIX: ClassVar[str]
    NAME: ClassVar[str]
    __slots__ = ()

    def to_text(self) -> str:
        """Returns the written form, such as ``SK1-0123-...``."""
        number = int.from_bytes(self.reveal() + _checksum(self.NAME, self.reveal()), "big")
        shifts = range(5 * (_LETTERS - 1), -1, -5)
        letters = "".join(_ALPHABET[number >> shift & 31] for shift in shifts)
        groups = (letters[at : at + _GROUP] for at in range(0, _LETTERS, _GROUP))
        return "-".join((self.PREFIX, *groups))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads the written form in any case, with or without spaces and hyphens.

        Raises:
            InvalidValue: saying what is wrong; never repeating the key.
        """
        typed = "".join(text.split()).replace("-", "").upper() if text.isascii() else ""
        letters = typed.translate(_LOOKALIKES)
        if not letters.startswith(cls.PREFIX):
            _refuse(cls.NAME, f"it begins with {cls.PREFIX}-")
        letters = letters.removeprefix(cls.PREFIX)
        if len(letters) != _LETTERS:
            _refuse(
                cls.NAME, f"after {cls.PREFIX} it has {_LETTERS} characters, not {len(letters)}"
            )
        values = [_ALPHABET.find(letter) for letter in letters]
        if min(values) < 0:
            _refuse(cls.NAME, "it is written with digits and letters other than U")
        number = 0
        for value in values:
            number = number << 5 | value
        data = number.to_bytes(_KEY_BYTES + _CHECKSUM_BYTES, "big")
        key = data[:_KEY_BYTES]
        if not hmac.compare_digest(_checksum(cls.NAME, key), data[_KEY_BYTES:]):
            _refuse(cls.NAME, "a character is mistyped; compare it with what was written down")
        return cls(key)


class SecretKey(WrittenKey):
    """Strengthens the password; stays on the person's devices and in the recovery kit."""

    PREFIX = "SK1"
    NAME = "secret key"
    __slots__ = ()


class RecoveryKey(WrittenKey):
    """Opens the account without the password; stays in the recovery kit."""

    PREFIX = "RK1"
    NAME = "recovery key"
    __slots__ = ()


def _checksum(name: str, key: bytes) -> bytes:
    return sha256(f"sopor/1 {name}\0".encode("ascii") + key).digest()[:_CHECKSUM_BYTES]


def _refuse(name: str, rule: str) -> NoReturn:
    raise InvalidValue(f"this is not a {name}", hint=rule)
