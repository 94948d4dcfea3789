"""Base64url without padding, strictly: one text for one byte string (SPEC section 1)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from sopor_core.errors import Layer, VerificationError

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*\Z")


def b64encode(data: bytes) -> str:
    """Encodes bytes as base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64decode(text: str) -> bytes:
    """Decodes base64url without padding.

    Raises:
        VerificationError: layer ``parse``, for other characters, padding, or unused bits set.
    """
    if not _ALPHABET.match(text) or len(text) % 4 == 1:
        raise VerificationError(Layer.PARSE, "not base64url")
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64encode(data) != text:
        raise VerificationError(Layer.PARSE, "base64url with unused bits set")
    return data
