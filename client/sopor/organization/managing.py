"""Changes of organizations, as a person asks for them: each checks first what it may."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sopor.account import Account
from sopor.crypto.founding import genesis_entry
from sopor.crypto.invites import InviteCode
from sopor.crypto.keys import EpochSecret
from sopor.crypto.safety import safety_number
from sopor.errors import InvalidInput, PermissionDenied, ServerRefused, SoporError, StateConflict
from sopor.moments import Moment, now
from sopor.organization.describing import new_epochs, scope_name, tell
from sopor.organization.finding import find_invite, find_member, find_project
from sopor.organization.organization import Draft, Organization
from sopor.organization.results import Changed, NewInvite, SafetyNumber
from sopor.organization.trust import TrustedKeys
from sopor_core.ids import AccountId, OrgId, ProjectId
from sopor_core.license import License
from sopor_core.membership import (
    Role,
    Status,
)
from sopor_core.push_entry import Citation
from sopor_core.wire.problems import Code

_DAY_SECONDS = 24 * 60 * 60
MAX_INVITE_DAYS = 90
Confirm = Callable[[str], None]
"""Is told what is about to happen and cannot be taken back; raises if it must not."""


def agree(_what: str) -> None:
    """Agrees to everything."""


def create(account: Account, name: str) -> Organization:
    """Founds a team with the account as its owner.

    Raises:
        InvalidValue: the name is not acceptable.
    """
    genesis = genesis_entry(account.keys, account.login, name.strip(), "team", now())
    account.remote.organizations.create(genesis)
    org = OrgId(genesis.hash)
    account.remember_organization(org)
    return Organization(account, org).refresh(Citation(1, genesis.hash))


def join(account: Account, code: InviteCode) -> Organization:
    """Becomes a member with an invite code; keys are there at once.

    Raises:
        StateConflict: the account is a member already.
        ServerRefused: the invite is not open any more, or of another server.
        VerificationError: the server shows something else than the code names.
    """
    organization = Organization(account, code.org)
    try:
        organization.join(code)
    except ServerRefused as refused:
        if refused.problem != Code.INVITE_CLOSED:
            raise
        raise _closed(account, code) from None
    except InvalidInput:
        if organization.me not in organization.log.access.members:
            raise
        raise _member_already() from None
    account.remember_organization(code.org)
    return organization


def _closed(account: Account, code: InviteCode) -> SoporError:
    listed = account.remote.organizations.list()
    if any(item.organization == code.org for item in listed):
        return _member_already()
    expires = code.expires * 1000
    ended = f"expired on {Moment(expires).iso[:10]}" if expires < now() else "was used or cancelled"
    return ServerRefused(
        f"the invite {ended}, or is not of {account.server}",
        hint="ask who invited you for a new code, and which server it is of",
        problem=Code.INVITE_CLOSED,
    )


def _member_already() -> StateConflict:
    return StateConflict(
        "you are a member of this organization already", hint="see `sopor org list`"
    )


def invite(
    organization: Organization, role: Role, projects: Mapping[ProjectId, Role], days: int
) -> NewInvite:
    """Makes an invite; its code is for the invited person only, by another way than the server.

    Raises:
        PermissionDenied: the account may not invite to this role.
        InvalidInput: personal organizations invite nobody, or ``days`` is out of range.
    """
    if organization.log.kind == "personal":
        raise InvalidInput(
            "nobody is invited to a personal organization",
            hint="found a team with `sopor org create NAME`, and share its projects",
        )
    if not 1 <= days <= MAX_INVITE_DAYS:
        raise InvalidInput(f"an invite is good for 1 to {MAX_INVITE_DAYS} days")
    _check_may_give(organization, role)
    if role.may_administer and projects:
        raise InvalidInput(f"the role {role} has access to all projects", hint="leave --only out")
    expires = now() // 1000 + days * _DAY_SECONDS
    code = InviteCode.new(organization.id, organization.log.identity(organization.me), expires)
    organization.append(lambda drafting: drafting.invite(code, role, projects))
    moment = Moment(expires * 1000)
    return NewInvite(
        code.keys.invite, organization.id, organization.name, str(role), moment, code.to_text()
    )


def cancel_invite(organization: Organization, word: str) -> Changed:
    """Ends an open invite, with new keys for what it gave access to."""
    found = find_invite(organization, word)
    _check_may_give(organization, organization.log.access.invites[found].seat.role)
    return _append(organization, lambda drafting: drafting.cancel(found))


def set_role(
    organization: Organization,
    word: str,
    role: Role,
    project: str | None = None,
    *,
    confirm: Confirm = agree,
) -> Changed:
    """Changes a member's role, in the organization or in one project.

    Args:
        organization: the organization.
        word: a member.
        role: the new role.
        project: a project, if it is the role in that alone.
        confirm: is asked before one gives up authority of one's own.

    Raises:
        PermissionDenied: the account may not give or take this role.
        StateConflict: nothing would change, or no owner would be left.
    """
    member = find_member(organization, word)
    where = find_project(organization, project) if project is not None else None
    seat = organization.log.access.members[member]
    if where is None:
        _check_may_give(organization, role)
        _check_may_give(organization, seat.role)
        _check_owner_stays(organization, member, role)
    else:
        _check_administers(organization)
        if seat.role.may_administer:
            raise StateConflict(
                f"{word} is {seat.role} of the organization, and so of all its projects",
                hint="change that role first: `sopor org role`",
            )
    if role is (seat.role if where is None else seat.role_in(where)):
        raise StateConflict(f"{organization.log.login(member)} is {role} already")
    if member == organization.me and not role.may_give(seat.role):
        confirm(f"make you {role} of {organization.name}, which others alone can change back")
    return _append(organization, lambda drafting: drafting.set_role(member, role, where))


def transfer(
    organization: Organization, word: str, *, confirm: Confirm = agree
) -> tuple[Changed, ...]:
    """Makes another member owner, and oneself admin; who is owner already stays it.

    Raises:
        PermissionDenied: the account is no owner.
    """
    _check_owner(organization)
    member = find_member(organization, word)
    if member == organization.me:
        raise InvalidInput("you are the owner already", hint="name another member")
    login = organization.log.login(member)
    confirm(f"make {login} owner of {organization.name}, and you admin")
    done = []
    if member not in organization.log.access.owners():
        done.append(set_role(organization, login, Role.OWNER))
    me = organization.log.login(organization.me)
    return (*done, set_role(organization, me, Role.ADMIN))


def remove(organization: Organization, word: str, *, confirm: Confirm = agree) -> Changed:
    """Removes a member; the same step makes new keys of everything that the member could read.

    Raises:
        PermissionDenied: the account may not remove this member.
        StateConflict: no owner would be left.
    """
    member = find_member(organization, word)
    if member == organization.me:
        raise InvalidInput("that is you", hint="leave with `sopor org leave`")
    _check_may_give(organization, organization.log.access.members[member].role)
    confirm(f"remove {organization.log.login(member)} from {organization.name}")
    return _append(organization, lambda drafting: drafting.remove(member))


def leave(organization: Organization, *, confirm: Confirm = agree) -> Changed:
    """Ends one's own membership; the next member who writes makes new keys.

    Raises:
        StateConflict: the account is the only owner.
    """
    if organization.log.kind == "personal":
        raise InvalidInput("nobody leaves a personal organization")
    _check_owner_stays(organization, organization.me, None)
    confirm(f"end your membership of {organization.name}, until somebody invites you again")
    text = f"left {organization.name}"
    entry = organization.append(lambda drafting: drafting.remove(organization.me))
    return Changed(organization.id, entry.seq, text)


def rename(organization: Organization, name: str) -> Changed:
    """Renames the organization; raises PermissionDenied, InvalidValue."""
    _check_owner(organization)
    text = f"renamed {organization.name} to {name.strip()}"
    entry = organization.append(lambda drafting: drafting.name(name.strip()))
    return Changed(organization.id, entry.seq, text)


def delete(organization: Organization, *, confirm: Confirm = agree) -> Changed:
    """Deletes the organization with all its projects, for good.

    Raises:
        PermissionDenied: the account is no owner.
        InvalidInput: it is the account's own.
    """
    _check_owner(organization)
    if organization.log.kind == "personal":
        raise InvalidInput("a personal organization is not deleted")
    confirm(f"delete {organization.name} with all its projects, for everybody and for good")
    text = f"deleted {organization.name}"
    entry = organization.append(lambda drafting: drafting.deletion())
    return Changed(organization.id, entry.seq, text)


def install_license(organization: Organization, license: License) -> Changed:  # noqa: A002
    """Installs a license; raises PermissionDenied, InvalidInput for another organization's."""
    _check_owner(organization)
    if license.org != organization.id:
        raise InvalidInput("the license is of another organization")
    return _append(organization, lambda drafting: drafting.plan(license))


