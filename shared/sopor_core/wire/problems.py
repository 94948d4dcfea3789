"""The stable codes of problem documents, each with its status and title (RFC 9457, SPEC 10)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MEDIA_TYPE = "application/problem+json"


class Code(StrEnum):
    """Says what went wrong; clients decide by this, never by the text."""

    MALFORMED = "malformed"
    TOO_LARGE = "too-large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type"
    NOT_FOUND = "not-found"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    UNAUTHENTICATED = "unauthenticated"
    LOGIN_FAILED = "login-failed"
    SESSION_EXPIRED = "session-expired"
    DEVICE_REVOKED = "device-revoked"
    SIGN_ON_REQUIRED = "sign-on-required"
    SIGN_ON_REFUSED = "sign-on-refused"
    FORBIDDEN = "forbidden"
    LOGIN_TAKEN = "login-taken"
    ENTRY_REFUSED = "entry-refused"
    LOG_MOVED = "log-moved"
    MEMBERSHIP_MOVED = "membership-moved"
    HEADS_MOVED = "heads-moved"
    LOG_SHORTER = "log-shorter"
    LOG_DIVERGED = "log-diverged"
    PACK_MISSING = "pack-missing"
    PACK_MISMATCH = "pack-mismatch"
    NO_DIRECT = "no-direct"
    QUOTA_EXCEEDED = "quota-exceeded"
    INVITE_CLOSED = "invite-closed"
    PROJECT_ARCHIVED = "project-archived"
    PROJECT_DELETED = "project-deleted"
    ORGANIZATION_DELETED = "organization-deleted"
    RATE_LIMITED = "rate-limited"
    UPGRADE_REQUIRED = "upgrade-required"
    RANGE_NOT_SATISFIABLE = "range-not-satisfiable"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The HTTP status and the title that go with a code."""

    status: int
    title: str


MEANINGS: dict[Code, Meaning] = {
    Code.MALFORMED: Meaning(400, "The request is malformed"),
    Code.TOO_LARGE: Meaning(413, "The request is too large"),
    Code.UNSUPPORTED_MEDIA_TYPE: Meaning(415, "The media type is not supported"),
    Code.NOT_FOUND: Meaning(404, "There is no such thing"),
    Code.METHOD_NOT_ALLOWED: Meaning(405, "The method is not allowed here"),
    Code.UNAUTHENTICATED: Meaning(401, "An access token is needed"),
    Code.LOGIN_FAILED: Meaning(401, "The login failed"),
    Code.SESSION_EXPIRED: Meaning(401, "The session has expired"),
    Code.DEVICE_REVOKED: Meaning(401, "The device has been revoked"),
    Code.SIGN_ON_REQUIRED: Meaning(401, "Single sign-on is needed"),
    Code.SIGN_ON_REFUSED: Meaning(403, "The sign-on is not accepted"),
    Code.FORBIDDEN: Meaning(403, "The role does not allow this"),
    Code.LOGIN_TAKEN: Meaning(409, "The login name is taken"),
    Code.ENTRY_REFUSED: Meaning(422, "The entry does not verify"),
    Code.LOG_MOVED: Meaning(409, "The log has moved"),
    Code.MEMBERSHIP_MOVED: Meaning(409, "The membership has moved"),
    Code.HEADS_MOVED: Meaning(409, "A push came in between"),
    Code.LOG_SHORTER: Meaning(409, "The log is shorter here"),
    Code.LOG_DIVERGED: Meaning(409, "The log is another one here"),
    Code.PACK_MISSING: Meaning(422, "A pack of the entry is missing"),
    Code.PACK_MISMATCH: Meaning(422, "A pack does not have its id or size"),
    Code.NO_DIRECT: Meaning(404, "Packs come through the server"),
    Code.QUOTA_EXCEEDED: Meaning(403, "A limit of the plan is reached"),
    Code.INVITE_CLOSED: Meaning(410, "The invite is not open"),
    Code.PROJECT_ARCHIVED: Meaning(403, "The project is archived"),
    Code.PROJECT_DELETED: Meaning(410, "The project is deleted"),
    Code.ORGANIZATION_DELETED: Meaning(410, "The organization is deleted"),
    Code.RATE_LIMITED: Meaning(429, "Too many requests"),
    Code.UPGRADE_REQUIRED: Meaning(426, "The client is too old"),
    Code.RANGE_NOT_SATISFIABLE: Meaning(416, "The range is outside the pack"),
    Code.UNAVAILABLE: Meaning(503, "The service is not available now"),
    Code.INTERNAL: Meaning(500, "The service failed"),
}
