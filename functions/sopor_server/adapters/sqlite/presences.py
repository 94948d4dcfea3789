"""Who is present in a project, in SQLite; each function runs in a transaction.

Every note that is put gets a new number, so that number and count tell a change (`signals`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from sopor_core.ids import AccountId, DeviceId, ProjectId
from sopor_server.ports.records import Presence


def put(db: sqlite3.Connection, project: ProjectId, presence: Presence) -> None:
    """Keeps a note instead of the one before, or ends it."""
    if presence.sealed:
        db.execute(
            "INSERT OR REPLACE INTO presence (project, device, account, sealed, expires)"
            " VALUES (?, ?, ?, ?, ?)",
            (project, presence.device, presence.account, presence.sealed, presence.expires),
        )
    else:
        db.execute(
            "DELETE FROM presence WHERE project = ? AND device = ?", (project, presence.device)
        )


def of_project(db: sqlite3.Connection, project: ProjectId, now: int) -> Sequence[Presence]:
    """Returns the notes that have not expired."""
    rows = db.execute(
        "SELECT account, device, sealed, expires FROM presence"
        " WHERE project = ? AND expires >= ? ORDER BY device",
        (project, now),
    )
    return [
        Presence(AccountId(account), DeviceId(device), sealed, expires)
        for account, device, sealed, expires in rows
    ]


def drop_expired(db: sqlite3.Connection, now: int) -> None:
    """Drops the notes that expired."""
    db.execute("DELETE FROM presence WHERE expires < ?", (now,))
