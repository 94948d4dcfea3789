"""Organizations and their membership logs in SQLite; each function runs in a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from sopor_core.ids import NO_ENTRY, AccountId, EntryHash, OrgId, ProjectId
from sopor_core.push_entry import Citation
from sopor_server.adapters.sqlite.logs import cut
from sopor_server.ports.errors import HeadsMoved, LogMoved, ProjectExists
from sopor_server.ports.records import MembershipAppend, Organization


def find(db: sqlite3.Connection, org: OrgId) -> Organization | None:
    """Returns an organization with the bytes of its projects."""
    row = db.execute("SELECT seq, hash, state FROM organizations WHERE org = ?", (org,)).fetchone()
    if row is None:
        return None
    seq, head, state = row
    projects = db.execute(
        "SELECT project, bytes FROM projects WHERE org = ? AND deleted IS NULL", (org,)
    ).fetchall()
    return Organization(
        org,
        Citation(seq, EntryHash(head)),
        _members(db, org),
        frozenset(ProjectId(project) for project, _ in projects),
        state,
        sum(size for _, size in projects),
    )


def head(db: sqlite3.Connection, org: OrgId) -> Citation:
    """Returns the newest entry's place; (0, zeros) of an unknown organization."""
    row = db.execute("SELECT seq, hash FROM organizations WHERE org = ?", (org,)).fetchone()
    return Citation(row[0], EntryHash(row[1])) if row else Citation(0, NO_ENTRY)


def entries(db: sqlite3.Connection, org: OrgId, after: int, max_bytes: int) -> Sequence[bytes]:
    """Returns the entries after one, up to about ``max_bytes``."""
    rows = db.execute(
        "SELECT entry FROM membership_entries WHERE org = ? AND seq > ? ORDER BY seq", (org, after)
    )
    return cut(rows, max_bytes)


def append(db: sqlite3.Connection, append: MembershipAppend) -> None:
    """Appends an entry; raises LogMoved, HeadsMoved or ProjectExists."""
    state, place = append.state, append.state.head
    if _has(db, state.id, place):
        return
    if head(db, state.id) != append.previous:
        raise LogMoved("the membership log has moved")
    if projects_heads(db, append.heads) != append.heads:
        raise HeadsMoved("a push log has moved")
    db.execute(
        "INSERT INTO organizations (org, seq, hash, state) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (org) DO UPDATE SET seq = excluded.seq, hash = excluded.hash,"
        " state = excluded.state",
        (state.id, place.seq, place.hash, state.state),
    )
    db.execute(
        "INSERT INTO membership_entries (org, seq, hash, entry) VALUES (?, ?, ?, ?)",
        (state.id, place.seq, place.hash, append.entry),
    )
    _set_members(db, state)
    if append.project is not None:
        _add_project(db, append.project, state, append.time)
    for project in append.deleted:
        db.execute(
            "UPDATE projects SET deleted = ? WHERE project = ? AND org = ? AND deleted IS NULL",
            (append.time, project, state.id),
        )


def projects_heads(
    db: sqlite3.Connection, projects: Iterable[ProjectId]
) -> dict[ProjectId, Citation]:
    """Returns the heads of push logs."""
    found: dict[ProjectId, Citation] = {}
    for project in projects:
        row = db.execute("SELECT seq, hash FROM projects WHERE project = ?", (project,)).fetchone()
        if row is not None:
            found[project] = Citation(row[0], EntryHash(row[1]))
    return found


def _has(db: sqlite3.Connection, org: OrgId, place: Citation) -> bool:
    row = db.execute(
        "SELECT hash FROM membership_entries WHERE org = ? AND seq = ?", (org, place.seq)
    ).fetchone()
    return row is not None and row[0] == place.hash


def _members(db: sqlite3.Connection, org: OrgId) -> frozenset[AccountId]:
    found = db.execute("SELECT account FROM members WHERE org = ?", (org,))
    return frozenset(AccountId(account) for (account,) in found)


def _set_members(db: sqlite3.Connection, state: Organization) -> None:
    present = _members(db, state.id)
    for account in present - state.members:
        db.execute("DELETE FROM members WHERE account = ? AND org = ?", (account, state.id))
    for account in state.members - present:
        db.execute("INSERT INTO members (account, org) VALUES (?, ?)", (account, state.id))


def _add_project(
    db: sqlite3.Connection, project: ProjectId, state: Organization, time: int
) -> None:
    cursor = db.execute(
        "INSERT OR IGNORE INTO projects (project, org, seq, hash, cited, bytes, updated)"
        " VALUES (?, ?, 0, ?, 0, 0, ?)",
        (project, state.id, NO_ENTRY, time),
    )
    if cursor.rowcount == 0:
        raise ProjectExists("the project id is in use")
