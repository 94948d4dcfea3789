"""How the library gets a password without talking to anybody: the caller hands in a source."""

from __future__ import annotations

from dataclasses import field
from typing import Protocol

from sopor.errors import InputNeeded
from sopor.records import dataclass


@dataclass(frozen=True, slots=True)
class PasswordRequest:
    """Says whose password is needed."""

    login: str
    server: str


class PasswordSource(Protocol):
    """Gives the password of an account when, and only when, something must be unlocked."""

    def password(self, request: PasswordRequest) -> str:
        """Returns the password as typed.

        Raises:
            InputNeeded: nobody may be asked.
        """


class NoPasswords:
    """Refuses to give a password: what ``--no-input`` means."""

    def password(self, request: PasswordRequest) -> str:
        """Raises InputNeeded."""
        raise InputNeeded(
            f"the password of {request.login} at {request.server} is needed",
            hint="give it with --password-stdin or in a file that SOPOR_PASSWORD_FILE names",
        )


@dataclass(frozen=True, slots=True)
class FixedPassword:
    """Gives the same password for every account: for scripts and tests."""

    value: str = field(repr=False)

    def password(self, request: PasswordRequest) -> str:  # noqa: ARG002 (the port's signature)
        """Returns the password."""
        return self.value
