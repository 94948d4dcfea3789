"""Puts a local project on a server: its key wrapped to the account, its name sealed in the log."""

from __future__ import annotations

from sopor.account import Account
from sopor.crypto.keys import FIRST_EPOCH
from sopor.organization import Organization, find_organization
from sopor.organization.managing import add_project
from sopor.repository.context import Context
from sopor.repository.project_keys import delete_local_keys


def publish_project(context: Context, org: str | None = None) -> str:
    """Creates the project in an organization; returns its name.

    The same project keeps its id, its key and so all its commits. Killed in between, the next push
    finds the project in the membership log and goes on.

    Args:
        context: the working copy.
        org: the name or the start of the id of a team; None for the account's own organization.

    Raises:
        NotLoggedIn: no account is known on this device.
        PermissionDenied: the account may not create projects there.
        NotFound: it is not a member of such an organization.
    """
    account = context.accounts.default(context.store)
    if org is None:
        organization = Organization(account, account.personal_organization).refresh()
    else:
        organization = find_organization(account, org)
    name, project = context.project_name, context.project
    if project not in organization.log.projects():
        add_project(organization, project, context.keys.secret(FIRST_EPOCH), name)
    _remember(context, account, organization, name)
    return name


def _remember(context: Context, account: Account, organization: Organization, name: str) -> None:
    settings = context.store.settings
    with context.store.transaction():
        for entry in organization.entries:
            context.store.log.append_membership(entry)
        settings.set("organization", organization.id.hex())
        settings.set("project-name", name)
        remember_account(context, account)
    context.store.log.forget_membership()
    delete_local_keys(context.store.folder)


def remember_account(context: Context, account: Account) -> None:
    """Records which account a working copy belongs to."""
    settings = context.store.settings
    settings.set("server", account.server)
    settings.set("account", account.identity.account.hex())
    settings.set("login", account.login)
