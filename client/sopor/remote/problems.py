"""Turns what a server refuses into the client's own errors (RFC 9457, SPEC section 10)."""

from __future__ import annotations

from sopor.errors import (
    LoginFailed,
    NotFound,
    PermissionDenied,
    QuotaExceeded,
    RateLimited,
    ServerFault,
    ServerRefused,
    SessionExpired,
    SignOnFailed,
    SignOnRequired,
    SoporError,
    StateConflict,
    TheirFault,
)
from sopor.records import dataclass
from sopor_core import canonical
from sopor_core.canonical import Json
from sopor_core.errors import ForkError, RollbackError, VerificationError
from sopor_core.wire.problems import Code

MAX_PROBLEM_BYTES = 64 * 1024
_MAX_TEXT = 500
_LOG_IN = "run `sopor login`"


@dataclass(frozen=True, slots=True)
class Problem:
    """What a problem document says, as far as it is of use; its texts are the server's."""

    status: int
    code: str
    detail: str
    hint: str | None = None
    request_id: str | None = None

    @classmethod
    def parse(cls, status: int, body: bytes) -> Problem:
        """Reads a problem document, or makes do with the status where there is none."""
        try:
            value = canonical.parse_json(body[:MAX_PROBLEM_BYTES])
        except VerificationError:
            value = None
        return cls.from_json(status, value)

    @classmethod
    def from_json(cls, status: int, value: Json) -> Problem:
        """Reads a parsed problem document, however odd."""
        members = value if isinstance(value, dict) else {}
        return cls(
            status,
            _text(members.get("code")) or "",
            _text(members.get("detail")) or f"it answered with status {status}",
            _text(members.get("hint")),
            _text(members.get("request_id")),
        )


def _text(value: Json) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    # Terminals obey control characters, so a server must not be able to print any.
    return "".join(c if c.isprintable() else "?" for c in value[:_MAX_TEXT])


def error_of(problem: Problem, server: str, retry_after: float | None = None) -> SoporError:
    """Returns the error that a problem means for the caller.

    Args:
        problem: what the server answered.
        server: its address, for the message.
        retry_after: what its header ``Retry-After`` says, in seconds.
    """
    code = problem.code
    if code in _LOGS:
        return _LOGS[Code(code)]()
    if code in _REFUSALS:
        kind, message, hint = _REFUSALS[Code(code)]
        said = message or _said(problem, server)
        return kind(said, hint=hint or problem.hint, problem=code)
    if code == Code.RATE_LIMITED or problem.status == 429:
        return _rate_limited(server, retry_after)
    if code == Code.LOGIN_TAKEN:
        hint = "choose another one, or run `sopor login` if it is yours"
        return StateConflict("the login name is taken", hint=hint)
    return _by_status(problem, server, retry_after)


def _rate_limited(server: str, retry_after: float | None) -> SoporError:
    hint = f"try again in {retry_after:.0f} s" if retry_after else "try again later"
    return RateLimited(f"{server} asks to slow down", hint=hint, retry_after=retry_after)


def _by_status(problem: Problem, server: str, retry_after: float | None) -> SoporError:
    said, hint, code = _said(problem, server), problem.hint, problem.code or None
    if problem.status >= 500:
        trace = f" (request {problem.request_id})" if problem.request_id else ""
        said = f"{server} failed: {problem.detail}{trace}"
        return ServerFault(said, hint=hint or "try again later", retry_after=retry_after)
    if problem.status == 404:
        return NotFound(f"{server} has no such thing: {problem.detail}", hint=hint)
    kind = {401: SessionExpired, 403: PermissionDenied}.get(problem.status, ServerRefused)
    return kind(said, hint=hint or (_LOG_IN if problem.status == 401 else None), problem=code)


def _said(problem: Problem, server: str) -> str:
    return f"{server} refused: {problem.detail}"


_REFUSALS: dict[Code, tuple[type[TheirFault], str | None, str | None]] = {
    Code.LOGIN_FAILED: (
        LoginFailed,
        "the login name, the password or the secret key is wrong",
        "check all three; the secret key is in the recovery kit",
    ),
    Code.UNAUTHENTICATED: (SessionExpired, "the session of this device is over", _LOG_IN),
    Code.SESSION_EXPIRED: (SessionExpired, "the session of this device is over", _LOG_IN),
    Code.DEVICE_REVOKED: (SessionExpired, "this device was revoked", _LOG_IN),
    Code.SIGN_ON_REQUIRED: (SignOnRequired, None, _LOG_IN),
    Code.SIGN_ON_REFUSED: (SignOnFailed, None, None),
    Code.FORBIDDEN: (PermissionDenied, None, None),
    Code.QUOTA_EXCEEDED: (QuotaExceeded, None, None),
    Code.UPGRADE_REQUIRED: (
        ServerRefused,
        None,
        "upgrade sopor, for example with `pip install --upgrade sopor`, then try again",
    ),
}


def _shorter() -> SoporError:
    return RollbackError(
        "the server knows fewer entries of the project than this device has verified",
        hint="nothing here was changed; ask who runs the server: if a backup was restored, "
        "`sopor repair` brings it forward, else it hides what it had",
    )


def _diverged() -> SoporError:
    return ForkError(
        "the server shows another history of the project than this device has verified",
        hint="nothing here was changed; `sopor repair` shows both sides; compare them with another "
        "member's `sopor log`, and ask who runs the server",
    )


_LOGS = {Code.LOG_SHORTER: _shorter, Code.LOG_DIVERGED: _diverged}
