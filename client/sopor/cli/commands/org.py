"""`sopor org`: organizations, their members and invites."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sopor.cli.accounts import account_options
from sopor.cli.declaring import command as declare
from sopor.cli.declaring import group
from sopor.cli.organizations import (
    open_account,
    open_organization,
    org_options,
    trusted_keys,
)
from sopor.cli.rendering.organizations import (
    audit_lines,
    changed_lines,
    detail_lines,
    member_lines,
    organization_lines,
    safety_lines,
)
from sopor.cli.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from sopor_core.membership import Role

ROLES = ["owner", "admin", "editor", "viewer"]
PROJECT_ROLES = ["editor", "viewer", "none"]


@group("org", examples=["sopor org", "sopor org create Acme", "sopor org invite --role editor"])
@account_options
@click.pass_context
def command(
    context: click.Context, session: Session, server: str | None, account: str | None
) -> None:
    """Lists the organizations of the account; founds teams, invites and removes members."""
    if context.invoked_subcommand is None:
        _list(session, server, account)


def _list(session: Session, server: str | None, account: str | None) -> None:
    from sopor.organization import organizations
    from sopor.organization.describing import describe

    with open_account(session, server, account) as opened:
        found = sorted(map(describe, organizations(opened)), key=lambda info: info.name)
    session.console.result(found, organization_lines(found))


@declare("list", examples=["sopor org list --json"])
@account_options
def list_organizations(session: Session, server: str | None, account: str | None) -> None:
    """Lists the organizations of the account, from their verified logs."""
    _list(session, server, account)


@declare("create", examples=['sopor org create "Acme API"'])
@click.argument("name")
@account_options
def create(session: Session, name: str, server: str | None, account: str | None) -> None:
    """Founds a team called NAME, with you as its owner."""
    from sopor.organization.describing import describe
    from sopor.organization.managing import create

    with open_account(session, server, account) as opened:
        info = describe(create(opened, name))
        opened.refresh_organizations()
    session.console.report(info, [f"Founded {name} ({info.id.short})"])
    session.console.hint("invite people with `sopor org invite`, publish with `sopor push --org`")


@declare("show", examples=["sopor org show", "sopor org show --org Acme --json"])
@org_options
def show(session: Session, org: str | None, server: str | None, account: str | None) -> None:
    """Shows members, open invites, projects, the plan, and what waits for a new key."""
    from sopor.organization.describing import detail

    with open_organization(session, org, server, account) as organization:
        found = detail(organization, trusted_keys(organization))
    session.console.result(found, detail_lines(found))


@declare("members", examples=["sopor org members"])
@org_options
def members(session: Session, org: str | None, server: str | None, account: str | None) -> None:
    """Lists the members; a tick marks those whose safety number you compared."""
    from sopor.organization.describing import members

    with open_organization(session, org, server, account) as organization:
        found = members(organization, trusted_keys(organization))
    session.console.result(found, member_lines(found))


@declare(
    "invite",
    examples=["sopor org invite", "sopor org invite --role viewer --only petstore --days 2"],
)
@click.option("--role", type=click.Choice(ROLES), default="editor", help="[default: editor]")
@click.option("--days", type=int, default=7, help="How long the invite is good.  [default: 7]")
@click.option(
    "--only", metavar="PROJECT", multiple=True, help="Of today's projects, only this one (again)."
)
@org_options
def invite(
    session: Session,
    role: str,
    days: int,
    only: tuple[str, ...],
    org: str | None,
    server: str | None,
    account: str | None,
) -> None:
    """Makes an invite code for one person.

    Give it to that person by another way than this server, such as a call or a messenger: who has
    the code can join. It vouches for your keys to them, and for theirs to you.
    """
    from sopor.organization.finding import find_project
    from sopor.organization.managing import invite
    from sopor_core.membership import Role

    with open_organization(session, org, server, account) as organization:
        wanted = {find_project(organization, word) for word in only}
        closed = set(organization.log.projects()) - wanted if only else set()
        made = invite(organization, Role(role), dict.fromkeys(closed, Role.NONE), days)
    session.console.result(made, [made.code])
    until = made.expires.iso[:16].replace("T", " ")
    session.console.note(f"for one person, to join {made.name} as {made.role}, until {until} UTC")
    session.console.hint("they run `sopor org join` and paste it; cancel with `sopor org cancel`")


@declare("cancel", examples=["sopor org cancel 3f2a91bc"])
@click.argument("invite")
@org_options
def cancel(
    session: Session, invite: str, org: str | None, server: str | None, account: str | None
) -> None:
    """Ends an open INVITE, named by its id, with new keys for what it opened."""
    from sopor.organization.managing import cancel_invite

    with open_organization(session, org, server, account) as organization:
        changed = cancel_invite(organization, invite)
    session.console.report(changed, changed_lines(changed))


@declare("join", examples=["sopor org join", "SOPOR_INVITE_CODE_FILE=code.txt sopor org join"])
@account_options
def join(session: Session, server: str | None, account: str | None) -> None:
    """Becomes a member with an invite code, which is asked for."""
    from sopor.crypto.invites import InviteCode
    from sopor.organization.describing import describe
    from sopor.organization.managing import join

    code = InviteCode.from_text(session.asking.invite_code())
    with open_account(session, server, account) as opened:
        organization = join(opened, code)
        info = describe(organization)
    session.console.report(info, [f"Joined {info.name} as {info.role}"])
    session.console.hint("see `sopor projects`, then `sopor clone`")


@declare("role", examples=["sopor org role bob@example.com viewer"])
@click.argument("member")
@click.argument("role", type=click.Choice(ROLES))
@org_options
def role(
    session: Session,
    member: str,
    role: str,
    org: str | None,
    server: str | None,
    account: str | None,
) -> None:
    """Gives a MEMBER another role in the whole organization."""
    change_role(session, member, _role(role), None, org, server, account)


def change_role(
    session: Session,
    member: str,
    role: Role,
    project: str | None,
    org: str | None,
    server: str | None,
    account: str | None,
) -> None:
    """Gives a member another role, in the organization or in one project."""
    from sopor.organization.managing import set_role

    with open_organization(session, org, server, account) as organization:
        changed = set_role(organization, member, role, project)
    session.console.report(changed, changed_lines(changed))


def _role(text: str) -> Role:
    from sopor_core.membership import Role

    return Role(text)


@declare("transfer", examples=["sopor org transfer bob@example.com"])
@click.argument("member")
@org_options
def transfer(
    session: Session, member: str, org: str | None, server: str | None, account: str | None
) -> None:
    """Makes a MEMBER owner, and you admin."""
    from sopor.organization.managing import transfer

    with open_organization(session, org, server, account) as organization:
        steps = transfer(organization, member)
    lines = [line for changed in steps for line in changed_lines(changed)]
    session.console.report(steps[-1], lines)


@declare("remove", examples=["sopor org remove bob@example.com"])
@click.argument("member")
@org_options
def remove(
    session: Session, member: str, org: str | None, server: str | None, account: str | None
) -> None:
    """Removes a MEMBER, with new keys for everything in the same step.

    What the member has got so far stays readable to them; nothing that is written from now on is.
    """
    from sopor.organization.managing import remove

    with open_organization(session, org, server, account) as organization:
        changed = remove(organization, member)
    session.console.report(changed, changed_lines(changed))


@declare("leave", examples=["sopor org leave --org Acme"])
@org_options
def leave(session: Session, org: str | None, server: str | None, account: str | None) -> None:
    """Ends your own membership."""
    from sopor.organization.managing import leave

    with open_organization(session, org, server, account) as organization:
        changed = leave(organization)
    session.console.report(changed, changed_lines(changed))


@declare("rename", examples=['sopor org rename "Acme Inc" --org Acme'])
@click.argument("name")
@org_options
def rename(
    session: Session, name: str, org: str | None, server: str | None, account: str | None
) -> None:
    """Gives the organization another NAME, which the server does not learn."""
    from sopor.organization.managing import rename

    with open_organization(session, org, server, account) as organization:
        changed = rename(organization, name)
    session.console.report(changed, changed_lines(changed))


@declare("delete", examples=["sopor org delete --org Acme --yes"])
@click.option("--yes", is_flag=True, help="Do not ask.")
@org_options
def delete(
    session: Session, yes: bool, org: str | None, server: str | None, account: str | None
) -> None:
    """Deletes the organization with all its projects, for everybody and for good."""
    from sopor.organization.managing import delete

    with open_organization(session, org, server, account) as organization:
        if not yes:
            session.asking.confirm(f"delete {organization.name} and all its projects")
        changed = delete(organization)
    session.console.report(changed, changed_lines(changed))


@declare("verify", examples=["sopor org verify bob@example.com"])
@click.argument("member")
@click.option("--confirm", is_flag=True, help="Note that both of you see the same number.")
@org_options
def verify(
    session: Session,
    member: str,
    confirm: bool,
    org: str | None,
    server: str | None,
    account: str | None,
) -> None:
    """Shows the safety number that you and a MEMBER compare, such as in a call.

    If both see the same digits, nobody has put other keys between you.
    """
    from sopor.organization.managing import safety

    with open_organization(session, org, server, account) as organization:
        found = safety(organization, member, trusted_keys(organization), confirm=confirm)
    session.console.result(found, safety_lines(found))


@declare("log", examples=["sopor org log", "sopor org log -n 5 --json"])
@click.option("-n", "--limit", type=click.IntRange(1), help="Only the newest ones.")
@org_options
def log(
    session: Session,
    limit: int | None,
    org: str | None,
    server: str | None,
    account: str | None,
) -> None:
    """Lists every change of the organization: who did what, each signed and verified."""
    from sopor.organization.describing import audit

    with open_organization(session, org, server, account) as organization:
        found = audit(organization)[:limit]
    session.console.result(found, audit_lines(found))


@declare("license", examples=["sopor org license acme.license"])
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=str))
@org_options
def license_(
    session: Session, file: Path, org: str | None, server: str | None, account: str | None
) -> None:
    """Installs a license FILE of who runs the server: its seats, projects and storage."""
    from pathlib import Path

    from sopor.errors import InvalidInput
    from sopor.organization.managing import install_license
    from sopor_core import canonical
    from sopor_core.errors import VerificationError
    from sopor_core.license import License

    try:
        found = License.from_json(canonical.parse_json(Path(file).read_bytes()))
    except (VerificationError, OSError) as error:
        raise InvalidInput(f"{file} is not a license ({error})") from None
    with open_organization(session, org, server, account) as organization:
        changed = install_license(organization, found)
    session.console.report(changed, changed_lines(changed))


for each in (
    list_organizations,
    create,
    show,
    members,
    invite,
    cancel,
    join,
    role,
    transfer,
    remove,
    leave,
    rename,
    delete,
    verify,
    log,
    license_,
):
    command.add_command(each)
