"""Groups of packs in Firestore: one document each; the project's head says how far they go."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sopor_core.ids import PackId, ProjectId
from sopor_core.push_entry import ListedPack
from sopor_server.adapters.firestore.database import Database
from sopor_server.adapters.firestore.organizations import project_path
from sopor_server.adapters.firestore.settling import Attempt, settle
from sopor_server.adapters.firestore.values import Document, Value
from sopor_server.ports.groups import PackGroup

if TYPE_CHECKING:
    from google.cloud.firestore_v1.types import Write


class Groups:
    """The groups of all projects of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, group: PackGroup) -> bool:
        """Adds a group if it follows the last one."""
        outcome: list[bool] = []
        path = f"{_groups_path(group.project)}/{group.last:016d}"

        def prepare(_: Attempt) -> list[Write] | None:
            found, _moment = self._database.get_many([project_path(group.project), path])
            head = found.get(project_path(group.project))
            known = found.get(path)
            if known is not None and _group(group.project, known).packs == group.packs:
                outcome[:] = [True]
                return None
            outcome[:] = [head is not None and head.fields.get("grouped", 0) == group.first - 1]
            if head is None or not outcome[0]:
                return None
            return [
                self._database.create(path, _fields(group)),
                self._database.change(head, {"grouped": group.last}),
            ]

        settle(self._database, prepare)
        return outcome[0]

    def after(self, project: ProjectId, seq: int, limit: int) -> Sequence[PackGroup]:
        """Returns the groups whose last entry follows one."""
        path = _groups_path(project)
        where = self._database.where("__name__", "GREATER_THAN", f"{path}/{seq:016d}")
        found = self._database.query(path, where, limit=limit)
        return [_group(project, document) for document in found]

    def of_pack(self, project: ProjectId, pack: PackId) -> PackGroup | None:
        """Returns the first group that a pack is in."""
        where = self._database.where("packs", "ARRAY_CONTAINS_ANY", [bytes(pack)])
        found = self._database.query(_groups_path(project), where, limit=1)
        return _group(project, found[0]) if found else None

    def clear(self, project: ProjectId, through: int) -> None:
        """Moves forward through which entry the packs are in groups only."""

        def prepare(_: Attempt) -> list[Write] | None:
            head = self._database.get(project_path(project))
            if head is None or head.fields.get("cleared", 0) >= through:
                return None
            return [self._database.change(head, {"cleared": through})]

        settle(self._database, prepare)


def _groups_path(project: ProjectId) -> str:
    return f"{project_path(project)}/pack_groups"


def _fields(group: PackGroup) -> dict[str, Value]:
    return {
        "first": group.first,
        "time": group.time,
        "packs": [bytes(pack.id) for pack in group.packs],
        "sizes": struct.pack(f">{len(group.packs)}I", *(pack.size for pack in group.packs)),
    }


def _group(project: ProjectId, found: Document) -> PackGroup:
    fields = found.fields
    sizes = struct.unpack(f">{len(fields['packs'])}I", fields["sizes"])
    packs = tuple(
        ListedPack(PackId(pack), size) for pack, size in zip(fields["packs"], sizes, strict=True)
    )
    return PackGroup(project, fields["first"], int(found.id), packs, fields["time"])
