"""Which account insists on which person of an issuer, in SQLite."""

from __future__ import annotations

import sqlite3

from sopor_core.ids import AccountId
from sopor_server.ports.errors import LinkMoved, SubjectTaken
from sopor_server.ports.records import Link


def find(db: sqlite3.Connection, account: AccountId) -> Link | None:
    """Returns the link of an account."""
    row = db.execute("SELECT issuer, subject FROM links WHERE account = ?", (account,)).fetchone()
    return None if row is None else Link(*row)


def put(db: sqlite3.Connection, account: AccountId, link: Link) -> None:
    """Links an account; raises SubjectTaken or LinkMoved."""
    present = find(db, account)
    if present == link:
        return
    if not db.execute("SELECT 1 FROM accounts WHERE account = ?", (account,)).fetchone():
        raise LinkMoved("there is no such account")
    if present is not None and present.issuer == link.issuer:
        raise LinkMoved("the account is linked to another person")
    if db.execute("SELECT 1 FROM links WHERE subject = ?", (link.subject,)).fetchone():
        raise SubjectTaken("another account is linked to the person")
    db.execute(
        "INSERT OR REPLACE INTO links (account, issuer, subject) VALUES (?, ?, ?)",
        (account, link.issuer, link.subject),
    )


def drop(db: sqlite3.Connection, account: AccountId) -> bool:
    """Forgets the link of an account."""
    return db.execute("DELETE FROM links WHERE account = ?", (account,)).rowcount == 1
