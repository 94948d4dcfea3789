"""Tells an organization and its log in words: names opened, ids where there is no name."""

from __future__ import annotations

from sopor.moments import Moment, now
from sopor.organization.organization import Organization
from sopor.organization.results import (
    AuditEntry,
    InviteInfo,
    MemberInfo,
    OrganizationDetail,
    OrganizationInfo,
    PlanInfo,
    SharedProject,
)
from sopor.organization.trust import TrustedKeys
from sopor_core.errors import VerificationError
from sopor_core.ids import AccountId, ProjectId
from sopor_core.membership import (
    AccountRekey,
    Body,
    Genesis,
    Invite,
    InviteCancel,
    Join,
    MembershipEntry,
    NewEpochs,
    OrgSet,
    Plan,
    ProjectNew,
    ProjectSet,
    Remove,
    Role,
    SetRole,
    Status,
)


def describe(organization: Organization) -> OrganizationInfo:
    """Returns the organization in one line."""
    log = organization.log
    role = log.access.role(organization.me)
    return OrganizationInfo(
        organization.id,
        organization.name,
        log.kind,
        str(role or Role.NONE),
        len(log.access.members),
        len(log.access.invites),
        len(log.projects()),
        log.head.seq,
    )


def detail(organization: Organization, trusted: TrustedKeys) -> OrganizationDetail:
    """Returns everything about the organization."""
    due = sorted(scope_name(organization, scope) for scope in organization.log.due())
    return OrganizationDetail(
        describe(organization),
        members(organization, trusted),
        invites(organization),
        projects(organization),
        tuple(due),
        plan(organization),
    )


def members(organization: Organization, trusted: TrustedKeys) -> tuple[MemberInfo, ...]:
    """Returns the members by login name."""
    log = organization.log
    found = [
        MemberInfo(
            account,
            log.login(account),
            str(seat.role),
            {scope_name(organization, p): str(role) for p, role in seat.projects.items()},
            account == organization.me,
            trusted.holds(log.identity(account)),
        )
        for account, seat in log.access.members.items()
    ]
    return tuple(sorted(found, key=lambda member: (member.login, member.account)))


def invites(organization: Organization) -> tuple[InviteInfo, ...]:
    """Returns the open invites, the one that ends first first."""
    log = organization.log
    found = [
        InviteInfo(
            invite,
            str(given.seat.role),
            log.login(given.inviter),
            Moment(given.expires),
            given.expires < now(),
        )
        for invite, given in log.access.invites.items()
    ]
    return tuple(sorted(found, key=lambda info: (info.expires, info.id)))


def projects(organization: Organization) -> tuple[SharedProject, ...]:
    """Returns the projects that the account has access to, by name."""
    log = organization.log
    found = [
        SharedProject(
            project,
            organization.project_name(project),
            str(log.status(project)),
            log.keys(project).epoch,
            str(log.access.role(organization.me, project)),
        )
        for project in log.projects()
        if log.access.role(organization.me, project) is not None
    ]
    return tuple(sorted(found, key=lambda info: (info.name, info.id)))


def plan(organization: Organization) -> PlanInfo | None:
    """Returns what the license allows, or None without one."""
    found = organization.log.license
    if found is None:
        return None
    expires = None if found.expires is None else Moment(found.expires)
    return PlanInfo(found.plan, found.seats, found.projects, found.storage, expires)


def scope_name(organization: Organization, scope: ProjectId) -> str:
    """Returns the name of a project or home, or its id where the account cannot open it."""
    try:
        if scope == organization.log.home:
            return organization.name
        return organization.project_name(scope)
    except VerificationError:
        return f"project {scope.short}"


def audit(organization: Organization) -> tuple[AuditEntry, ...]:
    """Returns the log in words, the newest entry first."""
    entries = [
        AuditEntry(
            entry.seq,
            Moment(entry.time),
            who(organization, entry.actor),
            str(entry.type),
            tell(organization, entry),
            entry.hash.hex(),
        )
        for entry in organization.entries
    ]
    return tuple(reversed(entries))


def who(organization: Organization, account: AccountId) -> str:
    """Returns the login name of a present or former member, or its id."""
    try:
        return organization.log.login(account)
    except VerificationError:
        return account.short


def tell(organization: Organization, entry: MembershipEntry) -> str:
    """Returns what an entry did, as the rest of a sentence that begins with its actor."""
    if isinstance(entry.body, Remove) and entry.body.account == entry.actor:
        return "left the organization"
    return _people(organization, entry.body) or _things(organization, entry.body)


def _people(organization: Organization, body: Body) -> str:
    match body:
        case Invite():
            text = f"invited somebody as {body.role}, until {Moment(body.expires).iso[:10]}"
        case InviteCancel():
            text = f"cancelled invite {body.invite.short}"
        case Join():
            text = f"joined with invite {body.invite.short}"
        case SetRole(project=None):
            text = f"made {who(organization, body.account)} {body.role}"
        case SetRole(project=ProjectId() as project, role=Role.NONE):
            where = scope_name(organization, project)
            text = f"closed {where} to {who(organization, body.account)}"
        case SetRole(project=ProjectId() as project):
            where = scope_name(organization, project)
            text = f"made {who(organization, body.account)} {body.role} in {where}"
        case Remove():
            text = f"removed {who(organization, body.account)}"
        case AccountRekey():
            text = "changed to new keys of its own"
        case _:
            text = ""
    return text


def _things(organization: Organization, body: Body) -> str:
    match body:
        case Genesis():
            text = "founded the organization"
        case ProjectNew():
            text = f"added project {scope_name(organization, body.project)}"
        case ProjectSet(status=None):
            text = f"renamed project {scope_name(organization, body.project)}"
        case ProjectSet(status=Status.ACTIVE):
            text = f"revived project {scope_name(organization, body.project)}"
        case ProjectSet():
            text = f"{body.status} project {scope_name(organization, body.project)}"
        case OrgSet():
            text = "deleted the organization" if body.deleted else "renamed the organization"
        case NewEpochs():
            names = sorted(scope_name(organization, scope) for scope in body.epochs)
            text = f"made new keys for {', '.join(names)}"
        case Plan():
            text = f"installed the license {body.license.plan!r}"
        case _:
            text = f"did {body.TYPE}"
    return text


def new_epochs(entry: MembershipEntry) -> int:
    """Returns how many keys an entry made anew."""
    body = entry.body
    return len(body.epochs) if isinstance(body, InviteCancel | SetRole | Remove | NewEpochs) else 0
