"""Which organization, member, project or invite a word means."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import TypeVar

from sopor.account import Account
from sopor.errors import InvalidInput, NotFound
from sopor.organization.ledger import Ledger
from sopor.organization.organization import Organization
from sopor_core.ids import AccountId, Id, InviteId, ProjectId

_MIN_PREFIX = 4
T = TypeVar("T", bound=Id)


def organizations(account: Account) -> list[Organization]:
    """Returns the organizations of an account, fetched and verified; deleted ones are left out.

    Raises:
        RollbackError, ForkError, VerificationError: a log does not verify.
    """
    listed = account.remote.organizations.list()
    found = [
        Organization(account, item.organization).refresh(item.head)
        for item in listed
        if not item.deleted
    ]
    return [organization for organization in found if not organization.log.deleted]


def remembered_organizations(account: Account) -> list[Organization]:
    """Returns the organizations as this device verified them last, without asking the server.

    Raises:
        DamagedStore, VerificationError: what is kept does not read back.
    """
    ledger = Ledger(account.entry.home, account.known.account)
    found = [Organization(account, org) for org in ledger.known()]
    return [each for each in found if each.me in each.log.access.members and not each.log.deleted]


def find_organization(account: Account, word: str | None) -> Organization:
    """Returns the organization that a name, or the start of an id, means; None: the only team.

    Raises:
        NotFound: there is none.
        InvalidInput: there are several.
    """
    known = organizations(account)
    if word is None:
        fitting = [each for each in known if each.log.kind == "team"]
        what = "a team"
        hint = "found one with `sopor org create NAME`, or join one with `sopor org join`"
    else:
        fitting = [
            each for each in known if each.id.hex() == word or each.name == word
        ] or _by_prefix({each.id: each for each in known}, word)
        what, hint = f"an organization {word!r}", "see `sopor org list`"
    if not fitting:
        raise NotFound(f"you are not a member of {what}", hint=hint)
    if len(fitting) > 1:
        names = ", ".join(f"{each.name} ({each.id.short})" for each in fitting)
        raise InvalidInput(
            f"several organizations may be meant: {names}",
            hint=f"name one, such as by its id: --org {fitting[0].id.short}",
        )
    return fitting[0]


def find_member(organization: Organization, word: str) -> AccountId:
    """Returns the member that a login name, or the start of an id, means.

    Raises:
        NotFound: there is none.
        InvalidInput: there are several.
    """
    log = organization.log
    members = {account: log.login(account) for account in log.access.members}
    named = [account for account, login in members.items() if login == word.strip().lower()]
    return _one(named or _prefixed(members, word), word, "member", _meant(word, members.values()))


def _meant(word: str, logins: Collection[str]) -> str:
    typed = word.strip().lower()
    begun = sorted(login for login in logins if typed and login.startswith(typed))
    close = begun or get_close_matches(typed, logins, 1)
    return f"did you mean {close[0]}?" if close else "see `sopor org members`"


def find_project(organization: Organization, word: str) -> ProjectId:
    """Returns the project that a name, or the start of an id, means.

    Raises:
        NotFound: there is none that the account has access to.
        InvalidInput: there are several.
    """
    named, known = [], {}
    for project in organization.log.projects():
        known[project] = project
        if _opened_name(organization, project) == word:
            named.append(project)
    return _one(named or _prefixed(known, word), word, "project", "see `sopor projects`")


def _opened_name(organization: Organization, project: ProjectId) -> str | None:
    if organization.log.access.role(organization.me, project) is None:
        return None
    return organization.project_name(project)


def find_invite(organization: Organization, word: str) -> InviteId:
    """Returns the open invite whose id a word begins; raises NotFound, InvalidInput."""
    known = organization.log.access.invites
    return _one(_prefixed(known, word), word, "open invite", "see `sopor org show`")


def _prefixed(known: Mapping[T, object], word: str) -> list[T]:
    wanted = word.strip().lower()
    if len(wanted) < _MIN_PREFIX:
        return []
    return [each for each in known if each.hex().startswith(wanted)]


def _by_prefix(known: Mapping[T, Organization], word: str) -> list[Organization]:
    return [known[each] for each in _prefixed(known, word)]


def _one(found: list[T], word: str, what: str, hint: str) -> T:
    if not found:
        raise NotFound(f"there is no {what} {word!r}", hint=hint)
    if len(found) > 1:
        ids = ", ".join(each.short for each in found)
        raise InvalidInput(f"{word!r} means {len(found)} {what}s: {ids}", hint="use an id")
    return found[0]
