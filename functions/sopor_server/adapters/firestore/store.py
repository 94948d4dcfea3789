"""Joins the parts of the adapter to the metadata port."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sopor_core.ids import AccountId, CommitId, DeviceId, OrgId, PackId, ProjectId
from sopor_core.push_entry import Citation, ListedCommit, ListedPack
from sopor_server.adapters.firestore.accounts import Accounts
from sopor_server.adapters.firestore.connection import Connection
from sopor_server.adapters.firestore.database import Database
from sopor_server.adapters.firestore.groups import Groups
from sopor_server.adapters.firestore.organizations import Organizations
from sopor_server.adapters.firestore.presences import Presences
from sopor_server.adapters.firestore.projects import Projects
from sopor_server.ports.groups import PackGroup
from sopor_server.ports.records import (
    Account,
    Device,
    Link,
    MembershipAppend,
    Organization,
    Presence,
    Project,
    ProjectSummary,
    PushAppend,
)


class FirestoreMetadataStore:
    """Implements `sopor_server.ports.metadata.MetadataStore`; docstrings there are the contract."""

    def __init__(self, database: Database) -> None:
        """Takes the database, which needs no preparation."""
        self._database = database
        self._organizations = Organizations(database)
        self._accounts = Accounts(database, self._organizations)
        self._projects = Projects(database, self._organizations)
        self._groups = Groups(database)
        self._presences = Presences(database)

    @classmethod
    def open(
        cls, project: str, database: str, emulator: str | None = None
    ) -> FirestoreMetadataStore:
        """Opens a database at Google, or at an emulator (``host:port``)."""
        return cls(Database(project, database, Connection(emulator)))

    def check(self) -> None:  # noqa: D102
        self._database.get("checks/none")

    def close(self) -> None:
        """Closes the connection."""
        self._database.close()

    def create_account(  # noqa: D102
        self, account: Account, genesis: MembershipAppend, device: Device
    ) -> None:
        self._accounts.create(account, genesis, device)

    def account(self, account: AccountId) -> Account | None:  # noqa: D102
        return self._accounts.find(account)

    def account_by_login(self, login: str) -> Account | None:  # noqa: D102
        return self._accounts.by_login(login)

    def replace_credentials(  # noqa: D102
        self, account: AccountId, n: int, credentials: bytes
    ) -> None:
        self._accounts.replace_credentials(account, n, credentials)

    def replace_keys(  # noqa: D102
        self, account: AccountId, n: int, record: bytes, credentials: bytes, keep: DeviceId
    ) -> None:
        self._accounts.replace_keys(account, n, (record, credentials), keep)

    def put_device(self, device: Device) -> None:  # noqa: D102
        self._accounts.put_device(device)

    def device(self, device: DeviceId) -> Device | None:  # noqa: D102
        return self._accounts.device(device)

    def devices(self, account: AccountId) -> Sequence[Device]:  # noqa: D102
        return self._accounts.devices(account)

    def revoke_device(self, account: AccountId, device: DeviceId) -> bool:  # noqa: D102
        return self._accounts.revoke(account, device)

    def touch_device(self, device: DeviceId, time: int) -> None:  # noqa: D102
        self._accounts.touch(device, time)

    def link(self, account: AccountId, link: Link) -> None:  # noqa: D102
        self._accounts.link(account, link)

    def unlink(self, account: AccountId) -> bool:  # noqa: D102
        return self._accounts.unlink(account)

    def use_challenge(  # noqa: D102
        self,
        challenge: bytes,
        expires: int,
        now: int,  # noqa: ARG002
    ) -> None:
        self._accounts.use_challenge(challenge, expires)

    def organization(self, org: OrgId) -> Organization | None:  # noqa: D102
        return self._organizations.find(org)

    def membership_entries(  # noqa: D102
        self, org: OrgId, after: int, max_bytes: int
    ) -> Sequence[bytes]:
        return self._organizations.entries(org, after, max_bytes)

    def append_membership(self, append: MembershipAppend) -> None:  # noqa: D102
        self._organizations.append(append)

    def project(self, project: ProjectId, *, commits: int = 0) -> Project | None:  # noqa: D102
        return self._projects.find(project, commits)

    def heads(self, projects: Collection[ProjectId]) -> Mapping[ProjectId, Citation]:  # noqa: D102
        return self._organizations.heads(projects)

    def deleted_projects(self, before: int) -> Collection[ProjectId]:  # noqa: D102
        return self._projects.deleted(before)

    def erased(self, project: ProjectId) -> None:  # noqa: D102
        self._projects.erased(project)

    def projects(self, account: AccountId) -> Sequence[ProjectSummary]:  # noqa: D102
        return self._projects.of_account(account)

    def push_entries(  # noqa: D102
        self, project: ProjectId, after: int, limit: int, max_bytes: int
    ) -> Sequence[bytes]:
        return self._projects.entries(project, after, limit, max_bytes)

    def commits(  # noqa: D102
        self, project: ProjectId, ids: Collection[CommitId], *, ancestors: int = 0
    ) -> Mapping[CommitId, ListedCommit]:
        return self._projects.commits(project, ids, ancestors)

    def append_push(self, append: PushAppend) -> None:  # noqa: D102
        self._projects.append(append)

    def stage_pack(  # noqa: D102
        self,
        project: ProjectId,
        pack: ListedPack,
        time: int,  # noqa: ARG002
    ) -> None:
        self._projects.stage(project, pack)

    def unlisted(  # noqa: D102
        self, project: ProjectId, packs: Collection[PackId]
    ) -> Collection[PackId]:
        return self._projects.unlisted(project, packs)

    def uncount_pack(self, project: ProjectId, pack: ListedPack) -> None:  # noqa: D102
        self._projects.uncount(project, pack)

    def put_presence(self, project: ProjectId, presence: Presence) -> None:  # noqa: D102
        self._presences.put(project, presence)

    def presences(self, project: ProjectId, now: int) -> Sequence[Presence]:  # noqa: D102
        return self._presences.of_project(project, now)

    def add_group(self, group: PackGroup) -> bool:  # noqa: D102
        return self._groups.add(group)

    def groups(  # noqa: D102
        self, project: ProjectId, after: int, limit: int
    ) -> Sequence[PackGroup]:
        return self._groups.after(project, after, limit)

    def group_of(self, project: ProjectId, pack: PackId) -> PackGroup | None:  # noqa: D102
        return self._groups.of_pack(project, pack)

    def clear_groups(self, project: ProjectId, through: int) -> None:  # noqa: D102
        self._groups.clear(project, through)

    def drop_expired(self, now: int) -> None:
        """Does nothing: Firestore deletes such documents by their time to live."""
