"""SQLite files of other versions: older ones are brought forward, or refused and left alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from sopor_server.adapters.sqlite import SqliteMetadataStore, schema
from sopor_server.adapters.sqlite.schema import VERSION
from sopor_server.backups.contents import check_database
from sopor_server.ports.errors import NewerSchema, OlderSchema

FORMS = {2: "9d85a841"}
"""The digest of the tables of each version; a change of a table needs a new version."""
LATER = ("presence", "presence_by_expiry", "grouping", "pack_groups", "grouped_packs")


def forms(path: Path) -> dict[str, str]:
    """Returns how every table and index of a file is made."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
        return dict(connection.execute(query))


def made(path: Path, version: int, change: Callable[[sqlite3.Connection], object]) -> Path:
    """Makes a file with the present tables, changes them, and says that it has a version."""
    with closing(SqliteMetadataStore(path)) as store:
        store.check()
    with closing(sqlite3.connect(path)) as connection, connection:
        change(connection)
        connection.execute(f"PRAGMA user_version = {version}")
    return path


def drop_later(connection: sqlite3.Connection) -> None:
    """Removes what the first version did not have yet, and adds a row to what it had."""
    for name in LATER:
        connection.execute(f"DROP TABLE IF EXISTS {name}")
    connection.execute("INSERT INTO organizations VALUES (x'01', 1, x'02', x'03')")


def test_tables_do_not_change_without_a_new_version() -> None:
    digest = sha256(schema._TABLES.encode()).hexdigest()[:8]
    assert FORMS[VERSION] == digest, "count VERSION up, and bring the version before forward"


def test_the_first_version_gets_what_it_lacks_and_keeps_what_it_has(tmp_path: Path) -> None:
    new = made(tmp_path / "new", VERSION, lambda _: None)
    old = made(tmp_path / "old", 1, drop_later)
    assert "presence" not in forms(old)
    with closing(SqliteMetadataStore(old)) as store:
        store.check()
    assert forms(old) == forms(new)
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT state FROM organizations").fetchall() == [(b"\3",)]
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_first_version_with_other_tables_is_left_alone(tmp_path: Path) -> None:
    def without_a_column(connection: sqlite3.Connection) -> None:
        drop_later(connection)
        connection.execute("ALTER TABLE projects DROP COLUMN erased")

    def rebuild(connection: sqlite3.Connection) -> None:
        connection.execute("DROP INDEX projects_to_erase")
        without_a_column(connection)

    path = made(tmp_path / "old", 1, rebuild)
    before = forms(path)
    with closing(SqliteMetadataStore(path)) as store, pytest.raises(OlderSchema) as refused:
        store.check()
    assert forms(path) == before
    assert "'projects'" in refused.value.message
    assert "clone the projects" in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("version", "error", "advice"),
    [
        (1, OlderSchema, "use the sopor-server that wrote it, then start this one"),
        (VERSION + 1, NewerSchema, "or a newer one"),
    ],
)
def test_backups_of_other_versions_are_refused_with_what_to_do(
    tmp_path: Path, version: int, error: type[Exception], advice: str
) -> None:
    path = made(tmp_path / "metadata.sqlite3", version, lambda _: None)
    with pytest.raises(error) as refused:
        check_database(path)
    assert f"schema version {version}" in str(refused.value)
    assert advice in str(getattr(refused.value, "hint", ""))
