"""What the server answers instead of doing what was asked.

SoporError
|- Refused           one problem code (SPEC 10), a message and a hint; becomes a problem document
|  `- Behind         ... and what the client lacks, as parts
|- StoreError        `sopor_server.ports.errors`
`- InvalidConfig     the settings in the environment
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sopor_core.errors import InvalidValue, SoporError
from sopor_core.ids import ProjectId
from sopor_core.push_entry import Citation
from sopor_core.wire.parts import Part
from sopor_core.wire.problems import Code


class Refused(SoporError):
    """Says that a request is refused; ``problem`` tells why, ``retry_after`` is in seconds.

    ``heads`` are those of the push logs that have moved.
    """

    code = "refused"

    def __init__(
        self,
        problem: Code,
        message: str,
        *,
        hint: str | None = None,
        retry_after: int | None = None,
        size: int | None = None,
        heads: Mapping[ProjectId, Citation] | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.problem = problem
        self.retry_after = retry_after
        self.size = size
        self.heads = heads


class Behind(Refused):
    """Says that a log has moved, and carries what the client lacks of it.

    ``head`` and ``members`` are the present heads, ``lacks`` the entries and packs; ``more`` tells
    that there is more of them.
    """

    def __init__(
        self,
        problem: Code,
        message: str,
        *,
        head: Citation,
        members: Citation,
        lacks: Sequence[Part],
        more: bool,
    ) -> None:
        super().__init__(problem, message, hint="take in what is new, then try again")
        self.head = head
        self.members = members
        self.lacks = lacks
        self.more = more


class InvalidConfig(InvalidValue):
    """Says what is wrong with the settings, all of it at once."""

    code = "invalid-config"


def not_found(what: str) -> Refused:
    """Returns the one answer for what is not there and for what the caller may not see."""
    return Refused(
        Code.NOT_FOUND, f"there is no such {what}", hint="check the id and which account is used"
    )


def malformed(message: str, hint: str | None = None) -> Refused:
    """Returns the answer to a request of the wrong shape."""
    return Refused(Code.MALFORMED, message, hint=hint)
