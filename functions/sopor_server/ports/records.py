"""The records that pass the metadata port: what the server keeps, and nothing that it could open.

Signed objects travel as their canonical bytes, exactly as they came. Times are milliseconds since
1970-01-01T00:00:00Z.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sopor_core.ids import AccountId, BranchId, CommitId, DeviceId, OrgId, ProjectId
from sopor_core.push_entry import Citation, ListedCommit, ListedPack, PushEntry


@dataclass(frozen=True, slots=True)
class Link:
    """A person of an issuer whose sign-on an account insists on (SPEC section 9.1).

    ``subject`` is a hash of 32 bytes: who the person is there is not kept.
    """

    issuer: str
    subject: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """A registered account; ``n`` is the number of its credentials."""

    id: AccountId
    login: str
    record: bytes
    credentials: bytes
    n: int
    organizations: tuple[OrgId, ...] = ()
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """One login of an account; ``refresh_hash`` is the SHA-256 of its refresh token."""

    id: DeviceId
    account: AccountId
    name: str
    created: int
    last_used: int
    refresh_hash: bytes = field(repr=False)
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Organization:
    """The state of an organization after its newest membership entry, at ``head``.

    ``state`` is what the service makes of the log (`sopor_server.service.state`); a store keeps it
    as it is. ``members`` and ``projects``, those that are not deleted, are what it can be found by.
    ``bytes`` is what these projects take. It may lag by 1 MiB for each project, of what other
    processes appended.
    """

    id: OrgId
    head: Citation
    members: frozenset[AccountId]
    projects: frozenset[ProjectId]
    state: bytes = field(repr=False)
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Branch:
    """Where a branch points; its name is sealed in ``label`` under epoch ``epoch``."""

    head: ListedCommit
    label: bytes
    epoch: int


@dataclass(frozen=True, slots=True)
class Project:
    """A project at one moment: ``head`` of its push log and the branches that follow from it.

    ``cited`` is the newest membership entry that a push entry cites. ``bytes`` counts entries, and
    packs that are listed or staged. ``known`` holds the public parts of some commits. Small packs
    of entries up to ``grouped`` are in groups, and of those up to ``cleared`` in groups only.
    """

    id: ProjectId
    organization: OrgId
    head: Citation
    cited: int
    bytes: int
    updated: int
    branches: Mapping[BranchId, Branch]
    known: Mapping[CommitId, ListedCommit] = field(default_factory=dict)
    grouped: int = 0
    cleared: int = 0


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """What a list of projects tells of one."""

    id: ProjectId
    organization: OrgId
    head: Citation
    bytes: int
    updated: int


@dataclass(frozen=True, slots=True)
class Presence:
    """The sealed note of a device that is present in a project (SPEC section 14)."""

    account: AccountId
    device: DeviceId
    sealed: bytes = field(repr=False)
    expires: int


@dataclass(frozen=True, slots=True)
class MembershipAppend:
    """Appends ``entry`` (canonical bytes) to a membership log whose head is ``previous``.

    ``state`` is the organization afterwards, ``project`` the project that the entry adds,
    ``deleted`` those that it deletes. ``heads`` are the heads that push logs must have for the
    entry to hold. An empty ``previous`` founds the organization.
    """

    entry: bytes
    previous: Citation
    state: Organization
    time: int
    project: ProjectId | None = None
    deleted: frozenset[ProjectId] = frozenset()
    heads: Mapping[ProjectId, Citation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PushAppend:
    """Appends a checked entry to the push log of a project of ``organization``.

    ``branches`` holds each branch that the entry changes, None for a deleted one.
    """

    entry: PushEntry
    organization: OrgId
    branches: Mapping[BranchId, Branch | None]
    time: int

    @property
    def packs(self) -> tuple[ListedPack, ...]:
        """The packs that the entry brings."""
        return self.entry.packs
