"""Projects and their push logs in Firestore.

A push reads the head and the organization before, to be judged; what was read is remembered, so
that the append needs no further read. It is one commit: the entry is created, the head changes if
it still is as it was read, and so does the organization, of which nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sopor_core.ids import AccountId, CommitId, OrgId, PackId, ProjectId
from sopor_core.push_entry import Citation, ListedCommit, ListedPack, PushEntry
from sopor_server.adapters.firestore.branches import change_branches, read_branches
from sopor_server.adapters.firestore.database import Database
from sopor_server.adapters.firestore.logs import Log
from sopor_server.adapters.firestore.organizations import (
    Organizations,
    head_of,
    project_path,
)
from sopor_server.adapters.firestore.packing import pack_commits, unpack_branches, unpack_commits
from sopor_server.adapters.firestore.settling import Attempt, Recent, settle
from sopor_server.adapters.firestore.values import Document, Value
from sopor_server.adapters.google.retries import attempts
from sopor_server.ports.errors import (
    CommitDiffers,
    LogMoved,
    MembershipMoved,
    StoreUnavailable,
)
from sopor_server.ports.records import Project, ProjectSummary, PushAppend

if TYPE_CHECKING:
    from google.cloud.firestore_v1.types import Write

T = TypeVar("T")
_RECENT_COMMITS = 64
_RECENT_PACKS = 256
_ID_BYTES = 16
_IDS_A_QUERY = 30
_BYTES_AT_ONCE = 8 * 1024 * 1024
_SUMMARY = ("org", "seq", "hash", "bytes", "updated", "deleted")


@dataclass(frozen=True, slots=True)
class _Plan:
    writes: list[Write]
    size: int


class Projects:
    """The projects of one database."""

    def __init__(self, database: Database, organizations: Organizations) -> None:
        self._database = database
        self._organizations = organizations
        self._found: Recent[Document] = Recent(64)

    def find(self, project: ProjectId, commits: int) -> Project | None:
        """Returns a project with its branches and some of its newest commits."""
        for _ in attempts():
            head = self._read(project)
            if head is None:
                return None
            branches = read_branches(self._database, head)
            if branches is not None:
                break
        else:
            raise StoreUnavailable("the branches change faster than they can be read")
        fields = head.fields
        newest = unpack_commits(fields["known"])[-commits:] if commits else []
        return Project(
            project,
            OrgId(fields["org"]),
            head_of(head),
            fields["cited"],
            fields["bytes"],
            fields["updated"],
            branches,
            {commit.id: commit for commit in newest},
            fields.get("grouped", 0),
            fields.get("cleared", 0),
        )

    def of_account(self, account: AccountId) -> Sequence[ProjectSummary]:
        """Returns the projects of an account's organizations, all as of one moment."""
        path = f"accounts/{account.hex()}"
        accounts, moment = self._database.get_many([path])
        orgs = accounts[path].fields.get("orgs", []) if path in accounts else []
        found: list[ProjectSummary] = []
        for some in _slices(orgs):
            where = self._database.where("org", "IN", some)
            heads = self._database.query("projects", where, select=_SUMMARY, moment=moment)
            found += [_summary(head) for head in heads if "deleted" not in head.fields]
        return sorted(found, key=lambda summary: (summary.organization, summary.id))

    def deleted(self, before: int) -> Collection[ProjectId]:
        """Returns the projects that were deleted before a time and not erased since."""
        where = self._database.where("to_erase", "EQUAL", True)
        found = self._database.query("projects", where, select=("deleted",))
        return [ProjectId.from_hex(head.id) for head in found if head.fields["deleted"] < before]

    def erased(self, project: ProjectId) -> None:
        """Notes that the packs of a deleted project are erased."""

        def prepare(_: Attempt) -> list[Write] | None:
            head = self._database.get(project_path(project))
            if head is None or not head.fields.get("to_erase"):
                return None
            return [self._database.change(head, {"to_erase": False})]

        settle(self._database, prepare)

    def entries(
        self, project: ProjectId, after: int, limit: int, max_bytes: int
    ) -> Sequence[bytes]:
        """Returns the entries after one, up to about ``max_bytes``."""
        return self._log(project).read(after, limit, max_bytes)

    def commits(
        self, project: ProjectId, ids: Collection[CommitId], ancestors: int
    ) -> Mapping[CommitId, ListedCommit]:
        """Returns the commits, and those of about ``ancestors`` entries before them."""
        log = self._log(project)
        listing = {seq: _commits_of(entry) for seq, entry in self._listing(log, list(ids))}
        found: dict[CommitId, ListedCommit] = {}
        for seq in sorted(listing):
            for commit in listing[seq].keys() & set(ids):
                # The first listing stays.
                found.setdefault(commit, listing[seq][commit])
        if listing and ancestors:
            found = {**self._before(log, max(listing), ancestors), **found}
        return found

    def append(self, append: PushAppend) -> None:
        """Appends an entry; raises LogMoved, MembershipMoved or CommitDiffers."""
        entry = append.entry

        size: int | None = None

        def prepare(attempt: Attempt) -> Sequence[Write] | None:
            nonlocal size
            plan = self._plan_from_memory(append) if attempt.number == 0 else None
            plan = plan or self._plan_anew(append)
            size = plan.size if plan else None
            return plan.writes if plan else None

        try:
            settle(self._database, prepare)
        finally:
            self._found.forget(project_path(entry.project))
        if size is not None:
            self._organizations.note_size(entry.project, size)

    def stage(self, project: ProjectId, pack: ListedPack) -> None:
        """Counts a pack that no entry lists yet."""
        log = self._log(project)

        def prepare(_: Attempt) -> list[Write] | None:
            head = self._read(project)
            if head is None or _counted(head.fields["packs"], pack):
                return None
            if log.listing("packs", [pack.id]):
                return None
            size = head.fields["bytes"] + pack.size
            packs = _with_packs(head.fields["packs"], [pack])
            return [
                self._database.change(head, {"bytes": size, "packs": packs}),
            ]

        settle(self._database, prepare)

    def unlisted(self, project: ProjectId, packs: Collection[PackId]) -> Collection[PackId]:
        """Returns those of the packs that no entry lists."""
        log = self._log(project)
        listed: set[bytes] = set()
        for some in _slices(list(packs)):
            listed.update(log.listed("packs", some))
        return [pack for pack in packs if pack not in listed]

    def uncount(self, project: ProjectId, pack: ListedPack) -> None:
        """Counts a staged pack no longer, as long as it is among those counted lately."""

        def prepare(_: Attempt) -> list[Write] | None:
            head = self._read(project)
            if head is None or not _counted(head.fields["packs"], pack):
                return None
            if not self.unlisted(project, [pack.id]):
                return None
            packs = _without_pack(head.fields["packs"], pack)
            size = head.fields["bytes"] - pack.size
            return [self._database.change(head, {"bytes": size, "packs": packs})]

        settle(self._database, prepare)

    def _plan_from_memory(self, append: PushAppend) -> _Plan | None:
        """Plans with what was read before, unless it does not fit: that proves nothing."""
        head = self._found.find(project_path(append.entry.project))
        org = self._organizations.remembered(append.organization)
        if head is None or org is None or not _follows(head, org, append.entry):
            return None
        return self._plan(append, head, org)

    def _plan_anew(self, append: PushAppend) -> _Plan | None:
        """Plans with what it reads; returns None if the entry is there."""
        entry = append.entry
        for _ in attempts():
            head = self._read(entry.project)
            if head_of(head) != Citation(entry.seq - 1, entry.prev) or head is None:
                if entry.seq <= head_of(head).seq and self._has(entry):
                    return None
                raise LogMoved("the push log has moved")
            org = self._organizations.read(append.organization)
            if org is None or head_of(org) != entry.members:
                raise MembershipMoved("the membership has moved")
            plan = self._plan(append, head, org)
            if plan is not None:
                return plan
        raise StoreUnavailable("the branches change faster than they can be read")

    def _plan(self, append: PushAppend, head: Document, org: Document) -> _Plan | None:
        """Returns the three writes of an append, or None if the head is no longer the head."""
        entry, fields = append.entry, head.fields
        changed = change_branches(self._database, head, append.branches, entry.seq)
        if changed is None:
            return None
        fresh = [pack for pack in append.packs if not _counted(fields["packs"], pack)]
        size = fields["bytes"] + len(entry.encoded) + sum(pack.size for pack in fresh)
        after: dict[str, Value] = {
            "seq": entry.seq,
            "hash": bytes(entry.hash),
            "cited": entry.members.seq,
            "bytes": size,
            "updated": append.time,
            "known": pack_commits(_known_after(head, entry)),
            "packs": _with_packs(fields["packs"], fresh),
            **changed.fields,
        }
        lists: dict[str, Sequence[bytes]] = {
            "commits": [commit.id for commit in entry.commits],
            "packs": [pack.id for pack in entry.packs],
        }
        writes = [
            *self._log(entry.project).writes(entry.seq, entry.encoded, lists),
            self._database.change(head, after),
            self._organizations.pin(org, entry.project, size),
            *changed.writes,
        ]
        return _Plan(writes, size)

    def _read(self, project: ProjectId) -> Document | None:
        head = self._database.get(project_path(project))
        if head is not None:
            self._found.note(head.path, head)
            self._organizations.note_size(project, head.fields["bytes"])
        return head

    def _has(self, entry: PushEntry) -> bool:
        return self._log(entry.project).has(entry.seq, entry.encoded)

    def _listing(self, log: Log, ids: Sequence[CommitId]) -> Iterable[tuple[int, bytes]]:
        """Returns every entry that lists one of the commits."""
        if len(ids) <= _IDS_A_QUERY:
            return log.listing("commits", ids) if ids else []
        # One entry may list most of them: it is fetched once.
        numbers = {seq for some in _slices(ids) for seq in log.numbers("commits", some)}
        return log.at(sorted(numbers))

    def _before(self, log: Log, seq: int, count: int) -> dict[CommitId, ListedCommit]:
        """Returns the commits of about ``count`` entries up to number ``seq``, page by page."""
        found: dict[CommitId, ListedCommit] = {}
        left = _BYTES_AT_ONCE
        while count > 0 and seq > 0 and left > 0:
            some = min(count, seq, _RECENT_COMMITS)
            entries = log.read(seq - some, some, left)
            for entry in reversed(entries):
                found |= _commits_of(entry)
            left -= sum(map(len, entries))
            seq, count = seq - some, count - some
        return found

    def _log(self, project: ProjectId) -> Log:
        return Log(self._database, project_path(project), "push_entries")


