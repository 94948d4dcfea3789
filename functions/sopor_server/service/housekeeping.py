"""Housekeeping: removes packs that nothing lists, in two steps that are days apart.

A push stores its packs before its entry, so a crash in between leaves packs that no entry lists.
Such a pack is marked when it is a day old, and removed when it is still not listed `keep_days`
after that. So long a restore of the metadata may bring back entries that list it, or take away
entries whose packs clients then publish again.

A mark is an empty blob ``orphans/{project}/{pack}``; its time is that of the first finding.

The packs of a deleted project go `keep_days` after the deletion, listed or not.

Small packs of neighbouring entries are joined (`sopor_server.service.grouping`).

A pack that was to come straight to the storage is counted from the moment on in which its address
was given. Where it never came, it is counted no longer after a day; the note of it goes anyway.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sopor_core.ids import PackId, ProjectId
from sopor_core.push_entry import ListedPack
from sopor_server.ports.blobs import BlobInfo, BlobStore, pack_key, upload_of
from sopor_server.ports.errors import BlobMissing
from sopor_server.ports.groups import PREFIX
from sopor_server.ports.metadata import MetadataStore
from sopor_server.service.grouping import DAY, Grouping

_LOOKED_AT_DAYS = 14
_PACKS, _MARKS, _NOTES = "packs", "orphans", "uploads"


@dataclass
class Report:
    """What a run did.

    Packs looked at, newly marked and removed; bytes that removing freed; packs that were joined
    into groups, and packs that stand in their groups only from now on.
    """

    looked_at: int = 0
    marked: int = 0
    removed: int = 0
    freed: int = 0
    joined: int = 0
    cleared: int = 0


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """Keeps the house of two storages.

    ``now`` is the time in milliseconds, ``keep_days`` how long a marked pack is kept: a day more
    than any restore goes back. ``everything`` looks at packs of any age; otherwise packs older
    than two weeks that are not marked were looked at by earlier runs.
    """

    store: MetadataStore
    blobs: BlobStore
    now: int
    keep_days: int
    everything: bool = False

    def run(self) -> Report:
        """Does the work; may be broken off at any point and run again.

        Raises:
            StoreUnavailable: a storage does not answer.
        """
        self.store.drop_expired(self.now)
        self._forget_uploads()
        report = Report()
        self._erase_deleted(report)
        marks = {
            blob.key.removeprefix(f"{_MARKS}/"): blob.modified for blob in self.blobs.list(_MARKS)
        }
        for project, packs in self._candidates(marks).items():
            self._look_at(project, packs, marks, report)
        for name in marks:
            if self.blobs.size(f"{_PACKS}/{name}") is None:
                self.blobs.delete(f"{_MARKS}/{name}")
        grouping = Grouping(self.store, self.blobs, self.now, self.keep_days)
        report.joined, report.cleared = grouping.run()
        report.freed += grouping.remove_lost()
        return report

    def _erase_deleted(self, report: Report) -> None:
        """Removes all packs of projects that were deleted longer ago than a restore goes.

        What is put into one in this moment is not listed, and goes as such.
        """
        for project in self.store.deleted_projects(self.now - self.keep_days * DAY):
            for blob in self.blobs.list(f"{_PACKS}/{project.hex()}"):
                self.blobs.delete(blob.key)
                report.removed += 1
                report.freed += blob.size
            for blob in self.blobs.list(f"{PREFIX}/{project.hex()}"):
                self.blobs.delete(blob.key)
                report.freed += blob.size
            self.store.erased(project)

    def _forget_uploads(self) -> None:
        """Removes the notes of a day ago, and counts no longer what did not come since."""
        for note in self.blobs.list(_NOTES):
            if self.now - note.modified >= DAY:
                project, pack = upload_of(note.key)
                if self.blobs.size(pack_key(project, pack.id)) is None:
                    self.store.uncount_pack(project, pack)
                self.blobs.delete(note.key)

    def _candidates(self, marks: Mapping[str, int]) -> Mapping[ProjectId, Sequence[ListedPack]]:
        found: dict[ProjectId, list[ListedPack]] = defaultdict(list)
        for blob in self.blobs.list(_PACKS):
            name = blob.key.removeprefix(f"{_PACKS}/")
            age = self.now - blob.modified
            is_due = age >= DAY and (self.everything or age < _LOOKED_AT_DAYS * DAY)
            if is_due or name in marks:
                project, pack = _ids(blob)
                found[project].append(pack)
        return found

    def _look_at(
        self,
        project: ProjectId,
        packs: Sequence[ListedPack],
        marks: Mapping[str, int],
        report: Report,
    ) -> None:
        unlisted = self.store.unlisted(project, [pack.id for pack in packs])
        report.looked_at += len(packs)
        for pack in packs:
            name = pack_key(project, pack.id).removeprefix(f"{_PACKS}/")
            since = marks.get(name)
            if pack.id not in unlisted:
                if since is not None:
                    self.blobs.delete(f"{_MARKS}/{name}")
            elif since is None:
                self.blobs.put(f"{_MARKS}/{name}", b"")
                report.marked += 1
            elif self.now - since >= self.keep_days * DAY and self._remove(project, pack):
                self.blobs.delete(f"{_MARKS}/{name}")
                report.removed += 1
                report.freed += pack.size

    def _remove(self, project: ProjectId, pack: ListedPack) -> bool:
        """Removes a pack, unless an entry comes in this moment that lists it."""
        key = pack_key(project, pack.id)
        try:
            data = self.blobs.get(key)
        except BlobMissing:
            return False
        self.blobs.delete(key)
        if pack.id not in self.store.unlisted(project, [pack.id]):
            self.blobs.put(key, data)
            return False
        self.store.uncount_pack(project, pack)
        return True


def _ids(blob: BlobInfo) -> tuple[ProjectId, ListedPack]:
    _, project, pack = blob.key.split("/")
    return ProjectId.from_hex(project), ListedPack(PackId.from_hex(pack), blob.size)
