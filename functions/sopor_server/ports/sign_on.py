"""The port to an OpenID issuer: who says that a person is a person of the organization (SPEC 9.1).

The server keeps no secret of the issuer's users: it sees their ID tokens and forgets them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from sopor_server.ports.errors import StoreError


class Mode(StrEnum):
    """Who must sign on at the issuer: who has once, or everybody."""

    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class SignOnSettings:
    """The issuer, and whom of it the server takes.

    ``client_secret`` goes to every client, as an issuer that asks desktop programs for one knows.
    ``domains`` are those of the e-mail addresses that are taken, in lower case; None takes all.
    ``max_age`` is in seconds. ``port`` is the one that clients listen on, 0 for any.
    """

    mode: Mode
    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    domains: frozenset[str] | None = frozenset()
    max_age: int = 300
    port: int = 0


class IdTokenInvalid(StoreError):
    """Says that an ID token is not of the issuer; the message tells what is wrong with it."""


class IssuerUnavailable(StoreError):
    """Says that the issuer's keys cannot be had now; the same call may succeed later."""


class IdTokens(Protocol):
    """Knows the keys of one issuer. May be used from many threads at once."""

    def claims(self, token: str) -> Mapping[str, Any]:
        """Returns the claims of an ID token that the issuer signed; none of them is checked.

        Raises:
            IdTokenInvalid: it is none, or not signed by a key of the issuer with RS256, ES256 or
                EdDSA.
            IssuerUnavailable: the issuer does not answer, or not as an issuer does.
        """
