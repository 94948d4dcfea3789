"""Puts accounts, organizations and projects straight into a metadata store.

For what no request can arrange: other members, other roles, a head that moves in between.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from sopor_core import canonical
from sopor_core.ids import BranchId, DeviceId, OrgId, ProjectId
from sopor_core.membership import Body, MembershipEntry, MembershipLog, ProjectNew, Role
from sopor_core.push_entry import Citation, PushEntry
from sopor_core.push_log import EMPTY_LOG
from sopor_server.ports.metadata import MetadataStore
from sopor_server.ports.records import (
    Account,
    Branch,
    Device,
    MembershipAppend,
    Organization,
    PushAppend,
)
from sopor_server.service.state import organization_of
from tests.support.story import TIME, Keys, Project
from tests.support.teams import Code, Team


def new_keys() -> Keys:
    """Makes the keys of somebody with a new login name."""
    return Keys(f"{secrets.token_hex(6)}@example.com")


def account_of(keys: Keys) -> Account:
    """Returns the record of an account."""
    return Account(
        keys.account,
        keys.login,
        canonical.encode(keys.record().to_json()),
        canonical.encode(keys.credentials().to_json()),
        1,
    )


def device_of(keys: Keys, *, created: int = TIME, name: str = "laptop") -> Device:
    """Returns a new device."""
    return Device(DeviceId.random(), keys.account, name, created, created, secrets.token_bytes(32))


def genesis_of(keys: Keys, kind: str = "personal") -> MembershipAppend:
    """Returns the append that founds somebody's organization."""
    team = Team.found(keys, kind)
    return MembershipAppend(team.entries[0], EMPTY_LOG, organization_of(team.log), TIME)


@dataclass
class Household:
    """Somebody's account with an organization in a store, of which it is the owner."""

    store: MetadataStore
    keys: Keys
    device: Device
    team: Team
    org: Organization

    @classmethod
    def found(cls, store: MetadataStore, keys: Keys | None = None) -> Household:
        keys = keys or new_keys()
        team = Team.found(keys)
        state = organization_of(team.log)
        genesis = MembershipAppend(team.entries[0], EMPTY_LOG, state, TIME)
        device = device_of(keys)
        store.create_account(account_of(keys), genesis, device)
        return cls(store, keys, device, team, state)

    @classmethod
    def resumed(cls, store: MetadataStore, keys: Keys, entries: list[bytes]) -> Household:
        """Goes on in another process, for which the device does not matter."""
        org = OrgId(MembershipEntry.parse(entries[0]).hash)
        team = Team(MembershipLog.replay(org, entries), list(entries))
        return cls(store, keys, device_of(keys), team, organization_of(team.log))

    def entry(self, project: ProjectId | None = None) -> MembershipAppend:
        """Returns the append that adds a project."""
        return self.append_of(self.team.entry(self.keys, self.team.project_new(project)))

    def append_of(
        self, entry: MembershipEntry, heads: Mapping[ProjectId, Citation] | None = None
    ) -> MembershipAppend:
        """Returns the append of an entry that verifies; nothing has grown so far."""
        log = MembershipLog.replay(self.org.id, [*self.team.entries, entry.encoded])
        after = organization_of(log)
        project = entry.body.project if isinstance(entry.body, ProjectNew) else None
        deleted = self.org.projects - after.projects
        return MembershipAppend(
            entry.encoded, self.org.head, after, TIME, project, deleted, heads or {}
        )

    def grow(self, append: MembershipAppend | None = None) -> MembershipAppend:
        """Appends to the membership log."""
        append = append or self.entry()
        self.store.append_membership(append)
        self.took(append)
        return append

    def took(self, append: MembershipAppend) -> None:
        """Notes that an append landed."""
        self.team.take(MembershipEntry.parse(append.entry))
        self.org = append.state

    def stored(self) -> int:
        """Returns how many bytes the projects take."""
        return sum(summary.bytes for summary in self.store.projects(self.keys.account))

    def act(self, body: Body, actor: Keys | None = None) -> MembershipAppend:
        """Appends the entry of a body, by the owner or somebody else."""
        return self.grow(self.append_of(self.team.entry(actor or self.keys, body)))

    def admit(
        self, keys: Keys, role: Role, projects: Mapping[ProjectId, Role] | None = None
    ) -> None:
        """Takes somebody in as a member."""
        code = Code()
        self.act(self.team.invite(code, role, projects))
        self.act(self.team.join(code, keys), keys)

    def dismiss(self, keys: Keys, heads: Mapping[ProjectId, Citation] | None = None) -> None:
        """Removes a member, with new epochs of everything."""
        self.act(self.team.remove(keys.account, heads or {}))

    def new_project(self, others: Mapping[Keys, Role] | None = None) -> Project:
        """Adds a project to the organization, and members where they are given."""
        for keys, role in (others or {}).items():
            self.admit(keys, role)
        append = self.grow()
        assert append.project is not None
        return Project(append.project, self.org.id, self.org.head)

    def appending(self, project: Project, entry: PushEntry, time: int = TIME) -> PushAppend:
        """Returns the append of an entry, with the branches as they are after it."""
        listed = {commit.id: commit for commit in entry.commits}
        known = {commit.id: commit for commit in project.branches.values()} | listed
        branches: dict[BranchId, Branch | None] = {}
        for op in entry.ops:
            label = op.label or b"label"
            branches[op.branch] = Branch(known[op.new], label, entry.epoch) if op.new else None
        return PushAppend(entry, project.org, branches, time)

    def push(self, project: Project, entry: PushEntry | None = None) -> PushEntry:
        """Appends an entry to the push log."""
        entry = entry or project.entry(self.keys, project.commit())
        self.store.append_push(self.appending(project, entry))
        project.took(entry)
        return entry
