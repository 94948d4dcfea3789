"""The tables of the SQLite store, what brings older ones forward, and the refusal of newer ones.

``user_version`` holds the version of the schema; whoever changes a table counts it up and adds what
brings the version before forward. Times are milliseconds, ids are raw bytes.
"""

from __future__ import annotations

import re
import sqlite3

from sopor_server.ports.errors import NewerSchema, OlderSchema

VERSION = 2
_NAME = re.compile(r"CREATE (?:TABLE|INDEX) (\w+)")

_TABLES = """
CREATE TABLE accounts (
    account BLOB PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    record BLOB NOT NULL,
    credentials BLOB NOT NULL,
    n INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE links (
    account BLOB PRIMARY KEY REFERENCES accounts,
    issuer TEXT NOT NULL,
    subject BLOB NOT NULL UNIQUE
) WITHOUT ROWID;
CREATE TABLE devices (
    device BLOB PRIMARY KEY,
    account BLOB NOT NULL REFERENCES accounts,
    name TEXT NOT NULL,
    created INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    refresh_hash BLOB NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX devices_of_account ON devices (account, created);
CREATE TABLE used_challenges (
    challenge BLOB PRIMARY KEY,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX used_challenges_by_expiry ON used_challenges (expires);
CREATE TABLE organizations (
    org BLOB PRIMARY KEY,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    state BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE members (
    account BLOB NOT NULL,
    org BLOB NOT NULL REFERENCES organizations,
    PRIMARY KEY (account, org)
) WITHOUT ROWID;
CREATE INDEX members_of_organization ON members (org);
CREATE TABLE membership_entries (
    org BLOB NOT NULL REFERENCES organizations,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (org, seq)
);
CREATE TABLE projects (
    project BLOB PRIMARY KEY,
    org BLOB NOT NULL REFERENCES organizations,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    cited INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER,
    erased INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX projects_of_organization ON projects (org);
CREATE INDEX projects_to_erase ON projects (deleted) WHERE deleted IS NOT NULL AND NOT erased;
CREATE TABLE branches (
    project BLOB NOT NULL REFERENCES projects,
    branch BLOB NOT NULL,
    head BLOB NOT NULL,
    label BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    PRIMARY KEY (project, branch)
) WITHOUT ROWID;
CREATE TABLE commits (
    number INTEGER PRIMARY KEY,
    project BLOB NOT NULL REFERENCES projects,
    id BLOB NOT NULL,
    parents BLOB NOT NULL,
    root BLOB NOT NULL,
    UNIQUE (project, id)
);
CREATE INDEX commits_by_age ON commits (project, number);
CREATE TABLE packs (
    project BLOB NOT NULL REFERENCES projects,
    pack BLOB NOT NULL,
    size INTEGER NOT NULL,
    seq INTEGER,
    stored INTEGER NOT NULL,
    PRIMARY KEY (project, pack)
) WITHOUT ROWID;
CREATE TABLE grouping (
    project BLOB PRIMARY KEY REFERENCES projects,
    grouped INTEGER NOT NULL,
    cleared INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE pack_groups (
    project BLOB NOT NULL REFERENCES projects,
    last INTEGER NOT NULL,
    first INTEGER NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (project, last)
) WITHOUT ROWID;
CREATE TABLE grouped_packs (
    project BLOB NOT NULL REFERENCES projects,
    last INTEGER NOT NULL,
    place INTEGER NOT NULL,
    pack BLOB NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (project, last, place)
) WITHOUT ROWID;
CREATE INDEX groups_of_pack ON grouped_packs (project, pack);
CREATE TABLE presence (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    project BLOB NOT NULL,
    device BLOB NOT NULL,
    account BLOB NOT NULL,
    sealed BLOB NOT NULL,
    expires INTEGER NOT NULL,
    UNIQUE (project, device)
);
CREATE INDEX presence_by_expiry ON presence (expires);
CREATE TABLE push_entries (
    project BLOB NOT NULL REFERENCES projects,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (project, seq)
);
"""


def prepare(connection: sqlite3.Connection) -> None:
    """Creates the tables where there are none, and brings those of an older version forward.

    Safe to run in several processes at once: the first makes the tables, the others find them.

    Raises:
        NewerSchema: a newer version of this program wrote the tables.
        OlderSchema: a version from before the first release did, in a form that it then gave up.
    """
    if _version(connection) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if (found := _version(connection)) > VERSION:
            raise NewerSchema(
                f"the data has schema version {found}, this server knows {VERSION}",
                hint="start the newer sopor-server that wrote it, or name another data directory",
            )
        if found < VERSION:
            _create_what_lacks(connection, found)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _create_what_lacks(connection: sqlite3.Connection, version: int) -> None:
    """Creates the tables and indexes that are not there; whatever is there has to be the same.

    Version 1 had many forms before the first release. The later ones lack only whole tables.
    """
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    there: dict[str, str] = dict(connection.execute(query))
    for statement in map(str.strip, _TABLES.split(";")):
        if not (match := _NAME.match(statement)):
            continue
        if (found := there.get(match[1])) is None:
            connection.execute(statement)
        elif found != statement:
            raise OlderSchema(
                f"the data has schema version {version}, with another table {match[1]!r} than this "
                "server reads",
                hint="it is from before the first release: clone the projects with the server that "
                "wrote it, name another data directory, and push them there",
            )


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)
