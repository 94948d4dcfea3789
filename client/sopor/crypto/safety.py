"""Safety numbers: what two people compare to know that they have each other's keys (SPEC 8.3)."""

from __future__ import annotations

from hashlib import sha256

from sopor_core.identity import PublicIdentity

_GROUPS, _GROUP_BYTES, _DIGITS = 6, 5, 5


def safety_number(one: PublicIdentity, other: PublicIdentity) -> str:
    """Returns 60 digits in groups of five, the same for both people."""
    return " ".join(sorted((_digits(one), _digits(other))))


def _digits(identity: PublicIdentity) -> str:
    data = b"sopor/1 safety number\0" + identity.account + identity.signing + identity.encryption
    digest = sha256(data).digest()
    numbers = (
        int.from_bytes(digest[at : at + _GROUP_BYTES], "big") % 10**_DIGITS
        for at in range(0, _GROUPS * _GROUP_BYTES, _GROUP_BYTES)
    )
    return " ".join(f"{number:0{_DIGITS}}" for number in numbers)