# ------------------------------------------------------------------------------------- projects


def create_project(organization: Organization, name: str) -> ProjectId:
    """Adds an empty project; raises PermissionDenied, InvalidValue."""
    project = ProjectId.random()
    add_project(organization, project, EpochSecret.random(), name.strip())
    return project


def add_project(
    organization: Organization, project: ProjectId, secret: EpochSecret, name: str
) -> None:
    """Adds a project that exists on this device; raises PermissionDenied, InvalidValue."""
    _check_administers(organization)
    organization.append(lambda drafting: drafting.project_new(project, secret, name))


def rename_project(organization: Organization, word: str, name: str) -> Changed:
    """Renames a project; raises PermissionDenied, InvalidValue."""
    _check_administers(organization)
    project = find_project(organization, word)
    text = f"renamed project {scope_name(organization, project)} to {name.strip()}"
    entry = organization.append(lambda drafting: drafting.project_name(project, name.strip()))
    return Changed(organization.id, entry.seq, text)


def set_status(
    organization: Organization, word: str, status: Status, *, confirm: Confirm = agree
) -> Changed:
    """Archives, revives or deletes a project; raises PermissionDenied, StateConflict."""
    _check_administers(organization)
    project = find_project(organization, word)
    if organization.log.status(project) is status:
        raise StateConflict(f"{word} is {status} already")
    name = scope_name(organization, project)
    if status is Status.DELETED:
        confirm(f"delete project {name} of {organization.name}, for everybody and for good")
    text = f"{'revived' if status is Status.ACTIVE else status} {name}"
    entry = organization.append(lambda drafting: drafting.project_status(project, status))
    return Changed(organization.id, entry.seq, text)


