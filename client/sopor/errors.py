"""Every error of the client, by whose fault it is and by what the caller can do about it.

    SoporError (sopor_core.errors)
    |- YourFault                  what was asked for can't be done as things stand
    |  |- InvalidInput            a file, document, name or argument is not acceptable
    |  |- InputNeeded             something must be asked, and asking is forbidden
    |  |- NotFound                no such commit, branch, document, project, working copy
    |  |- StateConflict           uncommitted changes, an unfinished merge, a name that exists
    |  |  |- MergeConflicts       a merge stopped at conflicts; they are kept
    |  |  |- EditsInTheWay        uncommitted changes of documents that are about to change
    |  |  `- SecretsFound         a commit would add what looks like a secret
    |  `- NotLoggedIn             no account is known for this server
    |- TheirFault                 the server refused, knowing who asks
    |  |- LoginFailed             wrong password, secret key or login
    |  |- SessionExpired          the session is over; log in again
    |  |  `- SignOnRequired       ... with a sign-on at the issuer that the server names
    |  |- SignOnFailed            the sign-on at the issuer did not succeed, or does not count
    |  |- PermissionDenied        the role does not allow it
    |  |- QuotaExceeded           a limit of the plan is reached
    |  |- PushRejected            the branch moved; pull, then push again
    |  `- ServerRefused           anything else that the server refused
    |- Weather                    try again later
    |  |- ServerUnreachable       no answer, or none in time
    |  |- ServerFault             the server answered that it failed
    |  `- RateLimited             too many requests
    |- VerificationError          attack or corruption (sopor_core.errors)
    |  |- RollbackError
    |  `- ForkError
    `- StorageFault               this machine's disk
       |- DamagedStore            `.sopor` or the keystore does not read back
       |- DiskFull                no space, quota or permission to write
       `- Busy                    another sopor process works in this working copy

`exit_code` maps the tree to the exit codes that the README documents.
"""

from __future__ import annotations

from typing import ClassVar

from sopor_core.errors import ForkError, InvalidValue, RollbackError, SoporError, VerificationError

__all__ = [
    "Busy",
    "DamagedStore",
    "DiskFull",
    "EditsInTheWay",
    "ForkError",
    "InputNeeded",
    "InvalidInput",
    "InvalidValue",
    "LoginFailed",
    "MergeConflicts",
    "NotFound",
    "NotLoggedIn",
    "PermissionDenied",
    "PushRejected",
    "QuotaExceeded",
    "RateLimited",
    "RollbackError",
    "SecretsFound",
    "ServerFault",
    "ServerRefused",
    "ServerUnreachable",
    "SessionExpired",
    "SignOnFailed",
    "SignOnRequired",
    "SoporError",
    "StateConflict",
    "StorageFault",
    "TheirFault",
    "VerificationError",
    "Weather",
    "YourFault",
    "exit_code",
    "fewer_members",
]


class YourFault(SoporError):
    """Something that the caller can put right."""

    code: ClassVar[str] = "invalid"


class InvalidInput(YourFault):
    """A file, a document, a name or an argument is not acceptable."""

    code = "invalid-input"


class InputNeeded(YourFault):
    """A secret or a decision is needed, and ``--no-input`` forbids to ask."""

    code = "input-needed"


class NotFound(YourFault):
    """There is no such commit, branch, document, project or working copy."""

    code = "not-found"


class StateConflict(YourFault):
    """The state of the working copy or of its branches is in the way."""

    code = "state-conflict"


class MergeConflicts(StateConflict):
    """A merge stopped at conflicts, kept in the store until they are resolved; or would do so.

    ``documents`` are those in conflict, where a merge was not begun.
    """

    code = "merge-conflicts"

    def __init__(
        self, message: str, *, hint: str | None = None, documents: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.documents = documents


class EditsInTheWay(StateConflict):
    """Uncommitted changes touch ``documents`` that are about to change; nothing was changed."""

    code = "edits-in-the-way"

    def __init__(
        self, message: str, *, hint: str | None = None, documents: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.documents = documents


class SecretsFound(StateConflict):
    """A commit would add what looks like secrets; nothing was committed."""

    code = "secrets-found"


class NotLoggedIn(YourFault):
    """No account for this server is known on this device."""

    code = "not-logged-in"


class TheirFault(SoporError):
    """The server understood and refused; ``problem`` is its stable code where there is one."""

    code: ClassVar[str] = "refused"

    def __init__(
        self, message: str, *, hint: str | None = None, problem: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.problem = problem


class LoginFailed(TheirFault):
    """The login name, password or secret key is wrong."""

    code = "login-failed"


class SessionExpired(TheirFault):
    """The session of this device is over."""

    code = "session-expired"


class SignOnRequired(SessionExpired):
    """The session needs a sign-on, or one that the issuer no longer continues."""

    code = "sign-on-required"


class SignOnFailed(TheirFault):
    """The sign-on at the issuer did not succeed, or the server does not accept it."""

    code = "sign-on-failed"


class PermissionDenied(TheirFault):
    """The account's role does not allow what was asked."""

    code = "permission-denied"


class QuotaExceeded(TheirFault):
    """A limit of the organization's plan is reached."""

    code = "quota-exceeded"


class PushRejected(TheirFault):
    """The branch moved on the server since the last pull."""

    code = "push-rejected"


class ServerRefused(TheirFault):
    """The server refused for another reason."""

    code = "server-refused"


class Weather(SoporError):
    """Something that may be over by itself; ``retry_after`` is in seconds where that was said."""

    code: ClassVar[str] = "unavailable"

    def __init__(
        self, message: str, *, hint: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class ServerUnreachable(Weather):
    """The server gave no answer, or none in time."""

    code = "server-unreachable"


class ServerFault(Weather):
    """The server answered that it failed."""

    code = "server-fault"


class RateLimited(Weather):
    """The server asks to slow down."""

    code = "rate-limited"


class StorageFault(SoporError):
    """This machine's disk failed or holds something unreadable."""

    code: ClassVar[str] = "storage"


class DamagedStore(StorageFault):
    """A file under ``.sopor`` or the keystore does not read back."""

    code = "damaged-store"


class DiskFull(StorageFault):
    """There is no space, or no permission, to write."""

    code = "disk-full"


class Busy(StorageFault):
    """Another process works in this working copy."""

    code = "busy"


_EXIT_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (RollbackError, 11),
    (ForkError, 11),
    (VerificationError, 10),
    (InputNeeded, 13),
    (NotFound, 3),
    (StateConflict, 4),
    (NotLoggedIn, 6),
    (YourFault, 9),
    (InvalidValue, 9),
    (PushRejected, 5),
    (LoginFailed, 6),
    (SessionExpired, 6),
    (SignOnFailed, 6),
    (TheirFault, 7),
    (Weather, 8),
    (StorageFault, 12),
    (SoporError, 9),
    (KeyboardInterrupt, 130),
)


def exit_code(error: BaseException) -> int:
    """Returns the documented exit code of an error: 1 for one that is none of ours."""
    for kind, code in _EXIT_CODES:
        if isinstance(error, kind):
            return code
    return 1


def fewer_members(shown: int, known: int) -> RollbackError:
    """Returns the error for a server that shows fewer membership entries than were verified."""
    return RollbackError(
        f"the server shows {shown} membership entries where {known} were verified before",
        hint="ask who runs the server: if a backup was restored, `sopor repair` helps",
    )
