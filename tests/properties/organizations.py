"""A simple model of an organization, in plain dictionaries, as shared/SPEC.md section 8.2 has it.

It knows everybody by number and every secret, and it judges nothing by the code that is tested.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from sopor.crypto.account import AccountKeys, AccountSecret
from sopor.crypto.invites import InviteCode, InviteSecret, inviter_hash
from sopor.crypto.keys import EpochSecret, ProjectKeys
from sopor_core.ids import NO_ENTRY, EntryHash, InviteId, OrgId
from sopor_core.membership import MembershipLog, Scope
from sopor_core.push_entry import Citation

ADMINISTERS, WRITES = ("owner", "admin"), ("owner", "admin", "editor")
NOWHERE = Citation(0, NO_ENTRY)
MS = 1000


class Somebody:
    """A person, who may get new keys; ``old`` are those that were replaced."""

    def __init__(self, number: int, login: str) -> None:
        self.number, self.login = number, login
        self.keys = AccountKeys(AccountSecret(bytes([number]) * 32))
        self.old: list[AccountKeys] = []

    @property
    def account(self) -> bytes:
        return self.keys.identity.account

    def next_keys(self) -> AccountKeys:
        """The keys that it would change to."""
        secret = bytes([self.number, 255 - len(self.old)]) * 16
        return AccountKeys(AccountSecret(secret), self.keys.identity.account)


@dataclass
class Given:
    """A role, and other roles in some projects; ``by`` is who invites to it."""

    role: str
    projects: dict[Scope, str] = field(default_factory=dict)
    by: int = -1

    def in_project(self, project: Scope) -> str:
        return self.role if self.role in ADMINISTERS else self.projects.get(project, self.role)

    def without(self, project: Scope) -> Given:
        return replace(self, projects={p: r for p, r in self.projects.items() if p != project})


@dataclass
class Roles:
    """Who has which role, and which projects there are."""

    home: Scope
    members: dict[int, Given] = field(default_factory=dict)
    invites: dict[InviteId, Given] = field(default_factory=dict)
    projects: dict[Scope, str] = field(default_factory=dict)

    def copy(self) -> Roles:
        return replace(
            self,
            members={**self.members},
            invites={**self.invites},
            projects={**self.projects},
        )

    @property
    def scopes(self) -> list[Scope]:
        return [self.home, *(p for p, status in self.projects.items() if status != "deleted")]

    def has(self, given: Given, scope: Scope) -> bool:
        return scope == self.home or given.in_project(scope) != "none"

    def scopes_of(self, given: Given) -> set[Scope]:
        return {scope for scope in self.scopes if self.has(given, scope)}

    def people(self, scope: Scope) -> set[int]:
        return {number for number, given in self.members.items() if self.has(given, scope)}

    def invited(self, scope: Scope) -> set[InviteId]:
        return {invite for invite, given in self.invites.items() if self.has(given, scope)}

    def writers(self, scope: Scope) -> set[int]:
        return {n for n, given in self.members.items() if given.in_project(scope) in WRITES}

    def owners(self) -> set[int]:
        return {number for number, given in self.members.items() if given.role == "owner"}

    def administers(self, number: int) -> bool:
        return number in self.members and self.members[number].role in ADMINISTERS

    def drop_invites(self, keep: Callable[[Given], bool]) -> None:
        self.invites = {invite: given for invite, given in self.invites.items() if keep(given)}

    def lost(self, after: Roles) -> set[Scope]:
        """The scopes, there before and after, that somebody may read or write only before."""
        return {
            scope
            for scope in set(self.scopes) & set(after.scopes)
            if self.people(scope) - after.people(scope)
            or self.invited(scope) - after.invited(scope)
            or (scope != self.home and self.writers(scope) - after.writers(scope))
        }


@dataclass
class World:
    """An organization with everybody's keys and all secrets."""

    people: list[Somebody]
    log: MembershipLog
    roles: Roles
    secrets: dict[Scope, list[EpochSecret]]
    codes: dict[InviteId, InviteCode] = field(default_factory=dict)
    due: set[Scope] = field(default_factory=set)
    heads: dict[Scope, Citation] = field(default_factory=dict)
    cuts: dict[Scope, list[tuple[int, Citation]]] = field(default_factory=dict)
    made_for: dict[tuple[Scope, int], tuple[set[bytes], set[InviteId]]] = field(
        default_factory=dict
    )
    """Whom each epoch was made for: accounts and invites, at the time."""
    entries: list[bytes] = field(default_factory=list)
    deleted: bool = False

    @property
    def org(self) -> OrgId:
        return self.log.org

    def keys(self, scope: Scope) -> ProjectKeys:
        return ProjectKeys(scope, dict(enumerate(self.secrets[scope], 1)))

    def accounts(self, numbers: Collection[int]) -> set[bytes]:
        return {self.people[number].account for number in numbers}

    def code(self, number: int, by: int) -> InviteCode:
        """The invite code of a number; the same secret twice gives the same invite."""
        inviter = inviter_hash(self.people[by].keys.identity)
        secret = InviteSecret(bytes([number]) * 16)
        code = InviteCode(self.org, inviter, secret, EXPIRES // MS)
        self.codes.setdefault(code.keys.invite, code)
        return code

    def start_epoch(self, scope: Scope, secret: EpochSecret) -> None:
        """Takes note of an epoch that the log has taken in."""
        self.secrets.setdefault(scope, []).append(secret)
        self.due.discard(scope)
        number = len(self.secrets[scope])
        self.made_for[scope, number] = (
            self.accounts(self.roles.people(scope)),
            self.roles.invited(scope),
        )
        if number > 1 and scope != self.roles.home:
            place = (self.log.head.seq, self.heads.get(scope, NOWHERE))
            self.cuts.setdefault(scope, []).append(place)

    def advance(self, project: Scope) -> None:
        """Lets a project's push log grow by one entry."""
        seq = self.heads.get(project, NOWHERE).seq + 1
        self.heads[project] = Citation(seq, EntryHash(seq.to_bytes(32, "big")))


EXPIRES = 2_000_000_000_000
TIME = 1_700_000_000_000


def seen(log: MembershipLog) -> Mapping[str, object]:
    """What a log answers about its newest state, to be compared."""
    return {
        "members": {
            account: (seat.role, dict(seat.projects))
            for account, seat in log.access.members.items()
        },
        "invites": set(log.access.invites),
        "projects": {project: log.status(project) for project in log.projects()},
        "keys": {scope: log.keys(scope) for scope in log.access.scopes},
        "cuts": {project: list(log.cuts(project)) for project in log.projects()},
        "deleted": log.deleted,
        "license": log.license,
        "head": log.head,
    }
