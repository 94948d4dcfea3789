"""An organization as all its members know it, and the signed entries that any of them can make.

What is wrapped or sealed is random here: nobody in these tests opens it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sopor_core.errors import VerificationError
from sopor_core.ids import AccountId, InviteId, InviteToken, OrgId, ProjectId
from sopor_core.license import License
from sopor_core.membership import (
    WRAP_BYTES,
    Access,
    AccountRekey,
    Body,
    Epoch,
    Invite,
    InviteCancel,
    Join,
    MembershipEntry,
    MembershipLog,
    NewEpochs,
    OpenInvite,
    OrgSet,
    Plan,
    ProjectNew,
    ProjectSet,
    Remove,
    Role,
    Scope,
    Seat,
    SetRole,
    Status,
    join_message,
    rekey_message,
)
from sopor_core.push_entry import Citation
from sopor_core.push_log import EMPTY_LOG
from sopor_core.signing import JOIN, REKEY, signed_message
from tests.support.story import DAY, TIME, Key, Keys

Heads = Mapping[ProjectId, Citation]
NO_HEADS: Heads = {}


@dataclass(frozen=True)
class Code:
    """What an invite's code gives who has it."""

    token: InviteToken = field(default_factory=InviteToken.random)
    key: Key = field(default_factory=Key)
    encryption: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def __post_init__(self) -> None:
        _TOKENS[self.id] = self.token

    @property
    def id(self) -> InviteId:
        return self.token.invite


_TOKENS: dict[InviteId, InviteToken] = {}


def token_for(entry: bytes) -> InviteToken | None:
    """Returns what who sends an entry shows with it: the token of the invite, for a join."""
    try:
        body = MembershipEntry.parse(entry).body
    except VerificationError:
        return None
    return _TOKENS.get(body.invite) if isinstance(body, Join) else None


def wrap() -> bytes:
    """Makes what looks like a wrapped secret."""
    return secrets.token_bytes(WRAP_BYTES)


