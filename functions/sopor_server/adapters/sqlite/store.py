"""Joins the tables to the metadata port; every method is one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from sopor_core.ids import AccountId, CommitId, DeviceId, OrgId, PackId, ProjectId
from sopor_core.push_entry import Citation, ListedCommit, ListedPack
from sopor_server.adapters.sqlite import accounts, groups, links, organizations, presences, projects
from sopor_server.adapters.sqlite.connections import Connections
from sopor_server.ports.errors import DeviceTaken
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


class SqliteMetadataStore:
    """Implements `sopor_server.ports.metadata.MetadataStore`; docstrings there are the contract."""

    def __init__(self, path: Path, busy_seconds: float = 30.0) -> None:
        """Takes the path of the database file, which the first use creates."""
        self._connections = Connections(path, busy_seconds)

    def check(self) -> None:  # noqa: D102
        with self._connections.read() as db:
            db.execute("SELECT count(*) FROM used_challenges").fetchone()

    def close(self) -> None:  # noqa: D102
        self._connections.close()

    def create_account(  # noqa: D102
        self, account: Account, genesis: MembershipAppend, device: Device
    ) -> None:
        with self._connections.write() as db:
            accounts.insert(db, account)
            if account.link is not None:
                links.put(db, account.id, account.link)
            organizations.append(db, genesis)
            if accounts.find_device(db, device.id) is not None:
                raise DeviceTaken("the device id is in use")
            accounts.put_device(db, device)

    def account(self, account: AccountId) -> Account | None:  # noqa: D102
        with self._connections.read() as db:
            return accounts.find(db, "account = ?", account)

    def account_by_login(self, login: str) -> Account | None:  # noqa: D102
        with self._connections.read() as db:
            return accounts.find(db, "login = ?", login)

    def replace_credentials(  # noqa: D102
        self, account: AccountId, n: int, credentials: bytes
    ) -> None:
        with self._connections.write() as db:
            accounts.replace_credentials(db, account, n, credentials)

    def replace_keys(  # noqa: D102
        self, account: AccountId, n: int, record: bytes, credentials: bytes, keep: DeviceId
    ) -> None:
        with self._connections.write() as db:
            accounts.replace_keys(db, account, n, (record, credentials))
            accounts.revoke_all(db, account, but=keep)

    def put_device(self, device: Device) -> None:  # noqa: D102
        with self._connections.write() as db:
            accounts.put_device(db, device)

    def device(self, device: DeviceId) -> Device | None:  # noqa: D102
        with self._connections.read() as db:
            return accounts.find_device(db, device)

    def devices(self, account: AccountId) -> Sequence[Device]:  # noqa: D102
        with self._connections.read() as db:
            return accounts.live_devices(db, account)

    def revoke_device(self, account: AccountId, device: DeviceId) -> bool:  # noqa: D102
        with self._connections.write() as db:
            return accounts.revoke(db, account, device)

    def touch_device(self, device: DeviceId, time: int) -> None:  # noqa: D102
        with self._connections.write() as db:
            accounts.touch(db, device, time)

    def link(self, account: AccountId, link: Link) -> None:  # noqa: D102
        with self._connections.write() as db:
            links.put(db, account, link)

    def unlink(self, account: AccountId) -> bool:  # noqa: D102
        with self._connections.write() as db:
            return links.drop(db, account)

    def use_challenge(self, challenge: bytes, expires: int, now: int) -> None:  # noqa: D102
        with self._connections.write() as db:
            accounts.use_challenge(db, challenge, expires, now)

    def organization(self, org: OrgId) -> Organization | None:  # noqa: D102
        with self._connections.read() as db:
            return organizations.find(db, org)

    def membership_entries(  # noqa: D102
        self, org: OrgId, after: int, max_bytes: int
    ) -> Sequence[bytes]:
        with self._connections.read() as db:
            return organizations.entries(db, org, after, max_bytes)

    def append_membership(self, append: MembershipAppend) -> None:  # noqa: D102
        with self._connections.write() as db:
            organizations.append(db, append)

    def project(self, project: ProjectId, *, commits: int = 0) -> Project | None:  # noqa: D102
        with self._connections.read() as db:
            return projects.find(db, project, commits)

    def heads(self, projects: Collection[ProjectId]) -> Mapping[ProjectId, Citation]:  # noqa: D102
        with self._connections.read() as db:
            return organizations.projects_heads(db, projects)

    def deleted_projects(self, before: int) -> Collection[ProjectId]:  # noqa: D102
        with self._connections.read() as db:
            return projects.deleted(db, before)

    def erased(self, project: ProjectId) -> None:  # noqa: D102
        with self._connections.write() as db:
            projects.erased(db, project)

    def projects(self, account: AccountId) -> Sequence[ProjectSummary]:  # noqa: D102
        with self._connections.read() as db:
            return projects.of_account(db, account)

    def push_entries(  # noqa: D102
        self, project: ProjectId, after: int, limit: int, max_bytes: int
    ) -> Sequence[bytes]:
        with self._connections.read() as db:
            return projects.entries(db, project, after, limit, max_bytes)

    def commits(  # noqa: D102
        self, project: ProjectId, ids: Collection[CommitId], *, ancestors: int = 0
    ) -> Mapping[CommitId, ListedCommit]:
        with self._connections.read() as db:
            return projects.known_commits(db, project, ids, ancestors)

    def append_push(self, append: PushAppend) -> None:  # noqa: D102
        with self._connections.write() as db:
            projects.append(db, append)

    def stage_pack(self, project: ProjectId, pack: ListedPack, time: int) -> None:  # noqa: D102
        with self._connections.write() as db:
            projects.stage(db, project, pack, time)

    def unlisted(  # noqa: D102
        self, project: ProjectId, packs: Collection[PackId]
    ) -> Collection[PackId]:
        with self._connections.read() as db:
            return projects.unlisted(db, project, packs)

    def uncount_pack(self, project: ProjectId, pack: ListedPack) -> None:  # noqa: D102
        with self._connections.write() as db:
            projects.uncount(db, project, pack)

    def put_presence(self, project: ProjectId, presence: Presence) -> None:  # noqa: D102
        with self._connections.write() as db:
            presences.put(db, project, presence)

    def presences(self, project: ProjectId, now: int) -> Sequence[Presence]:  # noqa: D102
        with self._connections.read() as db:
            return presences.of_project(db, project, now)

    def add_group(self, group: PackGroup) -> bool:  # noqa: D102
        with self._connections.write() as db:
            return groups.add(db, group)

    def groups(  # noqa: D102
        self, project: ProjectId, after: int, limit: int
    ) -> Sequence[PackGroup]:
        with self._connections.read() as db:
            return groups.after(db, project, after, limit)

    def group_of(self, project: ProjectId, pack: PackId) -> PackGroup | None:  # noqa: D102
        with self._connections.read() as db:
            return groups.of_pack(db, project, pack)

    def clear_groups(self, project: ProjectId, through: int) -> None:  # noqa: D102
        with self._connections.write() as db:
            groups.clear(db, project, through)

    def drop_expired(self, now: int) -> None:  # noqa: D102
        with self._connections.write() as db:
            accounts.drop_expired(db, now)
            presences.drop_expired(db, now)
