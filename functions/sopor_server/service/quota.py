"""What an organization may use: by its license, else by the settings of the server (SPEC 8.4).

A limit of 0 is none. A license counts as long as it has not expired and the key that the server
knows now has signed it. What is there when a limit sinks stays; nothing is added to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sopor_core.errors import Layer, VerificationError
from sopor_core.license import License
from sopor_core.wire.problems import Code
from sopor_server.errors import Refused
from sopor_server.ports.records import Organization
from sopor_server.service import state
from sopor_server.service.context import Context
from sopor_server.service.state import State


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that hold; ``plan`` is that of the license, None for the server's settings."""

    seats: int
    projects: int
    storage: int
    plan: str | None = None

    def advice(self, setting: str) -> str:
        """Returns whom to ask for more."""
        if self.plan is None:
            return f"ask who runs the server to raise {setting}"
        return f"ask who runs the server for a larger plan than {self.plan!r}"


def limits(context: Context, found: State) -> Limits:
    """Returns the limits that hold for an organization now."""
    license_ = found.license
    if license_ is not None and _counts(context, license_):
        return Limits(license_.seats, license_.projects, license_.storage, license_.plan)
    return Limits(context.quota_seats, context.quota_projects, context.quota_bytes)


def check(context: Context, org: Organization, added: int) -> None:
    """Raises Refused (``quota-exceeded``) if the organization may not store ``added`` more bytes.

    Pushes that arrive in the same moment do not see each other, so that the limit may be passed by
    what is under way.
    """
    held = limits(context, state.of(org))
    if held.storage and org.bytes + added > held.storage:
        raise Refused(
            Code.QUOTA_EXCEEDED,
            f"the organization may store {held.storage} bytes, uses {org.bytes},"
            f" and {added} more came",
            hint=f"delete a project that nobody needs, or {held.advice('SOPOR_QUOTA_BYTES')}",
        )


def check_growth(context: Context, before: State, after: State) -> None:
    """Raises Refused (``quota-exceeded``) if a membership entry adds what the limits forbid.

    The entry is appended only to the very state ``before``, so nothing can slip by.
    """
    held = limits(context, before)
    if held.seats and after.seats > max(before.seats, held.seats):
        raise Refused(
            Code.QUOTA_EXCEEDED,
            f"the organization may have {held.seats} seats, and {len(before.members)} members and"
            f" {len(before.invites)} open invites take {before.seats}",
            hint="cancel an invite or remove a member, or " + held.advice("SOPOR_QUOTA_SEATS"),
        )
    count, had = len(after.projects), len(before.projects)
    if held.projects and count > max(had, held.projects):
        raise Refused(
            Code.QUOTA_EXCEEDED,
            f"the organization may have {held.projects} projects, and has {had}",
            hint="delete a project that nobody needs, or " + held.advice("SOPOR_QUOTA_PROJECTS"),
        )


def check_license(context: Context, license_: License) -> None:
    """Checks a license before it is installed.

    Raises:
        Refused: ``forbidden``: this server takes no licenses.
        VerificationError: another key signed it (``signature``), or it has expired
            (``membership``).
    """
    if context.license_key is None:
        raise Refused(
            Code.FORBIDDEN,
            "this server takes no licenses",
            hint="ask who runs it to set SOPOR_LICENSE_KEY",
        )
    license_.verify_signature(context.license_key)
    if _expired(context, license_):
        raise VerificationError(
            Layer.MEMBERSHIP,
            "the license has expired",
            hint="ask who runs the server for a new one",
        )


def _counts(context: Context, license_: License) -> bool:
    if context.license_key is None or _expired(context, license_):
        return False
    try:
        license_.verify_signature(context.license_key)
    except VerificationError:
        return False
    return True


def _expired(context: Context, license_: License) -> bool:
    return license_.expires is not None and license_.expires < context.now()
