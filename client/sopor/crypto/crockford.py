"""Crockford's base32 with a checksum: the form of everything that people copy by hand (SPEC 9).

No letters that look like digits, groups of four, and a checksum that notices a mistyped character.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import NoReturn

from sopor_core.errors import InvalidValue

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOKALIKES = str.maketrans("OIL", "011")
_GROUP = 4


def write(prefix: str, name: str, data: bytes, checksum_bytes: int = 4) -> str:
    """Returns ``PREFIX-0123-...``; data and checksum together are a multiple of five bytes."""
    checked = data + _checksum(name, data, checksum_bytes)
    number, count = int.from_bytes(checked, "big"), len(checked) * 8 // 5
    letters = "".join(_ALPHABET[number >> shift & 31] for shift in range(5 * (count - 1), -1, -5))
    groups = (letters[at : at + _GROUP] for at in range(0, count, _GROUP))
    return "-".join((prefix, *groups))


def read(prefix: str, name: str, text: str, size: int, checksum_bytes: int = 4) -> bytes:
    """Returns the ``size`` bytes of a text in any case, with or without spaces and hyphens.

    Raises:
        InvalidValue: saying what is wrong; never repeating the text.
    """
    typed = "".join(text.split()).replace("-", "").upper() if text.isascii() else ""
    letters = typed.translate(_LOOKALIKES)
    # A prefix may itself have letters that look like digits.
    written = prefix.translate(_LOOKALIKES)
    if not letters.startswith(written):
        _refuse(name, f"it begins with {prefix}-")
    letters = letters.removeprefix(written)
    count = (size + checksum_bytes) * 8 // 5
    if len(letters) != count:
        _refuse(name, f"after {prefix} it has {count} characters, not {len(letters)}")
    values = [_ALPHABET.find(letter) for letter in letters]
    if min(values) < 0:
        _refuse(name, "it is written with digits and letters other than U")
    number = 0
    for value in values:
        number = number << 5 | value
    checked = number.to_bytes(size + checksum_bytes, "big")
    data = checked[:size]
    if not hmac.compare_digest(_checksum(name, data, checksum_bytes), checked[size:]):
        _refuse(name, "a character is mistyped; compare it with what was written down")
    return data


def _checksum(name: str, data: bytes, size: int) -> bytes:
    return sha256(f"sopor/1 {name}\0".encode("ascii") + data).digest()[:size]


def _refuse(name: str, rule: str) -> NoReturn:
    article = "an" if name[0] in "aeiou" else "a"
    raise InvalidValue(f"this is not {article} {name}", hint=rule)
