"""Joins small packs of neighbouring entries, so that many are read at once.

Every step may be broken off and done again, and none takes away what a restore of the metadata to
an earlier point could ask for. In this order:

1. 32 packs, in the order of the log, are joined to one blob. Its name says which and where, so
   that doing it again gives the same blob, and another history another one.
2. The group is noted in the metadata. From now on readers use it.
3. `keep_days` later, a day more than any restore goes back, the packs are deleted that stand in
   the group: after its bytes were compared with the packs' ids, which are their hashes.

A group's blob that no note names, because step 2 never came or a restore took it away, is marked
(``lost-groups/...``) and removed `keep_days` after that.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from sopor_core.encoding import b64decode
from sopor_core.ids import PackId, ProjectId
from sopor_core.push_entry import ListedPack
from sopor_server.ports.blobs import MAX_COMPOSED, BlobInfo, BlobStore, pack_key
from sopor_server.ports.errors import BlobDiffers, BlobMissing
from sopor_server.ports.groups import PREFIX, PackGroup, group_of_key
from sopor_server.ports.metadata import MetadataStore
from sopor_server.ports.records import Project

DAY = 24 * 60 * 60 * 1000
SMALL = 256 * 1024
_LOOKED_AT_DAYS = 14
_ENTRIES_A_READ = 256
_BYTES_A_READ = 8 * 1024 * 1024
_GROUPS_A_READ = 64
_MARKS = "lost-groups"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Single:
    size: int
    is_old: bool


_Singles = dict[PackId, _Single]


@dataclass(frozen=True, slots=True)
class Grouping:
    """Keeps the groups of two storages; ``now`` and ``keep_days`` as the housekeeping has them."""

    store: MetadataStore
    blobs: BlobStore
    now: int
    keep_days: int

    def run(self) -> tuple[int, int]:
        """Does the three steps; returns how many packs were joined, and how many cleared.

        Raises:
            StoreUnavailable: a storage does not answer.
        """
        joined = cleared = 0
        for id_, singles in self._singles().items():
            if not any(single.is_old for single in singles.values()):
                continue
            project = self.store.project(id_)
            if project is None:
                continue
            waiting, gone = self._clear(project, singles)
            cleared += gone
            joined += self._join(project, singles, waiting)
        return joined, cleared

    def remove_lost(self) -> int:
        """Marks and at last removes groups that nothing names; returns the bytes that were freed.

        Raises:
            StoreUnavailable: a storage does not answer.
        """
        marks = {
            mark.key.removeprefix(f"{_MARKS}/"): mark.modified for mark in self.blobs.list(_MARKS)
        }
        freed = 0
        for blob in self.blobs.list(PREFIX):
            name = blob.key.removeprefix(f"{PREFIX}/")
            since = marks.pop(name, None)
            if since is None and not DAY <= self.now - blob.modified < _LOOKED_AT_DAYS * DAY:
                continue
            if self._is_noted(blob):
                if since is not None:
                    self.blobs.delete(f"{_MARKS}/{name}")
            elif since is None:
                self.blobs.put(f"{_MARKS}/{name}", b"")
            elif self.now - since >= self.keep_days * DAY:
                self.blobs.delete(blob.key)
                self.blobs.delete(f"{_MARKS}/{name}")
                freed += blob.size
        for name in marks:
            self.blobs.delete(f"{_MARKS}/{name}")
        return freed

    def _is_noted(self, blob: BlobInfo) -> bool:
        project, last = group_of_key(blob.key)
        found = self.store.groups(project, last - 1, 1)
        return bool(found) and found[0].key == blob.key

    def _singles(self) -> Mapping[ProjectId, _Singles]:
        """Returns the small packs that stand by themselves."""
        found: dict[ProjectId, _Singles] = defaultdict(dict)
        for blob in self.blobs.list("packs"):
            if blob.size < SMALL:
                _, project, pack = blob.key.split("/")
                single = _Single(blob.size, self.now - blob.modified >= DAY)
                found[ProjectId.from_hex(project)][PackId.from_hex(pack)] = single
        return found

    # ------------------------------------------------------------------------------- clearing

    def _clear(self, project: Project, singles: _Singles) -> tuple[set[PackId], int]:
        """Deletes packs that have long stood in groups; returns those that wait, and how many went.

        Groups are cleared in the order of the log: the first that may not be ends it.
        """
        waiting: set[PackId] = set()
        through, gone = project.cleared, 0
        for group in self._groups_after(project):
            is_due = self.now - group.time >= self.keep_days * DAY
            if waiting or not is_due or not self._is_whole(group, singles):
                waiting.update(pack.id for pack in group.packs)
                continue
            for pack in group.packs:
                if singles.pop(pack.id, None) is not None:
                    self.blobs.delete(pack_key(project.id, pack.id))
                    gone += 1
            through = group.last
        if through > project.cleared:
            self.store.clear_groups(project.id, through)
        return waiting, gone

    def _groups_after(self, project: Project) -> Iterator[PackGroup]:
        after = project.cleared
        while after < project.grouped:
            page = self.store.groups(project.id, after, _GROUPS_A_READ)
            if not page:
                return
            yield from page
            after = page[-1].last

    def _is_whole(self, group: PackGroup, singles: _Singles) -> bool:
        """Tells whether the blob of a group holds its packs; makes it again if it is missing."""
        try:
            data = self.blobs.get(group.key)
        except BlobMissing:
            if all(pack.id in singles for pack in group.packs):
                self._compose(group)
            else:
                _log.error("a group of packs is missing")
            return False
        for pack, (start, end) in group.places().items():
            if sha256(data[start:end]).digest() != pack:
                _log.error("a group of packs is damaged")
                return False
        return True

    # -------------------------------------------------------------------------------- joining

    def _join(self, project: Project, singles: _Singles, waiting: set[PackId]) -> int:
        """Joins as many groups as can be filled; returns how many packs they hold."""
        left = sum(single.is_old and id_ not in waiting for id_, single in singles.items())
        if left < MAX_COMPOSED:
            return 0
        joined, first = 0, project.grouped + 1
        packs: dict[PackId, ListedPack] = {}
        for seq, listed in self._entries(project):
            for pack in listed:
                single = singles.get(pack.id)
                if single is None or single.size != pack.size or pack.id in waiting:
                    continue
                if not single.is_old:
                    return joined  # What follows is younger still.
                # An entry's packs that the group has no room for go on standing by themselves.
                if len(packs) < MAX_COMPOSED:
                    packs[pack.id] = pack
            if len(packs) == MAX_COMPOSED:
                group = PackGroup(project.id, first, seq, tuple(packs.values()), self.now)
                if not self._compose(group) or not self.store.add_group(group):
                    return joined
                waiting |= packs.keys()
                joined += MAX_COMPOSED
                first, packs = seq + 1, {}
        return joined

    def _entries(self, project: Project) -> Iterator[tuple[int, Sequence[ListedPack]]]:
        """Yields the entries after the groups: number, and the packs that each lists."""
        seq = project.grouped
        while seq < project.head.seq:
            page = self.store.push_entries(project.id, seq, _ENTRIES_A_READ, _BYTES_A_READ)
            for data in page:
                seq += 1
                yield (
                    seq,
                    [
                        ListedPack(PackId(b64decode(pack["id"])), pack["size"])
                        for pack in json.loads(data)["packs"]
                    ],
                )
            if not page:
                return

    def _compose(self, group: PackGroup) -> bool:
        try:
            self.blobs.compose(
                group.key, [pack_key(group.project, pack.id) for pack in group.packs]
            )
        except (BlobMissing, BlobDiffers) as error:
            _log.error("packs could not be joined: %s", error)
            return False
        return True
