"""Reads packs that may be joined with their neighbours.

A reader goes through the push log and asks for the packs in its order; what stands together is read
together. Where a group is not there or damaged, the pack may still stand by itself, and the other
way round: so it is for some days after the joining, and after a restore.
"""

from __future__ import annotations

from hashlib import sha256

from sopor_core.ids import PackId, ProjectId
from sopor_core.push_entry import ListedPack
from sopor_server.ports.blobs import BlobStore, pack_key
from sopor_server.ports.errors import BlobMissing
from sopor_server.ports.groups import PackGroup
from sopor_server.ports.metadata import MetadataStore
from sopor_server.ports.records import Project

_GROUPS_A_READ = 8


class PackReader:
    """Reads the packs of a project's entries in order."""

    def __init__(self, store: MetadataStore, blobs: BlobStore, project: Project) -> None:
        """Takes the project as it is now. Reads nothing yet."""
        self._store = store
        self._blobs = blobs
        self._project = project
        self._groups: list[PackGroup] = []
        self._stretch = _Stretch("", 0, b"")

    def read(self, seq: int, pack: ListedPack, most: int) -> bytes:
        """Returns a pack that entry ``seq`` lists; ``most`` bytes, its own at least, may be read.

        Raises:
            BlobMissing: it stands neither in a group nor by itself.
        """
        group = self._group(seq)
        if group is not None and pack.id in (places := group.places()):
            start, end = places[pack.id]
            data = self._from_group(group, start, end, most)
            if data is not None and sha256(data).digest() == pack.id:
                return data
        try:
            return self._blobs.get(pack_key(self._project.id, pack.id))
        except BlobMissing:
            # An entry may list a pack that an earlier one listed, which is in the earlier's group.
            if self._project.grouped == 0:
                raise
            return read_grouped(self._store, self._blobs, self._project.id, pack.id)

    def _group(self, seq: int) -> PackGroup | None:
        """Returns the group of an entry; reads it and some that follow if need be."""
        if seq > self._project.grouped:
            return None
        if not self._groups or self._groups[-1].last < seq:
            self._groups = list(self._store.groups(self._project.id, seq - 1, _GROUPS_A_READ))
        covering = (group for group in self._groups if group.first <= seq <= group.last)
        return next(covering, None)

    def _from_group(self, group: PackGroup, start: int, end: int, most: int) -> bytes | None:
        if not self._stretch.holds(group.key, start, end):
            until = max(end, min(group.size, start + most))
            try:
                self._stretch = _Stretch(group.key, start, self._blobs.get(group.key, start, until))
            except BlobMissing:
                return None
        if not self._stretch.holds(group.key, start, end):
            return None
        return self._stretch.data[start - self._stretch.start : end - self._stretch.start]


class _Stretch:
    """Bytes of a blob from ``start`` on."""

    def __init__(self, key: str, start: int, data: bytes) -> None:
        self.key = key
        self.start = start
        self.data = data

    def holds(self, key: str, start: int, end: int) -> bool:
        """Tells whether these bytes are among them."""
        return self.key == key and self.start <= start and end <= self.start + len(self.data)


def size_in_group(store: MetadataStore, project: ProjectId, pack: PackId) -> int | None:
    """Returns the size of a pack that is in a group, or None. One read."""
    group = store.group_of(project, pack)
    if group is None:
        return None
    start, end = group.places()[pack]
    return end - start


def read_grouped(
    store: MetadataStore,
    blobs: BlobStore,
    project: ProjectId,
    pack: PackId,
    start: int = 0,
    end: int | None = None,
) -> bytes:
    """Returns a pack that is in a group, or a stretch of it.

    Raises:
        BlobMissing: it is in none, or the group's blob is missing.
    """
    group = store.group_of(project, pack)
    if group is None:
        raise BlobMissing("there is no such blob")
    first, last = group.places()[pack]
    stop = last if end is None else min(last, first + end)
    return blobs.get(group.key, min(first + start, stop), stop)
