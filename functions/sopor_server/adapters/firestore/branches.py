"""The branches of a project: in the head's document as long as they fit, else in pages beside it.

The head holds what changed since the pages were written; pages are never changed, only replaced by
new ones in the commit that names them. A project with some thousand branches costs its readers one
read more for each page, and its pushes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sopor_core.ids import BranchId
from sopor_server.adapters.firestore.database import Database
from sopor_server.adapters.firestore.packing import pack_branches, unpack_branches
from sopor_server.adapters.firestore.values import Document, Value
from sopor_server.ports.records import Branch

if TYPE_CHECKING:
    from google.cloud.firestore_v1.types import Write

MOST_IN_HEAD = 600_000
MOST_IN_PAGE = 900_000
Changes = Mapping[BranchId, Branch | None]


@dataclass(frozen=True, slots=True)
class Changed:
    """The fields of the head and the writes beside it after a change of branches."""

    fields: dict[str, Value]
    writes: list[Write]


def read_branches(database: Database, head: Document) -> dict[BranchId, Branch] | None:
    """Returns all branches in the order of their ids, or None if the head is no longer the head."""
    branches: dict[BranchId, Branch | None] = {}
    if paths := _paths(head):
        pages, _ = database.get_many(paths)
        if len(pages) < len(paths):
            return None
        for path in paths:
            branches |= unpack_branches(pages[path].fields["branches"])
    branches |= unpack_branches(head.fields["branches"])
    return {branch: value for branch, value in sorted(branches.items()) if value is not None}


def change_branches(
    database: Database, head: Document, changes: Changes, seq: int
) -> Changed | None:
    """Returns what to write, or None if the head is no longer the head."""
    paths = _paths(head)
    branches = unpack_branches(head.fields["branches"]) | dict(changes)
    if not paths:
        branches = {branch: value for branch, value in branches.items() if value is not None}
    packed = pack_branches(branches)
    if len(packed) <= MOST_IN_HEAD:
        return Changed({"branches": packed}, [])
    before = read_branches(database, head)
    if before is None:
        return None
    after = {branch: value for branch, value in (before | branches).items() if value is not None}
    pages = {f"{seq:016d}-{n}": page for n, page in enumerate(_cut(after))}
    writes = [
        database.create(f"{head.path}/branch_pages/{name}", {"branches": page})
        for name, page in pages.items()
    ]
    writes += [database.delete(path) for path in paths]
    return Changed({"branches": b"", "pages": " ".join(pages)}, writes)


def _paths(head: Document) -> list[str]:
    return [f"{head.path}/branch_pages/{name}" for name in head.fields["pages"].split()]


def _cut(branches: Mapping[BranchId, Branch | None]) -> list[bytes]:
    pages = [b""]
    for branch, value in branches.items():
        packed = pack_branches({branch: value})
        if len(pages[-1]) + len(packed) > MOST_IN_PAGE:
            pages.append(b"")
        pages[-1] += packed
    return pages