def rotate(organization: Organization, projects: Sequence[str]) -> Changed:
    """Makes new keys: of the named projects, or of all and of the organization.

    Raises:
        PermissionDenied: the account is neither owner nor admin.
    """
    _check_administers(organization)
    named = [find_project(organization, word) for word in projects]
    scopes = named or sorted(organization.log.access.scopes)
    return _append(organization, lambda drafting: drafting.epochs(scopes))


# ---------------------------------------------------------------------------------------- trust


def safety(
    organization: Organization, word: str, trusted: TrustedKeys, *, confirm: bool = False
) -> SafetyNumber:
    """Returns the number that two people compare; ``confirm`` notes that they did."""
    member = find_member(organization, word)
    if member == organization.me:
        raise InvalidInput("that is you", hint="name another member")
    log = organization.log
    theirs = log.identity(member)
    if confirm:
        trusted.remember(theirs)
    number = safety_number(log.identity(organization.me), theirs)
    return SafetyNumber(log.login(member), member, number, trusted.holds(theirs))


# --------------------------------------------------------------------------------------- checks


def _append(organization: Organization, draft: Draft) -> Changed:
    entry = organization.append(draft)
    text = tell(organization, entry)
    return Changed(organization.id, entry.seq, text, new_epochs(entry))


def _role(organization: Organization) -> Role:
    return organization.log.access.role(organization.me) or Role.NONE


def _check_administers(organization: Organization) -> None:
    if not _role(organization).may_administer:
        raise PermissionDenied(
            f"you are {_role(organization)} of {organization.name}, not an owner or admin",
            hint="ask an owner or admin: see `sopor org members`",
        )


def _check_owner(organization: Organization) -> None:
    if _role(organization) is not Role.OWNER:
        raise PermissionDenied(
            f"you are {_role(organization)} of {organization.name}, not an owner",
            hint="ask an owner: see `sopor org members`",
        )


def _check_may_give(organization: Organization, role: Role) -> None:
    if not _role(organization).may_give(role):
        _check_administers(organization)
        _check_owner(organization)


def _check_owner_stays(organization: Organization, member: AccountId, role: Role | None) -> None:
    owners = organization.log.access.owners()
    if owners == {member} and role is not Role.OWNER:
        raise StateConflict(
            f"{organization.log.login(member)} is the only owner",
            hint="make somebody else owner first: `sopor org transfer MEMBER`",
        )
