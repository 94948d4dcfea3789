"""What a failed call means for the caller, for every status that gRPC knows.

Source: https://cloud.google.com/firestore/docs/understand-error-codes
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPICallError


class Moved(Exception):
    """Says that a commit was refused, mostly since a precondition does not hold.

    An update time later than the document's, as one has after a restore, is refused as an invalid
    argument, which is not told apart here: who reads again and meets it again gives up.
    """


class Contended(Exception):
    """Says that a commit was not carried out, since another one had its documents."""


class Uncertain(Exception):
    """Says that a commit may have been carried out, now or in a moment."""


class Outcome(Enum):
    """What is known after a call that failed."""

    MOVED = "a precondition does not hold, or an argument is wrong; nothing was carried out"
    CONTENDED = "nothing was carried out, the same call may succeed in a moment"
    UNCERTAIN = "nobody knows whether it was carried out"
    REFUSED = "nothing was carried out, and the same call will fail again"


_OUTCOMES = {
    "FAILED_PRECONDITION": Outcome.MOVED,
    "ALREADY_EXISTS": Outcome.MOVED,
    "NOT_FOUND": Outcome.MOVED,
    "INVALID_ARGUMENT": Outcome.MOVED,
    "ABORTED": Outcome.CONTENDED,
    "RESOURCE_EXHAUSTED": Outcome.CONTENDED,
    "UNAVAILABLE": Outcome.UNCERTAIN,
    "DEADLINE_EXCEEDED": Outcome.UNCERTAIN,
    "CANCELLED": Outcome.UNCERTAIN,
    "INTERNAL": Outcome.UNCERTAIN,
    "UNKNOWN": Outcome.UNCERTAIN,
    "DATA_LOSS": Outcome.UNCERTAIN,
    "PERMISSION_DENIED": Outcome.REFUSED,
    "UNAUTHENTICATED": Outcome.REFUSED,
    "UNIMPLEMENTED": Outcome.REFUSED,
    "OUT_OF_RANGE": Outcome.REFUSED,
}


def outcome_of(error: GoogleAPICallError) -> Outcome:
    """Returns what a failure means; one without a status, or with an unknown one, is uncertain."""
    return _OUTCOMES.get(status_of(error), Outcome.UNCERTAIN)


def status_of(error: GoogleAPICallError) -> str:
    """Returns the name of gRPC's status, empty where there is none."""
    status = error.grpc_status_code
    return "" if status is None else str(status.name)


def describe(error: GoogleAPICallError) -> str:
    """Returns status and message, cut to what fits into a line of a log."""
    return f"{status_of(error) or type(error).__name__}: {error.message[:300]}"
