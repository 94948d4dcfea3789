"""Base64url without padding, strictly: one text for one byte string (SPEC section 1)."""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64

from sopor_core.errors import Layer, VerificationError

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*\Z")
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
# What a text of 4n + 2 or 4n + 3 characters may end with: the unused bits are zero.
_LAST = {2: "AQgw", 3: "AEIMQUYcgkosw048"}
_PADDING = {0: b"", 2: b"==", 3: b"="}


def b64encode(data: bytes) -> str:
    """Encodes bytes as base64url without padding."""
    return b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URL).decode("ascii")


def b64decode(text: str) -> bytes:
    """Decodes base64url without padding.

    Raises:
        VerificationError: layer ``parse``, for other characters, padding, or unused bits set.
    """
    odd = len(text) % 4
    if odd not in _PADDING or not _ALPHABET.match(text):
        raise VerificationError(Layer.PARSE, "not base64url")
    if odd and text[-1] not in _LAST[odd]:
        raise VerificationError(Layer.PARSE, "base64url with unused bits set")
    return a2b_base64(text.encode("ascii").translate(_FROM_URL) + _PADDING[odd])