@dataclass
class Team:
    """A membership log that grows by `take`; everything else only makes bodies and entries."""

    log: MembershipLog
    entries: list[bytes] = field(default_factory=list)

    @classmethod
    def found(cls, owner: Keys, kind: str = "team") -> Team:
        first = owner.genesis(kind)
        team = cls(MembershipLog(OrgId(first.hash)))
        team.take(first)
        return team

    @property
    def org(self) -> OrgId:
        return self.log.org

    @property
    def head(self) -> Citation:
        return self.log.head

    @property
    def access(self) -> Access:
        return self.log.access

    def take(self, entry: MembershipEntry) -> MembershipEntry:
        """Appends an entry, which must verify."""
        self.log.append(entry)
        self.entries.append(entry.encoded)
        return entry

    def entry(self, actor: Keys, body: Body, **changes: Any) -> MembershipEntry:
        """Makes the entry that follows the head; ``changes`` replace fields before it is signed."""
        head = self.head
        entry = MembershipEntry(self.org, head.seq + 1, head.hash, actor.account, TIME, body)
        return replace(entry, **changes).sign(actor.signing)

    def act(self, actor: Keys, body: Body) -> MembershipEntry:
        """Makes an entry and takes it."""
        return self.take(self.entry(actor, body))

    # -------------------------------------------------------------------------------- people

    def invite(
        self,
        code: Code,
        role: Role = Role.EDITOR,
        projects: Mapping[ProjectId, Role] | None = None,
        expires: int = TIME + DAY,
    ) -> Invite:
        seat = Seat(role, projects or {})
        wraps = {scope: wrap() for scope in self.access.scopes_of(seat)}
        key, encryption = code.key.public, code.encryption
        return Invite(code.id, key, encryption, role, projects or {}, expires, wraps)

    def cancel(self, invite: InviteId, heads: Heads = NO_HEADS) -> InviteCancel:
        return InviteCancel(invite, self._taking(self.access.without_invites([invite]), heads))

    def join(self, code: Code, keys: Keys) -> Join:
        """Makes the body by which somebody joins with a code, open or not."""
        given = self.access.invites.get(code.id)
        seat = given.seat if isinstance(given, OpenInvite) else Seat(Role.VIEWER)
        message = join_message(self.org, code.id, self.head.hash, keys.identity, keys.login)
        return Join(
            code.id,
            keys.identity,
            keys.login,
            {scope: wrap() for scope in self.access.scopes_of(seat)},
            code.key.sign(signed_message(JOIN, message)),
        )

    def admit(
        self,
        owner: Keys,
        keys: Keys,
        role: Role = Role.EDITOR,
        projects: Mapping[ProjectId, Role] | None = None,
    ) -> list[MembershipEntry]:
        """Invites somebody, who joins."""
        code = Code()
        invited = self.act(owner, self.invite(code, role, projects))
        return [invited, self.act(keys, self.join(code, keys))]

    def set_role(
        self,
        account: AccountId,
        role: Role,
        project: ProjectId | None = None,
        heads: Heads = NO_HEADS,
    ) -> SetRole:
        before, seat = self.access, self.access.members[account]
        if project is None:
            changed = Seat(role, {} if role.may_administer else seat.projects)
        else:
            changed = Seat(seat.role, {**seat.projects, project: role})
        after = before.with_member(account, changed)
        given = after.scopes_of(changed) - before.scopes_of(seat)
        wraps = {scope: wrap() for scope in given}
        return SetRole(account, role, project, wraps, self._taking(after, heads))

    def remove(self, account: AccountId, heads: Heads = NO_HEADS) -> Remove:
        return Remove(account, self._taking(self.access.without_member(account), heads))

    def leave(self, account: AccountId) -> Remove:
        return Remove(account, {})

    def rekey(self, new: Keys, account: AccountId) -> AccountRekey:
        """Makes the body that gives an account the keys of ``new``."""
        identity = replace(new.identity, account=account)
        message = rekey_message(self.org, self.head.hash, identity)
        seat = self.access.members[account]
        wraps = {scope: wrap() for scope in self.access.scopes_of(seat)}
        return AccountRekey(identity, wraps, new.signing.sign(signed_message(REKEY, message)))

    # ---------------------------------------------------------------------- projects and all

    def project_new(self, project: ProjectId | None = None) -> ProjectNew:
        project = project or ProjectId.random()
        after = self.access.with_project(project)
        return ProjectNew(project, self.epoch(project, after, 1), secrets.token_bytes(92))

    def rotate(self, scopes: Collection[Scope], heads: Heads = NO_HEADS) -> NewEpochs:
        return NewEpochs(self._epochs(scopes, self.access, heads))

    def status(self, project: ProjectId, status: Status) -> ProjectSet:
        return ProjectSet(project, status)

    def delete(self) -> OrgSet:
        return OrgSet(None, deleted=True)

    def plan(self, signer: Key, **limits: Any) -> Plan:
        given = {"seats": 0, "projects": 0, "storage": 0, "expires": None, "org": self.org}
        return Plan(License(**{"plan": "team", **given, **limits}).sign(signer))

    def epoch(self, scope: Scope, after: Access, number: int, cut: Citation | None = None) -> Epoch:
        wanted = after.recipients(scope)
        return Epoch(
            number,
            secrets.token_bytes(32),
            {account: wrap() for account in wanted.accounts},
            {invite: wrap() for invite in wanted.invites},
            b"" if number == 1 else secrets.token_bytes(60),
            cut,
        )

    def _taking(self, after: Access, heads: Heads) -> dict[Scope, Epoch]:
        return self._epochs(self.access.taken(after), after, heads)

    def _epochs(self, scopes: Collection[Scope], after: Access, heads: Heads) -> dict[Scope, Epoch]:
        return {
            scope: self.epoch(
                scope,
                after,
                self.log.keys(scope).epoch + 1,
                None if scope == after.home else heads.get(scope, EMPTY_LOG),
            )
            for scope in scopes
        }
