"""Organizations and their membership logs in SQLite; each function runs in a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from sopor_core.encoding import b64decode, b64encode
from sopor_core.ids import NO_ENTRY, AccountId, EntryHash, OrgId, ProjectId
from sopor_core.membership import Role
from sopor_core.push_entry import Citation
from sopor_core.signing import VerifyKey
from sopor_server.adapters.sqlite.logs import cut
from sopor_server.ports.errors import LogMoved, ProjectExists
from sopor_server.ports.records import Member, MembershipAppend, Organization


def find(db: sqlite3.Connection, org: OrgId) -> Organization | None:
    """Returns an organization with the bytes of its projects."""
    row = db.execute(
        "SELECT seq, hash, kind, state FROM organizations WHERE org = ?", (org,)
    ).fetchone()
    if row is None:
        return None
    seq, head, kind, state = row
    members, epochs = _read_state(state)
    (total,) = db.execute(
        "SELECT coalesce(sum(bytes), 0) FROM projects WHERE org = ?", (org,)
    ).fetchone()
    return Organization(org, Citation(seq, EntryHash(head)), kind, members, epochs, total)


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
    """Appends an entry; raises LogMoved or ProjectExists."""
    state, place = append.state, append.state.head
    if _has(db, state.id, place):
        return
    if head(db, state.id) != append.previous:
        raise LogMoved("the membership log has moved")
    db.execute(
        "INSERT INTO organizations (org, seq, hash, kind, state) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (org) DO UPDATE SET seq = excluded.seq, hash = excluded.hash,"
        " kind = excluded.kind, state = excluded.state",
        (state.id, place.seq, place.hash, state.kind, _write_state(state)),
    )
    db.execute(
        "INSERT INTO membership_entries (org, seq, hash, entry) VALUES (?, ?, ?, ?)",
        (state.id, place.seq, place.hash, append.entry),
    )
    _set_members(db, state)
    if append.project is not None:
        _add_project(db, append.project, state, append.time)


def _has(db: sqlite3.Connection, org: OrgId, place: Citation) -> bool:
    row = db.execute(
        "SELECT hash FROM membership_entries WHERE org = ? AND seq = ?", (org, place.seq)
    ).fetchone()
    return row is not None and row[0] == place.hash


def _set_members(db: sqlite3.Connection, state: Organization) -> None:
    found = db.execute("SELECT account FROM members WHERE org = ?", (state.id,)).fetchall()
    present = {AccountId(account) for (account,) in found}
    for account in present - state.members.keys():
        db.execute("DELETE FROM members WHERE account = ? AND org = ?", (account, state.id))
    for account in state.members.keys() - present:
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


def _write_state(state: Organization) -> str:
    members = {
        account.b64: [str(member.role), b64encode(member.signing)]
        for account, member in state.members.items()
    }
    epochs = {project.b64: epoch for project, epoch in state.epochs.items()}
    return json.dumps({"members": members, "epochs": epochs}, separators=(",", ":"))


def _read_state(text: str) -> tuple[dict[AccountId, Member], dict[ProjectId, int]]:
    state = json.loads(text)
    members = {
        AccountId.from_b64(account): Member(Role(role), VerifyKey(b64decode(key)))
        for account, (role, key) in state["members"].items()
    }
    epochs = {ProjectId.from_b64(project): epoch for project, epoch in state["epochs"].items()}
    return members, epochs
