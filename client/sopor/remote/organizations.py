"""What an account asks its server about organizations; nothing that comes back is verified."""

from __future__ import annotations

from collections.abc import Mapping

from sopor.records import dataclass
from sopor.remote import listings
from sopor.remote.answers import MAX_ANSWER_BYTES, parse_entries
from sopor.remote.posting import Caller, post_parts
from sopor.remote.transport import Call
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import InviteToken, OrgId, ProjectId
from sopor_core.limits import MIB
from sopor_core.membership import MembershipEntry
from sopor_core.push_entry import Citation
from sopor_core.wire.parts import Part, PartKind
from sopor_core.wire.routes import Operation

_MAX_LISTING_BYTES = 16 * MIB
MAX_LOG_BYTES = 256 * MIB
"""The most bytes of a log that are taken at once, so that a server cannot go on for ever."""


@dataclass(frozen=True, slots=True)
class Heads:
    """Where the server says that an organization's logs end."""

    members: Citation
    projects: Mapping[ProjectId, Citation]


class OrganizationsApi:
    """The organizations of one account at one server.

    Every method raises what `sopor.remote.Remote` names.
    """

    def __init__(self, caller: Caller) -> None:
        """Takes who makes the requests."""
        self._caller = caller

    def list(self) -> list[listings.RemoteOrganization]:
        """Asks for the organizations that the account is a member of."""
        reply = self._caller.call(Call(Operation.ORGANIZATIONS, limit=_MAX_LISTING_BYTES))
        return listings.parse_organizations(reply.body)

    def create(self, genesis: MembershipEntry) -> None:
        """Founds a team; the same genesis again is success."""
        post_parts(self._caller, Operation.ORG_CREATE, {}, [_part(genesis)])

    def heads(self, org: OrgId) -> Heads:
        """Asks where the logs of an organization end."""
        call = Call(Operation.ORG_HEADS, {"org": org.b64}, limit=_MAX_LISTING_BYTES)
        members, projects = listings.parse_heads(self._caller.call(call).body)
        return Heads(members, projects)

    def entries(
        self,
        org: OrgId,
        after: int = 0,
        token: InviteToken | None = None,
        *,
        upto: int | None = None,
    ) -> tuple[bytes, ...]:
        """Asks for all entries of a membership log after entry ``after``, in as many requests.

        Args:
            org: the organization.
            after: how many entries are known.
            token: opens the log to who holds the code of an open invite.
            upto: how many entries there are, if the server told, which saves the last question.

        Raises:
            VerificationError: layer ``wire``, for an answer out of shape or without an end.
        """
        found: list[bytes] = []
        size = 0
        while upto is None or after + len(found) < upto:
            page = self._page(org, after + len(found), token)
            if not page:
                break
            found += page
            size += sum(map(len, page))
            if size > MAX_LOG_BYTES:
                raise VerificationError(
                    Layer.WIRE, "the server sends more membership entries than there can be"
                )
        return tuple(found)

    def _page(self, org: OrgId, after: int, token: InviteToken | None) -> tuple[bytes, ...]:
        query = f"after={after}" + (f"&invite={token.b64}" if token else "")
        call = Call(Operation.ORG_ENTRIES, {"org": org.b64}, query, limit=MAX_ANSWER_BYTES)
        reply = self._caller.call(call)
        return () if reply.status == 204 else parse_entries(reply.body)

    def append(self, org: OrgId, entry: MembershipEntry, token: InviteToken | None = None) -> None:
        """Appends a signed entry to a membership log; the same again is success.

        ``token`` goes with a join.

        Raises:
            LogMoved: the log moved before; its answer holds the entries that this side lacks.
            HeadsMoved: the push log of a project moved before, which the entry cuts.
        """
        query = f"invite={token.b64}" if token else ""
        post_parts(self._caller, Operation.ORG_APPEND, {"org": org.b64}, [_part(entry)], query)


def _part(entry: MembershipEntry) -> Part:
    return Part(PartKind.MEMBERSHIP_ENTRY, entry.encoded)
