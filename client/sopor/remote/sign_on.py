"""Where a server wants people to sign on; small, since every answer about a server holds it."""

from __future__ import annotations

from dataclasses import field

from sopor.records import dataclass


@dataclass(frozen=True, slots=True)
class SignOnSettings:
    """Where and how to sign on, as a server tells it; ``port`` 0 means any (SPEC section 9.1)."""

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] = ("openid",)
    port: int = 0
    required: bool = False
