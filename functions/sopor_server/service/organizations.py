"""Membership logs: reading them, and appending one signed entry."""

from __future__ import annotations

from collections.abc import Sequence

from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import OrgId
from sopor_core.limits import MAX_INLINE_BYTES
from sopor_core.membership import MembershipEntry, MembershipLog, ProjectNew
from sopor_core.push_entry import Citation
from sopor_core.wire.parts import Part, PartKind
from sopor_core.wire.problems import Code
from sopor_server.auth import Caller
from sopor_server.errors import Behind, Refused
from sopor_server.ports.errors import LogMoved, ProjectExists
from sopor_server.ports.records import MembershipAppend, Organization
from sopor_server.service.context import Context
from sopor_server.service.membership import organization_of_member, state_of

_EVERYTHING = 2**62


def entries(context: Context, caller: Caller, org: OrgId, after: int) -> Sequence[bytes]:
    """Returns the entries after one, as many as fit an answer; raises Refused."""
    context.check_device(caller)
    found = organization_of_member(context.store, caller, org)
    if after > found.head.seq:
        raise _shorter(found, after)
    return context.store.membership_entries(org, after, MAX_INLINE_BYTES)


def append(context: Context, caller: Caller, org: OrgId, data: bytes) -> None:
    """Appends an entry, or returns because it landed before.

    Raises:
        Refused: ``device-revoked``, ``not-found``, ``forbidden``, ``membership-moved`` (`Behind`),
            ``log-shorter``, ``log-diverged``, ``entry-refused``.
        VerificationError: the entry does not verify.
    """
    entry = MembershipEntry.parse(data)
    if entry.org != org:
        raise VerificationError(Layer.MEMBERSHIP, "the entry is of another organization")
    if entry.actor != caller.account:
        raise Refused(Code.FORBIDDEN, "the entry's actor is not the account that sends it")
    context.check_device(caller)
    found = organization_of_member(context.store, caller, org)
    if entry.seq <= found.head.seq and _landed(context, org, entry):
        return
    _check_current(context, entry, found)
    _check_role(caller, found)
    log = _replay(context, org)
    if log.head != found.head:
        raise _busy()
    log.append(entry)
    project = entry.body.project if isinstance(entry.body, ProjectNew) else None
    appended = MembershipAppend(data, found.head, state_of(log), context.now(), project)
    try:
        context.store.append_membership(appended)
    except ProjectExists:
        raise VerificationError(
            Layer.MEMBERSHIP, "the project id is in use", hint="draw another id and try again"
        ) from None
    except LogMoved:
        _check_current(context, entry, organization_of_member(context.store, caller, org))
        raise _busy() from None


def _landed(context: Context, org: OrgId, entry: MembershipEntry) -> bool:
    return list(context.store.membership_entries(org, entry.seq - 1, 1)) == [entry.encoded]


def _check_role(caller: Caller, org: Organization) -> None:
    role = org.members[caller.account].role
    if not role.may_administer:
        raise Refused(
            Code.FORBIDDEN,
            f"the role {role} may not create projects",
            hint="ask an owner or admin of the organization",
        )


def _check_current(context: Context, entry: MembershipEntry, org: Organization) -> None:
    claimed = Citation(entry.seq - 1, entry.prev)
    if claimed == org.head:
        return
    if claimed.seq > org.head.seq:
        raise _shorter(org, claimed.seq)
    lacks = context.store.membership_entries(org.id, claimed.seq, MAX_INLINE_BYTES)
    found = MembershipEntry.parse(lacks[0]).prev if lacks else org.head.hash
    if claimed.hash != found:
        raise Refused(
            Code.LOG_DIVERGED,
            f"entry {claimed.seq} of the membership log is another one here",
            hint="append nothing; compare with other members, and ask who runs the server",
        )
    raise Behind(
        Code.MEMBERSHIP_MOVED,
        "the membership changed since your last pull",
        head=org.head,
        members=org.head,
        lacks=[Part(PartKind.MEMBERSHIP_ENTRY, data) for data in lacks],
        more=claimed.seq + len(lacks) < org.head.seq,
    )


def _replay(context: Context, org: OrgId) -> MembershipLog:
    try:
        return MembershipLog.replay(
            org, list(context.store.membership_entries(org, 0, _EVERYTHING))
        )
    except VerificationError as error:
        raise RuntimeError("a stored membership log does not verify") from error


def _shorter(org: Organization, seq: int) -> Refused:
    return Refused(
        Code.LOG_SHORTER,
        f"the server has {org.head.seq} entries of the membership log, the client has {seq}",
        hint="the server may have been restored from a backup; ask who runs it",
    )


def _busy() -> Refused:
    return Refused(Code.UNAVAILABLE, "the store is busy", hint="try again", retry_after=1)
