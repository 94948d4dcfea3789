"""What the shell offers for words that are not options: branches, settings, files, members.

Nothing asks a server or a person. Members and invites are named in the logs that the device has
verified; names of projects and organizations are sealed, so they are offered only where the keys
lie open to the account's owner (``--keystore file``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from sopor.cli.session import Session
from sopor.errors import SoporError

if TYPE_CHECKING:
    import click

    from sopor.keystore import Keystore, KnownAccount
    from sopor.organization import Organization
    from sopor_core.membership import MembershipLog


def branches(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offers the local branches and those of the server."""
    names = _branch_names(context)
    return _starting(names, incomplete)


def revisions_and_files(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offers branches as revisions, and files."""
    return [*_starting(["HEAD", *_branch_names(context)], incomplete), *_files(incomplete)]


def files(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offers files, which stand for their documents."""
    return _files(incomplete)


def folders(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offers folders."""
    return [CompletionItem(incomplete, type="dir")]


def settings(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offers the names of settings."""
    from sopor.repository.configuration import KNOWN

    return _starting(KNOWN, incomplete)


def members(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offers the login names of the members of the account's organizations."""
    logins = {log.login(account) for log in _logs(context) for account in log.access.members}
    return _starting(sorted(logins), incomplete)


def invites(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offers the ids of open invites."""
    ids = [invite.short for log in _logs(context) for invite in log.access.invites]
    return _starting(ids, incomplete)


def organizations(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offers the names of the account's organizations."""
    return _starting(sorted(each.name for each in _organizations(context)), incomplete)


def projects(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offers the names of the projects of the account's organizations."""
    from sopor.organization.describing import projects

    names = {info.name for each in _organizations(context) for info in projects(each)}
    return _starting(sorted(names), incomplete)


def _account(context: click.Context) -> tuple[Keystore, KnownAccount]:
    from sopor.keystore import Keystore

    keystore = Keystore()
    words = context.params
    return keystore, keystore.find(words.get("server"), words.get("account"))


def _logs(context: click.Context) -> list[MembershipLog]:
    from sopor.organization.ledger import Ledger
    from sopor_core.membership import MembershipLog

    try:
        keystore, known = _account(context)
        ledger = Ledger(keystore.home, known.account)
        return [MembershipLog.replay(org, ledger.load(org)) for org in ledger.known()]
    except SoporError:
        # The shell has no place for an error, here and below.
        return []


def _organizations(context: click.Context) -> Iterator[Organization]:
    from sopor.account import unlock
    from sopor.keystore import NoPasswords, Protection
    from sopor.organization.finding import remembered_organizations

    try:
        keystore, known = _account(context)
        if known.protection is Protection.FILE:
            with unlock(keystore, NoPasswords(), known) as account:
                yield from remembered_organizations(account)
    except SoporError:
        return


def _branch_names(context: click.Context) -> list[str]:
    session = context.find_root().obj
    if not isinstance(session, Session):
        return []
    session.asking.allowed = False
    try:
        with session.open() as repository:
            found = repository.branches(remote=True)
    except SoporError:
        # The shell has no place for an error; without a working copy there is nothing to offer.
        return []
    return [f"remote/{info.name}" if info.remote else info.name for info in found]


def _starting(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _files(incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="file")]
