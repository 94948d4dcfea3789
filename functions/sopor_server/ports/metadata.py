"""The metadata port: accounts, devices, logs with compare-and-swap append, one-use challenges.

Every method is atomic: it happens wholly or not at all, and a reader sees a state that one moment
had. Methods may be called from many threads and processes at once. Not-found is None or an empty
collection. What may escape is named for each method, and `StoreUnavailable` for all; after
`StoreUnavailable` from a write the write may have happened, so every write says what a second
call with the same arguments does.

Costs are counted in documents read and written, as Firestore bills them, so that a push stays at
three reads and three writes: a read named *one read* may not need more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from sopor_core.ids import AccountId, CommitId, DeviceId, OrgId, PackId, ProjectId
from sopor_core.push_entry import Citation, ListedCommit, ListedPack
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


class MetadataStore(Protocol):
    """Keeps everything but the packs."""

    def check(self) -> None:
        """Returns if the store answers; raises StoreUnavailable."""

    # ------------------------------------------------------------------ accounts and devices

    def create_account(self, account: Account, genesis: MembershipAppend, device: Device) -> None:
        """Registers an account with its personal organization and first device, in one step.

        A second call raises AccountExists and changes nothing.

        Raises:
            AccountExists: the account id is registered.
            LoginTaken: the login name belongs to another account.
            SubjectTaken: another account has the link that this one comes with.
            LogMoved: the organization exists.
            DeviceTaken: the device id exists.
        """

    def account(self, account: AccountId) -> Account | None:
        """Returns an account. One read."""

    def account_by_login(self, login: str) -> Account | None:
        """Returns the account with a login name, which is in its normal form."""

    def replace_credentials(self, account: AccountId, n: int, credentials: bytes) -> None:
        """Replaces the credentials whose number is ``n - 1`` by these, whose number is ``n``.

        The same bytes again are success.

        Raises:
            CredentialsMoved: the present number is another one, or there is no such account.
        """

    def replace_keys(
        self, account: AccountId, n: int, record: bytes, credentials: bytes, keep: DeviceId
    ) -> None:
        """Replaces record and credentials at once, and revokes all devices but ``keep``.

        The number of the present credentials is ``n - 1``. The same bytes again are success, and
        revoke what was left. A device that is put meanwhile may stay live; who puts one looks
        again afterwards whether the credentials are still those that let it in.

        Raises:
            CredentialsMoved: the present number is another one, or there is no such account.
        """

    def put_device(self, device: Device) -> None:
        """Creates a device, or replaces the live one of the same id and account.

        Raises:
            DeviceTaken: the id belongs to another account, or the device is revoked.
        """

    def device(self, device: DeviceId) -> Device | None:
        """Returns a device, revoked ones as well. One read."""

    def devices(self, account: AccountId) -> Sequence[Device]:
        """Returns the live devices of an account, the oldest first."""

    def revoke_device(self, account: AccountId, device: DeviceId) -> bool:
        """Revokes a device for good; tells whether the account has one of this id.

        Revoking again is success. After the call no read shows the device live.
        """

    def touch_device(self, device: DeviceId, time: int) -> None:
        """Notes that a device was used; never moves the time back, ignores unknown devices."""

    def link(self, account: AccountId, link: Link) -> None:
        """Links an account to a person of an issuer, in place of a link to another issuer.

        The same link again is success.

        Raises:
            SubjectTaken: another account has this link.
            LinkMoved: the account is linked to another person of this issuer, or there is no such
                account.
        """

    def unlink(self, account: AccountId) -> bool:
        """Forgets whom an account is linked to, which frees the person; tells whether it was.

        Again, it does nothing.
        """

    def use_challenge(self, challenge: bytes, expires: int, now: int) -> None:
        """Notes that a challenge was answered; of any number of calls exactly one succeeds.

        The note is kept at least until ``expires``; notes that expired before ``now`` may go.

        Raises:
            ChallengeUsed: a call for this challenge succeeded before.
        """

    # ------------------------------------------------------------------------ organizations

    def organization(self, org: OrgId) -> Organization | None:
        """Returns the state of an organization after its newest entry. One read."""

    def membership_entries(self, org: OrgId, after: int, max_bytes: int) -> Sequence[bytes]:
        """Returns the entries that follow entry ``after``, in order, without a gap.

        Stops after the entry with which the sum of lengths reaches ``max_bytes``, so that one
        entry at least comes where there is one.
        """

    def append_membership(self, append: MembershipAppend) -> None:
        """Appends to a membership log, with the new state and the new project, in one step.

        In the same step the heads of push logs are compared with ``heads``, so that no push comes
        between a cut and the entry that makes it, and the projects that are deleted are marked with
        the time. The same entry again is success and changes nothing.

        Raises:
            LogMoved: the log's head is not ``previous``.
            HeadsMoved: a push log has another head, or there is no such project.
            ProjectExists: the new project's id is in use.
        """

    # ----------------------------------------------------------------------------- projects

    def project(self, project: ProjectId, *, commits: int = 0) -> Project | None:
        """Returns a project. One read.

        ``known`` of the answer holds about ``commits`` of the newest commits where they come with
        the same read, else fewer; every branch's head is in ``branches`` anyway.
        """

    def heads(self, projects: Collection[ProjectId]) -> Mapping[ProjectId, Citation]:
        """Returns the heads of the push logs of these projects; unknown ones are absent."""

    def projects(self, account: AccountId) -> Sequence[ProjectSummary]:
        """Returns the projects of all organizations that an account is a member of.

        Deleted ones are left out.
        """

    def deleted_projects(self, before: int) -> Collection[ProjectId]:
        """Returns the projects that were deleted before a time and not erased since."""

    def erased(self, project: ProjectId) -> None:
        """Notes that the packs of a deleted project are erased; again it does nothing."""

    def push_entries(
        self, project: ProjectId, after: int, limit: int, max_bytes: int
    ) -> Sequence[bytes]:
        """Returns at most ``limit`` entries that follow entry ``after``, in order, without a gap.

        Stops after the entry with which the sum of lengths reaches ``max_bytes``, so that one
        entry at least comes where there is one.
        """

    def commits(
        self, project: ProjectId, ids: Collection[CommitId], *, ancestors: int = 0
    ) -> Mapping[CommitId, ListedCommit]:
        """Returns what entries of this project first listed of these commits (``same`` left out).

        Unknown ones are absent. May hold further commits of the project: a caller who is going to
        walk back asks for about ``ancestors`` of their ancestors, the nearest first.
        """

    def append_push(self, append: PushAppend) -> None:
        """Appends to a push log: entry, head, branches, commits and packs, in one step.

        In the same step the organization's head is compared with the one that the entry cites, so
        that a role taken away in this moment counts. The same entry again is success and changes
        nothing, whatever was appended since. The project's bytes grow by the entry and its packs;
        packs that were staged or listed lately are not counted again. Three writes at most, unless
        the entry is longer than a document or the project has thousands of branches.

        Raises:
            LogMoved: the log's head is not the one that the entry continues.
            MembershipMoved: the organization's head is not the one that the entry cites.
            CommitDiffers: an earlier entry listed a commit with other parents or another root.
                Where finding that out would cost a further read, the entry may be accepted
                instead; the first listing stays. Clients refuse such an entry themselves.
        """

    def stage_pack(self, project: ProjectId, pack: ListedPack, time: int) -> None:
        """Counts a pack that was put before any entry lists it; the same again is success.

        Its bytes count to the project. An unknown project is ignored.
        """

    def unlisted(self, project: ProjectId, packs: Collection[PackId]) -> Collection[PackId]:
        """Returns those of the packs that no entry of the project lists; all, if it is unknown."""

    def uncount_pack(self, project: ProjectId, pack: ListedPack) -> None:
        """Counts a pack no longer that was staged, is not listed, and is gone.

        Again, or for a pack that is not counted, it does nothing. A pack that was staged long ago
        may stay counted.
        """

    # ----------------------------------------------------------------------------- presence

    def put_presence(self, project: ProjectId, presence: Presence) -> None:
        """Keeps the note of a device in a project instead of the one before; an empty one ends it.

        One write, without a look at what is there: of two for the same device one stays. Notes
        that expired before the last `presences` of this process may go with it. The same note again
        is success.
        """

    def presences(self, project: ProjectId, now: int) -> Sequence[Presence]:
        """Returns the notes of a project that have not expired, by device. One read."""

    # ----------------------------------------------------------------------- groups of packs

    def add_group(self, group: PackGroup) -> bool:
        """Notes that small packs of a project are joined; tells whether that is noted now.

        The group's first entry is the one after the last group's last, else nothing happens. The
        same packs at the same place again are success, and the earlier time stays.
        """

    def groups(self, project: ProjectId, after: int, limit: int) -> Sequence[PackGroup]:
        """Returns at most ``limit`` groups whose last entry follows entry ``after``, in order.

        One read for each.
        """

    def group_of(self, project: ProjectId, pack: PackId) -> PackGroup | None:
        """Returns a group that a pack is in. One read."""

    def clear_groups(self, project: ProjectId, through: int) -> None:
        """Notes that the packs of groups up to entry ``through`` do not stand by themselves too.

        Never moves back; an unknown project is ignored.
        """

    # ----------------------------------------------------------------------------- the store

    def drop_expired(self, now: int) -> None:
        """Drops what expired before ``now``, unless the storage does so.

        Notes of challenges, and of who was present.
        """

    def close(self) -> None:
        """Gives up connections; the store is not used afterwards."""
