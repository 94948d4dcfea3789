"""`sopor project`: the projects of an organization, who may do what in them, and their logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sopor.cli import completing
from sopor.cli.commands.org import PROJECT_ROLES
from sopor.cli.commands.projects import list_all, projects_options
from sopor.cli.declaring import command as declare
from sopor.cli.declaring import group
from sopor.cli.organizations import open_organization, org_options, unless_yes, yes_option
from sopor.cli.paint import one_line
from sopor.cli.rendering.organizations import audit_lines, changed_lines
from sopor.cli.session import Session

if TYPE_CHECKING:
    from sopor_core.membership import Status

_PROJECT = click.argument("project", shell_complete=completing.projects)


@group("project", examples=["sopor project", "sopor project share petstore bob@example.com viewer"])
@projects_options
@click.pass_context
def command(
    context: click.Context,
    session: Session,
    org: str | None,
    server: str | None,
    account: str | None,
) -> None:
    """Lists projects, as `sopor projects` does; creates, shares, archives and deletes them."""
    if context.invoked_subcommand is None:
        list_all(session, org, server, account)


@declare("list", examples=["sopor project list --org Acme --json"])
@projects_options
def list_projects(
    session: Session, org: str | None, server: str | None, account: str | None
) -> None:
    """Lists projects, as `sopor projects` does."""
    list_all(session, org, server, account)


@declare("create", examples=["sopor project create petstore --org Acme"])
@click.argument("name")
@org_options
def create(
    session: Session, name: str, org: str | None, server: str | None, account: str | None
) -> None:
    """Adds an empty project called NAME, to be cloned.

    A folder with files of its own is published by `sopor push --org`.
    """
    from sopor.organization.managing import create_project

    with open_organization(session, org, server, account) as organization:
        project = create_project(organization, name)
        value = {"organization": organization.id, "project": project, "name": name}
    session.console.report(value, [f"Created project {one_line(name)} ({project.short})"])


@declare("share", examples=["sopor project share petstore bob@example.com none"])
@_PROJECT
@click.argument("member", shell_complete=completing.members)
@click.argument("role", type=click.Choice(PROJECT_ROLES))
@org_options
def share(
    session: Session,
    project: str,
    member: str,
    role: str,
    org: str | None,
    server: str | None,
    account: str | None,
) -> None:
    """Gives a MEMBER another ROLE in one PROJECT; none closes it, with a new key."""
    from sopor.organization.managing import set_role
    from sopor_core.membership import Role

    with open_organization(session, org, server, account) as organization:
        changed = set_role(organization, member, Role(role), project)
    session.console.report(changed, changed_lines(changed))


@declare("rename", examples=['sopor project rename petstore "Pet store"'])
@_PROJECT
@click.argument("name")
@org_options
def rename(
    session: Session,
    project: str,
    name: str,
    org: str | None,
    server: str | None,
    account: str | None,
) -> None:
    """Gives a PROJECT another NAME, which the server does not learn."""
    from sopor.organization.managing import rename_project

    with open_organization(session, org, server, account) as organization:
        changed = rename_project(organization, project, name)
    session.console.report(changed, changed_lines(changed))


@declare("archive", examples=["sopor project archive petstore"])
@_PROJECT
@org_options
def archive(
    session: Session, project: str, org: str | None, server: str | None, account: str | None
) -> None:
    """Closes a PROJECT for pushes; it can still be pulled."""
    from sopor_core.membership import Status

    _set_status(session, project, Status.ARCHIVED, org, server, account)


@declare("revive", examples=["sopor project revive petstore"])
@_PROJECT
@org_options
def revive(
    session: Session, project: str, org: str | None, server: str | None, account: str | None
) -> None:
    """Opens an archived PROJECT again."""
    from sopor_core.membership import Status

    _set_status(session, project, Status.ACTIVE, org, server, account)


@declare("delete", examples=["sopor project delete petstore --yes"])
@_PROJECT
@yes_option
@org_options
def delete(
    session: Session,
    project: str,
    yes: bool,
    org: str | None,
    server: str | None,
    account: str | None,
) -> None:
    """Deletes a PROJECT from the server, for everybody and for good; clones stay as they are."""
    from sopor_core.membership import Status

    _set_status(session, project, Status.DELETED, org, server, account, yes=yes)


def _set_status(
    session: Session,
    project: str,
    status: Status,
    org: str | None,
    server: str | None,
    account: str | None,
    *,
    yes: bool = False,
) -> None:
    from sopor.organization.managing import set_status

    with open_organization(session, org, server, account) as organization:
        changed = set_status(organization, project, status, confirm=unless_yes(session, yes))
    session.console.report(changed, changed_lines(changed))


@declare("log", examples=["sopor project log", "sopor project log -n 5 --json"])
@click.option("-n", "--limit", type=click.IntRange(1), help="Only the newest ones.")
def log(session: Session, limit: int | None) -> None:
    """Lists every push of this folder's project: who moved which branch, signed and verified."""
    with session.open() as repository:
        found = repository.audit(limit)
    session.console.result(found, audit_lines(found))


for each in (list_projects, create, share, rename, archive, revive, delete, log):
    command.add_command(each)
