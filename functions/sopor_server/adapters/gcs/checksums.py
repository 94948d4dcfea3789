"""CRC-32C as Cloud Storage tells it: of bytes, and of blobs that are joined (RFC 3720, B.4)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable

_POLYNOMIAL = 0x82F63B78
_ONE = 1 << 31
_ONE_BYTE = _ONE >> 8


def crc32c(data: bytes) -> str:
    """Returns the checksum of bytes: four of them, big-endian, in base64."""
    import google_crc32c

    checksum: int = google_crc32c.value(data)
    return _written(checksum)


def joined(parts: Iterable[tuple[int, str]]) -> str:
    """Returns the checksum of blobs one after the other, from the size and checksum of each.

    What Cloud Storage says of a composed object is compared with this, without reading it.
    """
    checksum = 0
    for size, part in parts:
        number = int.from_bytes(b64decode(part), "big")
        checksum = _times(_zeros(size), checksum) ^ number
    return _written(checksum)


def _zeros(count: int) -> int:
    """Returns what the checksum before ``count`` more bytes is multiplied by: x^(8 * count)."""
    result, square = _ONE, _ONE_BYTE
    while count:
        if count & 1:
            result = _times(result, square)
        square = _times(square, square)
        count >>= 1
    return result


def _times(left: int, right: int) -> int:
    """Multiplies two polynomials over GF(2); the highest of 32 bits is the constant term."""
    product = 0
    for place in range(32):
        if left & (_ONE >> place):
            product ^= right
        right = (right >> 1) ^ (_POLYNOMIAL if right & 1 else 0)
    return product


def _written(checksum: int) -> str:
    return b64encode(checksum.to_bytes(4, "big")).decode("ascii")