def _follows(head: Document, org: Document, entry: PushEntry) -> bool:
    return head_of(head) == Citation(entry.seq - 1, entry.prev) and head_of(org) == entry.members


def _summary(head: Document) -> ProjectSummary:
    fields = head.fields
    project = ProjectId.from_hex(head.id)
    return ProjectSummary(
        project, OrgId(fields["org"]), head_of(head), fields["bytes"], fields["updated"]
    )


def _known_after(head: Document, entry: PushEntry) -> Iterable[ListedCommit]:
    """Returns the newest commits, each as it was first listed; raises CommitDiffers."""
    known = {commit.id: commit for commit in unpack_commits(head.fields["known"])}
    heads = unpack_branches(head.fields["branches"]).values()
    earlier = known | {branch.head.id: branch.head for branch in heads if branch}
    for commit in entry.commits:
        found = earlier.get(commit.id)
        if found is None:
            known[commit.id] = commit
        elif (found.parents, found.root) != (commit.parents, commit.root):
            raise CommitDiffers(f"commit {commit.id.short} is listed differently")
    return list(known.values())[-_RECENT_COMMITS:]


def _commits_of(entry: bytes) -> dict[CommitId, ListedCommit]:
    listed = map(ListedCommit.from_json, json.loads(entry)["commits"])
    return {commit.id: ListedCommit(commit.id, commit.parents, commit.root) for commit in listed}


def _counted(packs: bytes, pack: ListedPack) -> bool:
    """Tells whether a pack is among those that were counted lately."""
    return pack.id[:_ID_BYTES] in _shorts(packs)


def _without_pack(packs: bytes, pack: ListedPack) -> bytes:
    return b"".join(short for short in _shorts(packs) if short != pack.id[:_ID_BYTES])


def _shorts(packs: bytes) -> list[bytes]:
    return [packs[at : at + _ID_BYTES] for at in range(0, len(packs), _ID_BYTES)]


def _with_packs(packs: bytes, more: Iterable[ListedPack]) -> bytes:
    joined = packs + b"".join(pack.id[:_ID_BYTES] for pack in more)
    return joined[-_RECENT_PACKS * _ID_BYTES :]


def _slices(ids: Sequence[T]) -> Iterable[list[T]]:
    for start in range(0, len(ids), _IDS_A_QUERY):
        yield list(ids[start : start + _IDS_A_QUERY])
