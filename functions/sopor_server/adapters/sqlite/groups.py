"""Groups of packs in SQLite; each function runs in a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from sopor_core.ids import PackId, ProjectId
from sopor_core.push_entry import ListedPack
from sopor_server.ports.groups import PackGroup


def state(db: sqlite3.Connection, project: ProjectId) -> tuple[int, int]:
    """Returns through which entries a project's packs are grouped and cleared."""
    row: tuple[int, int] | None = db.execute(
        "SELECT grouped, cleared FROM grouping WHERE project = ?", (project,)
    ).fetchone()
    return row or (0, 0)


def add(db: sqlite3.Connection, group: PackGroup) -> bool:
    """Adds a group if it follows the last one."""
    known = after(db, group.project, group.last - 1, 1)
    if known and (known[0].last, known[0].packs) == (group.last, group.packs):
        return True
    if db.execute("SELECT 1 FROM projects WHERE project = ?", (group.project,)).fetchone() is None:
        return False
    if state(db, group.project)[0] != group.first - 1:
        return False
    db.execute(
        "INSERT INTO pack_groups (project, last, first, time) VALUES (?, ?, ?, ?)",
        (group.project, group.last, group.first, group.time),
    )
    db.executemany(
        "INSERT INTO grouped_packs (project, last, place, pack, size) VALUES (?, ?, ?, ?, ?)",
        [
            (group.project, group.last, place, pack.id, pack.size)
            for place, pack in enumerate(group.packs)
        ],
    )
    db.execute(
        "INSERT INTO grouping (project, grouped) VALUES (?, ?)"
        " ON CONFLICT (project) DO UPDATE SET grouped = excluded.grouped",
        (group.project, group.last),
    )
    return True


def after(db: sqlite3.Connection, project: ProjectId, seq: int, limit: int) -> Sequence[PackGroup]:
    """Returns the groups whose last entry follows one."""
    rows = db.execute(
        "SELECT last, first, time FROM pack_groups WHERE project = ? AND last > ?"
        " ORDER BY last LIMIT ?",
        (project, seq, limit),
    ).fetchall()
    return [
        PackGroup(project, first, last, _packs(db, project, last), time)
        for last, first, time in rows
    ]


def of_pack(db: sqlite3.Connection, project: ProjectId, pack: PackId) -> PackGroup | None:
    """Returns the first group that a pack is in."""
    (last,) = db.execute(
        "SELECT min(last) FROM grouped_packs WHERE project = ? AND pack = ?", (project, pack)
    ).fetchone()
    return None if last is None else after(db, project, last - 1, 1)[0]


def clear(db: sqlite3.Connection, project: ProjectId, through: int) -> None:
    """Moves forward through which entry the packs are in groups only."""
    db.execute(
        "UPDATE grouping SET cleared = max(cleared, ?) WHERE project = ?", (through, project)
    )


def _packs(db: sqlite3.Connection, project: ProjectId, last: int) -> tuple[ListedPack, ...]:
    rows = db.execute(
        "SELECT pack, size FROM grouped_packs WHERE project = ? AND last = ? ORDER BY place",
        (project, last),
    )
    return tuple(ListedPack(PackId(pack), size) for pack, size in rows)
