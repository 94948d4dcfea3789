"""Prepares and stretches passwords (SPEC section 9; Argon2id is RFC 9106)."""

from __future__ import annotations

import unicodedata

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from sopor_core.account import KdfParameters
from sopor_core.errors import InvalidValue

SALT_BYTES = 16


def prepare_password(password: str) -> bytes:
    """Returns the password in NFKC and UTF-8, so that every keyboard types the same bytes.

    Raises:
        InvalidValue: the password is empty or holds what is not text.
    """
    try:
        prepared = unicodedata.normalize("NFKC", password).encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidValue(
            "the password holds characters that are not text", hint="type it again"
        ) from None
    if not prepared:
        raise InvalidValue("the password is empty", hint="type a password")
    return prepared


def stretch(password: str, salt: bytes, costs: KdfParameters) -> bytes:
    """Stretches a password to 32 bytes with Argon2id; takes ``costs.m`` KiB of memory.

    Raises:
        InvalidValue: as `prepare_password` does.
        VerificationError: layer ``kdf``, before anything is computed, if the costs are under the
            floor or over the ceiling.
    """
    costs.check()
    argon2 = Argon2id(salt=salt, length=32, iterations=costs.t, lanes=costs.p, memory_cost=costs.m)
    return argon2.derive(prepare_password(password))
