"""Puts a local project on a server: its key wrapped to the account, its name sealed in the log."""

from __future__ import annotations

from collections.abc import Iterable

from sopor.account import Account
from sopor.crypto.epochs import Addresses, first_epoch
from sopor.crypto.keys import FIRST_EPOCH
from sopor.crypto.labels import seal_project_label
from sopor.errors import PushRejected
from sopor.remote import LogMoved
from sopor.repository.connection import check_own_place
from sopor.repository.context import Context, now
from sopor.repository.project_keys import delete_local_keys
from sopor_core.ids import OrgId
from sopor_core.membership import MembershipEntry, MembershipLog, ProjectNew

_ATTEMPTS = 10


def publish_project(context: Context) -> str:
    """Creates the project in the account's personal organization; returns its name.

    The same project keeps its id, its key and so all its commits. Killed in between, the next push
    finds the project in the membership log and goes on.

    Raises:
        NotLoggedIn: no account is known on this device.
    """
    account = context.accounts.default(context.store)
    org = account.personal_organization
    name = context.project_name
    for _ in range(_ATTEMPTS):
        membership, entries = fetch_membership(account, org)
        if context.project not in membership.projects():
            entry = _entry(context, account, membership, name)
            membership.append(entry)
            entries.append(entry)
            try:
                account.remote.org_append(org, entry)
            except LogMoved:
                continue
        _remember(context, account, org, entries, name)
        return name
    raise PushRejected("the organization's log moved at every attempt", hint="push again")


def fetch_membership(account: Account, org: OrgId) -> tuple[MembershipLog, list[MembershipEntry]]:
    """Fetches and verifies a whole membership log; raises VerificationError."""
    membership = MembershipLog(org)
    entries = [MembershipEntry.parse(data) for data in account.remote.org_entries(org, 0)]
    for entry in entries:
        membership.append(entry)
    check_own_place(membership, account)
    return membership, entries


def _entry(
    context: Context, account: Account, membership: MembershipLog, name: str
) -> MembershipEntry:
    after = membership.access.with_project(context.project)
    body = ProjectNew(
        context.project,
        first_epoch(
            membership.org,
            context.project,
            context.keys.secret(FIRST_EPOCH),
            Addresses.of(membership, after, context.project),
        ),
        seal_project_label(context.keys, FIRST_EPOCH, name),
    )
    head = membership.head
    entry = MembershipEntry(
        membership.org, head.seq + 1, head.hash, account.identity.account, now(), body
    )
    return entry.sign(account.keys)


def _remember(
    context: Context,
    account: Account,
    org: OrgId,
    entries: Iterable[MembershipEntry],
    name: str,
) -> None:
    settings = context.store.settings
    with context.store.transaction():
        for entry in entries:
            context.store.log.append_membership(entry)
        settings.set("organization", org.hex())
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
