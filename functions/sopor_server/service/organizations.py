"""Organizations: founding a team, listing one's own, reading a log, appending one signed entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sopor_core import canonical
from sopor_core.account import AccountRecord
from sopor_core.errors import Layer, VerificationError
from sopor_core.identity import PublicIdentity
from sopor_core.ids import InviteId, InviteToken, OrgId, ProjectId
from sopor_core.limits import MAX_INLINE_BYTES
from sopor_core.membership import (
    Genesis,
    InviteCancel,
    Join,
    MembershipEntry,
    MembershipLog,
    NewEpochs,
    Plan,
    ProjectNew,
    Remove,
    SetRole,
)
from sopor_core.push_entry import Citation
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.parts import Part, PartKind
from sopor_core.wire.problems import Code
from sopor_server.auth import Caller
from sopor_server.errors import Behind, Refused, not_found
from sopor_server.ports.errors import HeadsMoved, LogMoved, ProjectExists
from sopor_server.ports.records import Account, MembershipAppend, Organization
from sopor_server.service import quota, state
from sopor_server.service.context import Context, device_revoked
from sopor_server.service.membership import organization_deleted, organization_of_member
from sopor_server.service.replay import Replayed, replayed

MAX_ORGANIZATIONS = 100
"""Who is a member of so many founds no more."""
MOST_OF_STRANGERS = 256 * 1024
"""The most bytes of an entry of who is no member: a join has a wrap for each scope and no more."""
GRACE = 5 * 60 * 1000
"""For so many milliseconds after its end an invite is taken: clocks are not all right."""


# ------------------------------------------------------------------------------------- reading


def organizations(context: Context, caller: Caller) -> Sequence[Organization]:
    """Returns the organizations that the caller is a member of; raises Refused."""
    context.check_device(caller)
    found = map(context.store.organization, _account(context, caller).organizations)
    return [org for org in found if org is not None and caller.account in org.members]


def heads(
    context: Context, caller: Caller, org: OrgId
) -> tuple[Organization, Mapping[ProjectId, Citation]]:
    """Returns an organization, and the heads of those of its projects that the caller may read.

    Raises:
        Refused: ``device-revoked``, ``not-found``, ``organization-deleted``.
    """
    context.check_device(caller)
    found = organization_of_member(context.store, caller, org)
    newest = state.of(found)
    if newest.deleted:
        raise organization_deleted()
    own = [project for project in newest.projects if newest.role(caller.account, project)]
    return found, context.store.heads(own)


def entries(
    context: Context, caller: Caller, org: OrgId, after: int, token: InviteToken | None = None
) -> Sequence[bytes]:
    """Returns the entries after one, as many as fit an answer.

    Who is no member shows the token of an open invite, which only its code tells.

    Raises:
        Refused: ``device-revoked``, ``not-found``, ``invite-closed``, ``log-shorter``.
    """
    context.check_device(caller)
    found = context.store.organization(org)
    if found is None or caller.account not in found.members:
        if token is None:
            raise not_found("organization")
        found = _inviting(context, found, token.invite)
    if after > found.head.seq:
        raise _shorter(found, after)
    return context.store.membership_entries(org, after, MAX_INLINE_BYTES)


# ----------------------------------------------------------------------------------- appending


def found_team(context: Context, caller: Caller, data: bytes) -> None:
    """Founds an organization by its first entry, or returns because it landed before.

    Raises:
        Refused: ``device-revoked``, ``forbidden``, ``quota-exceeded``.
        VerificationError: the entry does not verify, or is not the genesis of a team.
    """
    context.check_device(caller)
    entry = MembershipEntry.parse(data)
    body = entry.body
    if not isinstance(body, Genesis) or body.kind != "team":
        raise VerificationError(Layer.MEMBERSHIP, "the entry does not found a team")
    _check_sender(caller, entry)
    account = _account(context, caller)
    _check_identity(account, body.owner, body.login)
    org = OrgId(entry.hash)
    if org in account.organizations:
        return
    _check_number(context, account)
    log = MembershipLog(org)
    log.append(entry)
    after = state.organization_of(log)
    context.store.append_membership(MembershipAppend(data, EMPTY_LOG, after, context.now()))


def append(
    context: Context, caller: Caller, org: OrgId, data: bytes, token: InviteToken | None = None
) -> None:
    """Appends an entry, or returns because it landed before.

    With a join goes the token of its invite.

    Raises:
        Refused: ``device-revoked``, ``not-found``, ``forbidden``, ``membership-moved`` (`Behind`),
            ``heads-moved``, ``log-shorter``, ``log-diverged``, ``invite-closed``,
            ``quota-exceeded``, ``organization-deleted``.
        VerificationError: the entry does not verify.
    """
    context.check_device(caller)
    found = context.store.organization(org)
    is_member = found is not None and caller.account in found.members
    if not is_member and len(data) > MOST_OF_STRANGERS:
        raise not_found("organization")
    entry = MembershipEntry.parse(data)
    if entry.org != org:
        raise VerificationError(Layer.MEMBERSHIP, "the entry is of another organization")
    _check_sender(caller, entry)
    if found is not None and entry.seq <= found.head.seq and _landed(context, org, entry, data):
        # Before anything else: who left, or was made less, may ask again as well.
        return
    found = _organization_of_sender(context, caller, entry, found, token)
    _check_current(context, entry, found)
    _check_beyond_the_log(context, caller, entry, found)
    whole = _judged(context, entry, len(data), found)
    before, after = state.of(found), state.organization_of(whole.log)
    quota.check_growth(context, before, state.of(after))
    appended = MembershipAppend(
        data,
        found.head,
        after,
        context.now(),
        project=entry.body.project if isinstance(entry.body, ProjectNew) else None,
        deleted=before.kept - after.projects,
        heads=_cuts(entry),
    )
    _store(context, caller, entry, appended, token)
    context.logs.give_back(whole)


def _store(
    context: Context,
    caller: Caller,
    entry: MembershipEntry,
    append: MembershipAppend,
    token: InviteToken | None,
) -> None:
    try:
        context.store.append_membership(append)
    except ProjectExists:
        raise VerificationError(
            Layer.MEMBERSHIP, "the project id is in use", hint="draw another id and try again"
        ) from None
    except HeadsMoved:
        raise Refused(
            Code.HEADS_MOVED,
            "others pushed since the heads that the entry cuts the push logs at",
            hint="pull, and sign the entry anew with the present heads",
            heads=context.store.heads(append.heads),
        ) from None
    except LogMoved:
        found = context.store.organization(append.state.id)
        found = _organization_of_sender(context, caller, entry, found, token)
        _check_current(context, entry, found)
        raise Refused(
            Code.UNAVAILABLE, "the store is busy", hint="try again", retry_after=1
        ) from None


def _judged(context: Context, entry: MembershipEntry, size: int, found: Organization) -> Replayed:
    """Returns the whole log with the entry, every one verified."""
    whole = replayed(context.store, context.logs, found)
    try:
        whole.append(entry, size)
    except VerificationError as error:
        context.logs.give_back(whole)
        if error.layer is Layer.ROLE:
            hint = error.hint or "ask an owner of the organization"
            raise Refused(Code.FORBIDDEN, error.detail, hint=hint) from None
        raise
    return whole


def _cuts(entry: MembershipEntry) -> Mapping[ProjectId, Citation]:
    body = entry.body
    if not isinstance(body, InviteCancel | SetRole | Remove | NewEpochs):
        return {}
    return {scope: epoch.cut for scope, epoch in body.epochs.items() if epoch.cut is not None}


# -------------------------------------------------------------------------------------- checks


def _check_number(context: Context, account: Account) -> None:
    """Counts the organizations that are not deleted, where there may be too many."""
    if len(account.organizations) < MAX_ORGANIZATIONS:
        return
    stored = map(context.store.organization, account.organizations)
    count = sum(not state.of(org).deleted for org in stored if org is not None)
    if count >= MAX_ORGANIZATIONS:
        raise Refused(
            Code.QUOTA_EXCEEDED,
            f"the account is a member of {count} organizations,"
            f" and founds none from {MAX_ORGANIZATIONS} on",
            hint="leave or delete those that you do not need",
        )


def _check_sender(caller: Caller, entry: MembershipEntry) -> None:
    if entry.actor != caller.account:
        raise Refused(Code.FORBIDDEN, "the entry's actor is not the account that sends it")


def _organization_of_sender(
    context: Context,
    caller: Caller,
    entry: MembershipEntry,
    found: Organization | None,
    token: InviteToken | None,
) -> Organization:
    """Returns the organization if the sender may know of it: a member, or who has an invite."""
    body = entry.body
    if found is not None and caller.account in found.members:
        return found
    if isinstance(body, Join) and token is not None and token.invite == body.invite:
        return _inviting(context, found, body.invite)
    raise not_found("organization")


def _inviting(context: Context, found: Organization | None, invite: InviteId) -> Organization:
    """Returns the organization if the invite is open; one answer for everything else."""
    expires = state.of(found).invites.get(invite) if found is not None else None
    if found is None or expires is None or context.now() > expires + GRACE:
        raise Refused(
            Code.INVITE_CLOSED,
            "the invite was used or cancelled, has expired, or never was",
            hint="ask who invited you for a new code",
        )
    return found


def _check_beyond_the_log(
    context: Context, caller: Caller, entry: MembershipEntry, found: Organization
) -> None:
    """Checks what does not follow from the log: accounts, licenses, and this server's clock."""
    if state.of(found).deleted:
        raise organization_deleted()
    body = entry.body
    if isinstance(body, Join):
        _inviting(context, found, body.invite)
        _check_identity(_account(context, caller), body.identity, body.login)
    elif isinstance(body, Plan):
        quota.check_license(context, body.license)


def _account(context: Context, caller: Caller) -> Account:
    found = context.store.account(caller.account)
    if found is None:
        raise device_revoked()
    return found


def _check_identity(account: Account, identity: PublicIdentity, login: str) -> None:
    record = AccountRecord.verified(canonical.parse_json(account.record))
    if (record.identity, record.login) != (identity, login):
        raise VerificationError(
            Layer.ACCOUNT, "the entry has other keys or another login than the account's record"
        )


def _landed(context: Context, org: OrgId, entry: MembershipEntry, data: bytes) -> bool:
    return list(context.store.membership_entries(org, entry.seq - 1, 1)) == [data]


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


def _shorter(org: Organization, seq: int) -> Refused:
    return Refused(
        Code.LOG_SHORTER,
        f"the server has {org.head.seq} entries of the membership log, the client has {seq}",
        hint="the server may have been restored from a backup; ask who runs it",
    )
