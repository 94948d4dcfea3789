"""Puts accounts, organizations and projects straight into a metadata store.

For what no request can arrange: other members, other roles, a head that moves in between.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sopor_core import canonical
from sopor_core.ids import NO_ENTRY, AccountId, BranchId, DeviceId, OrgId, ProjectId
from sopor_core.membership import MembershipEntry, MembershipLog, ProjectNew, Role
from sopor_core.push_entry import Citation, PushEntry
from sopor_server.ports.metadata import MetadataStore
from sopor_server.ports.records import (
    Account,
    Branch,
    Device,
    Member,
    MembershipAppend,
    Organization,
    PushAppend,
)
from sopor_server.service.membership import state_of
from tests.support.story import TIME, Keys, Project, first_epoch


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


def genesis_of(keys: Keys) -> MembershipAppend:
    """Returns the append that founds somebody's organization."""
    entry = keys.genesis()
    log = MembershipLog(OrgId(entry.hash))
    log.append(entry)
    return MembershipAppend(entry.encoded, Citation(0, NO_ENTRY), state_of(log), TIME)


@dataclass
class Household:
    """Somebody's account with an organization in a store."""

    store: MetadataStore
    keys: Keys
    device: Device
    org: Organization

    @classmethod
    def found(cls, store: MetadataStore, keys: Keys | None = None) -> Household:
        keys = keys or new_keys()
        device, genesis = device_of(keys), genesis_of(keys)
        store.create_account(account_of(keys), genesis, device)
        return cls(store, keys, device, genesis.state)

    def entry(
        self,
        project: ProjectId | None = None,
        *,
        others: Mapping[Keys, Role] | None = None,
    ) -> MembershipAppend:
        """Returns the append that adds a project, and more members where they are given."""
        project = project or ProjectId.random()
        body = ProjectNew(
            project,
            first_epoch(self.keys.account),
            secrets.token_bytes(92),
        )
        head = self.org.head
        entry = MembershipEntry(
            self.org.id, head.seq + 1, head.hash, self.keys.account, TIME, body
        ).sign(self.keys.signing)
        members: dict[AccountId, Member] = dict(self.org.members)
        for keys, role in (others or {}).items():
            members[keys.account] = Member(role, keys.signing.public)
        state = replace(
            self.org,
            head=entry.citation,
            members=members,
            epochs={**self.org.epochs, project: 1},
        )
        return MembershipAppend(entry.encoded, head, state, TIME, project)

    def grow(self, append: MembershipAppend | None = None) -> MembershipAppend:
        """Appends to the membership log."""
        append = append or self.entry()
        self.store.append_membership(append)
        self.org = append.state
        return append

    def new_project(self, others: Mapping[Keys, Role] | None = None) -> Project:
        """Adds a project to the organization."""
        append = self.grow(self.entry(others=others))
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
