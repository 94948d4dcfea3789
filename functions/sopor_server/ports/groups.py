"""Groups of small packs: many that stand one after the other in one blob.

A project of many small pushes has many small packs; who clones it would ask the storage for each.
Packs that neighbours in the push log bring are joined, and read together.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from sopor_core.ids import PackId, ProjectId
from sopor_core.push_entry import ListedPack

PREFIX = "groups"


@dataclass(frozen=True, slots=True)
class PackGroup:
    """Packs of the entries from ``first`` to ``last``, joined in this order at ``time``.

    Not every pack of these entries is in the group: the large ones stand by themselves.
    """

    project: ProjectId
    first: int
    last: int
    packs: tuple[ListedPack, ...]
    time: int

    @property
    def key(self) -> str:
        """The key of the blob: the same packs in the same place have the same one, others not."""
        ids = sha256(b"".join(pack.id for pack in self.packs)).hexdigest()
        return f"{PREFIX}/{self.project.hex()}/{self.last:016d}-{ids[:32]}"

    @property
    def size(self) -> int:
        """The size of the blob in bytes."""
        return sum(pack.size for pack in self.packs)

    def places(self) -> dict[PackId, tuple[int, int]]:
        """Returns where each pack begins and ends."""
        found: dict[PackId, tuple[int, int]] = {}
        at = 0
        for pack in self.packs:
            found[pack.id] = (at, at + pack.size)
            at += pack.size
        return found


def group_of_key(key: str) -> tuple[ProjectId, int]:
    """Returns the project and the last entry of the group whose blob has this key."""
    _, project, name = key.split("/")
    return ProjectId.from_hex(project), int(name.partition("-")[0])
