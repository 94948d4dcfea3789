"""`sopor org`: organizations, their members and invites."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sopor.cli import completing
from sopor.cli.accounts import account_options, open_keystore
from sopor.cli.declaring import command as declare
from sopor.cli.declaring import group
from sopor.cli.organizations import (
    open_account,
    open_organization,
    org_options,
    trusted_keys,
    unless_yes,
    yes_option,
)
from sopor.cli.paint import one_line
from sopor.cli.rendering.organizations import (
    audit_lines,
    changed_lines,
    detail_lines,
    member_lines,
    organization_lines,
    safety_lines,
)
from sopor.cli.rendering.times import short_time
from sopor.cli.session import Session

if TYPE_CHECKING:
    from pathlib import Path

ROLES = ["owner", "admin", "editor", "viewer"]
PROJECT_ROLES = ["editor", "viewer", "none"]
_MEMBER = click.argument("member", shell_complete=completing.members)


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
    """Lists the organizations of the account."""
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
    session.console.report(info, [f"Founded {one_line(info.name)} ({info.id.short})"])
    session.console.hint("invite people with `sopor org invite`, publish with `sopor push --org`")


@declare("show", examples=["sopor org show", "sopor org show --org Acme --json"])
@org_options
def show(session: Session, org: str | None, server: str | None, account: str | None) -> None:
    """Shows members, open invites, projects and the plan."""
    from sopor.organization.describing import detail

    with open_organization(session, org, server, account) as organization:
        found = detail(organization, trusted_keys(organization))
    session.console.result(found, detail_lines(found))


@declare("members", examples=["sopor org members"])
@org_options
def members(session: Session, org: str | None, server: str | None, account: str | None) -> None:
    """Lists the members and their roles.

    A star is you, a tick somebody whose safety number you compared.
    """
    from sopor.organization.describing import members

    with open_organization(session, org, server, account) as organization:
        found = members(organization, trusted_keys(organization))
    session.console.result(found, member_lines(found))


@declare(
    "invite",
    examples=["sopor org invite", "sopor org invite --role viewer --only petstore --days 2"],
)
@click.option("--role", type=click.Choice(ROLES), default="editor", help="[default: editor]")
@click.option(
    "--days", type=click.IntRange(1, 90), default=7, help="How long the code is good.  [default: 7]"
)
@click.option(
    "--only",
    metavar="PROJECT",
    multiple=True,
    shell_complete=completing.projects,
    help="Of today's projects, open only this one; again for more.",
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
    """Makes an invite code for one person, good once.

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
    until = short_time(made.expires.milliseconds)
    name = one_line(made.name)
    session.console.note(f"for one person, to join {name} as {made.role}, until {until}")
    session.console.hint(
        f"they run `sopor org join` and paste it; `sopor org cancel {made.id.short}` takes it back"
    )


@declare("cancel", examples=["sopor org cancel 3f2a91bc"])
@click.argument("invite", shell_complete=completing.invites)
@org_options
def cancel(
    session: Session, invite: str, org: str | None, server: str | None, account: str | None
) -> None:
    """Ends an open INVITE, named by its id; what it opened gets new keys."""
    from sopor.organization.managing import cancel_invite

    with open_organization(session, org, server, account) as organization:
        changed = cancel_invite(organization, invite)
    session.console.report(changed, changed_lines(changed))


@declare("join", examples=["sopor org join", "sopor org join --code-stdin <code.txt"])
@click.argument("code", required=False, metavar="")
@click.option("--code-stdin", is_flag=True, help="Read the code from stdin, before any password.")
@account_options
def join(
    session: Session,
    code: str | None,
    code_stdin: bool,
    server: str | None,
    account: str | None,
) -> None:
    """Becomes a member with an invite code, which is asked for.

    A code is no argument, for others could see it; a file that SOPOR_INVITE_CODE_FILE names may
    hold it.
    """
    from sopor.crypto.invites import InviteCode
    from sopor.organization.describing import describe
    from sopor.organization.managing import join

    if code is not None:
        raise click.UsageError(
            "an invite code is no argument, for every process here sees those: "
            "paste it when it is asked for, or use --code-stdin"
        )
    open_keystore().find(server, account)  # Without an account nobody is asked for the code.
    invite = InviteCode.from_text(session.asking.invite_code(from_stdin=code_stdin))
    with open_account(session, server, account) as opened:
        organization = join(opened, invite)
        info = describe(organization)
    session.console.report(info, [f"Joined {one_line(info.name)} as {info.role}"])
    session.console.hint("see `sopor projects`, then `sopor clone`")


