"""The outer bytes of a pack: header, frame cipher, padding (SPEC section 7).

The key belongs to one pack alone, as the salt in its header does; so frame numbers can be nonces.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sopor.crypto.keys import ProjectKeys
from sopor.crypto.primitives import TAG_BYTES, Buffer
from sopor.records import dataclass
from sopor_core.errors import Layer, VerificationError

MAGIC = b"SOPK"
VERSION = 1
SUITE = 1
HEADER_BYTES = 46
SALT_BYTES = 32
LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class PackHeader:
    """The part of a pack that is not encrypted; all frames authenticate it."""

    epoch: int
    index_size: int
    salt: bytes

    def encode(self) -> bytes:
        """Returns the 46 bytes of the header."""
        numbers = self.epoch.to_bytes(4, "big") + self.index_size.to_bytes(4, "big")
        return MAGIC + bytes((VERSION, SUITE)) + numbers + self.salt

    @classmethod
    def parse(cls, data: bytes) -> PackHeader:
        """Parses the first 46 bytes of a pack; raises VerificationError (``pack``)."""
        if len(data) != HEADER_BYTES or data[:4] != MAGIC:
            raise VerificationError(Layer.PACK, "not a pack")
        if (data[4], data[5]) != (VERSION, SUITE):
            raise VerificationError(
                Layer.PACK,
                f"a pack has version {data[4]} and suite {data[5]}; this program reads 1 and 1",
                hint="upgrade sopor and try again",
            )
        epoch, size = int.from_bytes(data[6:10], "big"), int.from_bytes(data[10:14], "big")
        if size < LENGTH_BYTES + TAG_BYTES:
            raise VerificationError(Layer.PACK, "a pack's index is too short")
        return cls(epoch, size, data[14:])


class FrameCipher:
    """Encrypts and decrypts the frames of one pack (the STREAM construction)."""

    def __init__(self, keys: ProjectKeys, header: PackHeader) -> None:
        """Derives the pack's key; raises VerificationError (``epoch``) if the epoch is unknown."""
        self._cipher = AESGCM(keys.pack_key(header.epoch, header.salt))
        self._associated = b"sopor/1 pack\0" + keys.project + header.encode()

    def encrypt(self, number: int, last: bool, plaintext: Buffer) -> bytes:
        """Returns the ciphertext of a frame, 16 bytes longer than its plaintext."""
        return self._cipher.encrypt(_nonce(number, last), plaintext, self._associated)

    def decrypt(self, number: int, last: bool, ciphertext: Buffer) -> bytes:
        """Returns the plaintext of a frame; raises VerificationError (``frame``)."""
        try:
            return self._cipher.decrypt(_nonce(number, last), ciphertext, self._associated)
        except InvalidTag:
            raise VerificationError(
                Layer.FRAME, f"frame {number} of a pack is not authentic"
            ) from None


def _nonce(number: int, last: bool) -> bytes:
    return bytes(7) + number.to_bytes(4, "big") + bytes((last,))


def padme(length: int) -> int:
    """Rounds a length up so that it tells little (Padmé: at most 12 % more, less for long ones)."""
    exponent = length.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return (length + step - 1) // step * step