@declare("role", examples=["sopor org role bob@example.com viewer"])
@_MEMBER
@click.argument("role", type=click.Choice(ROLES))
@yes_option
@org_options
def role(
    session: Session,
    member: str,
    role: str,
    yes: bool,
    org: str | None,
    server: str | None,
    account: str | None,
) -> None:
    """Gives a MEMBER another role in the whole organization.

    Owners do everything, admins everything but what concerns owners; editors push, viewers pull.
    """
    from sopor.organization.managing import set_role
    from sopor_core.membership import Role

    with open_organization(session, org, server, account) as organization:
        changed = set_role(organization, member, Role(role), confirm=unless_yes(session, yes))
    session.console.report(changed, changed_lines(changed))


@declare("transfer", examples=["sopor org transfer bob@example.com"])
@_MEMBER
@yes_option
@org_options
def transfer(
    session: Session,
    member: str,
    yes: bool,
    org: str | None,
    server: str | None,
    account: str | None,
) -> None:
    """Makes a MEMBER owner, and you admin."""
    from sopor.organization.managing import transfer

    with open_organization(session, org, server, account) as organization:
        steps = transfer(organization, member, confirm=unless_yes(session, yes))
    lines = [line for changed in steps for line in changed_lines(changed)]
    session.console.report(steps, lines)


@declare("remove", examples=["sopor org remove bob@example.com"])
@_MEMBER
@yes_option
@org_options
def remove(
    session: Session,
    member: str,
    yes: bool,
    org: str | None,
    server: str | None,
    account: str | None,
) -> None:
    """Removes a MEMBER, with new keys for everything in the same step.

    What the member has got so far stays readable to them; nothing that is written from now on is.
    """
    from sopor.organization.managing import remove

    with open_organization(session, org, server, account) as organization:
        changed = remove(organization, member, confirm=unless_yes(session, yes))
    session.console.report(changed, changed_lines(changed))


@declare("leave", examples=["sopor org leave --org Acme"])
@yes_option
@org_options
def leave(
    session: Session, yes: bool, org: str | None, server: str | None, account: str | None
) -> None:
    """Ends your own membership. The next member who writes makes new keys."""
    from sopor.organization.managing import leave

    with open_organization(session, org, server, account) as organization:
        changed = leave(organization, confirm=unless_yes(session, yes))
    session.console.report(changed, changed_lines(changed))


@declare("rename", examples=['sopor org rename "Acme Inc" --org Acme'])
@click.argument("name")
@org_options
def rename(
    session: Session, name: str, org: str | None, server: str | None, account: str | None
) -> None:
    """Gives the organization another NAME, unseen by the server."""
    from sopor.organization.managing import rename

    with open_organization(session, org, server, account) as organization:
        changed = rename(organization, name)
    session.console.report(changed, changed_lines(changed))


@declare("delete", examples=["sopor org delete --org Acme --yes"])
@yes_option
@org_options
def delete(
    session: Session, yes: bool, org: str | None, server: str | None, account: str | None
) -> None:
    """Deletes the organization with all its projects, for good."""
    from sopor.organization.managing import delete

    with open_organization(session, org, server, account) as organization:
        changed = delete(organization, confirm=unless_yes(session, yes))
    session.console.report(changed, changed_lines(changed))


@declare("verify", examples=["sopor org verify bob@example.com"])
@_MEMBER
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
    """Shows the safety number to compare with a MEMBER.

    Read it to each other, such as in a call. If both see the same digits, nobody has put other keys
    between you.
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
    """Lists who changed what in the organization, as signed and verified."""
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
    """Installs a license FILE, which who runs the server gave.

    It sets how many seats and projects, and how much storage, the organization may use.
    """
    from pathlib import Path

    from sopor.errors import InvalidInput
    from sopor.organization.managing import install_license
    from sopor_core import canonical
    from sopor_core.errors import VerificationError
    from sopor_core.license import License

    try:
        found = License.from_json(canonical.parse_json(Path(file).read_bytes()))
    except VerificationError as error:
        hint = "take the file as who runs the server gave it"
        raise InvalidInput(f"{file} is not a license ({error.detail})", hint=hint) from None
    except OSError as error:
        raise InvalidInput(
            f"{file} does not read ({error.strerror})", hint="name another file"
        ) from None
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
