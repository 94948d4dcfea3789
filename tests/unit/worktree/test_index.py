"""The memory of files: what is trusted, and what is looked at again."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from sopor.model.document import DocumentId
from sopor.worktree import SqliteFileIndex
from sopor.worktree.disk import Disk
from sopor.worktree.index import Entry, FileRow, FileState, Stat
from sopor_core.ids import Cid
from tests.unit.worktree.folder import Project, edited, request, workspace

W, A = workspace(), request("req_a", "wrk_1", url="https://aaa.example.com")
SAME_LENGTH = edited(A, url="https://bbb.example.com")


def row(path: str, state: FileState, time: int, moment: int, formats: str = "f") -> FileRow:
    return FileRow(path, Stat(1, time, time, 3), moment, "digest", state, formats)


@pytest.fixture
def index() -> SqliteFileIndex:
    return SqliteFileIndex(sqlite3.connect(":memory:"))


def test_only_a_stat_that_is_older_than_the_look_is_trusted(index: SqliteFileIndex) -> None:
    rows = [
        row("older", FileState.CLEAN, 10, 11),
        row("equal", FileState.CLEAN, 10, 10),
        row("newer", FileState.CLEAN, 11, 10),
        row("dirty", FileState.DIRTY, 10, 11),
        row("foreign", FileState.FOREIGN, 10, 11),
        row("tried with fewer formats", FileState.FOREIGN, 10, 11, "e"),
    ]
    index.put_files(rows)

    assert index.trusted(FileState.CLEAN) == {"older": (1, 10, 10, 3)}
    assert index.trusted(FileState.FOREIGN, "f") == {"foreign": (1, 10, 10, 3)}
    others = index.rows_besides({"older", "foreign"}, [])
    assert others == {item.path: item for item in rows if item.path not in {"older", "foreign"}}
    assert index.rows_besides({"foreign"}, ["older"])["older"] == rows[0]


def test_the_change_time_counts_as_well(index: SqliteFileIndex) -> None:
    index.put_files([FileRow("a", Stat(1, 5, 10, 3), 10, "", FileState.CLEAN, "f")])

    assert not index.trusted(FileState.CLEAN)


def test_making_the_tables_twice_keeps_what_is_in_them() -> None:
    connection = sqlite3.connect(":memory:")
    entry = Entry(Cid(bytes(32)), "a.json")
    SqliteFileIndex(connection).put_entries({DocumentId("req_1"): entry})

    index = SqliteFileIndex(connection)

    assert index.baseline() == {"req_1": Cid(bytes(32))}
    assert index.entries([DocumentId("req_1"), DocumentId("req_2")]) == {"req_1": entry}


def test_the_index_ends_no_transaction() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    index = SqliteFileIndex(connection)
    connection.execute("BEGIN")
    index.put_files([row("a", FileState.CLEAN, 1, 2)])
    index.put_entries({DocumentId("req_1"): Entry(Cid(bytes(32)), "a")})
    index.move_entries({DocumentId("req_1"): "b"})
    index.put_local({"a": [DocumentId("jar_1")]})
    index.drop_entries([])
    index.forget_files([])
    assert connection.in_transaction
    connection.rollback()

    assert not index.baseline()
    assert not index.trusted(FileState.CLEAN)
    assert not list(index.local_files([DocumentId("jar_1")]))


def test_a_write_within_the_same_tick_of_the_clock_is_seen(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file system's clock stands still: every write has the same time and the same size."""
    project.put("api.json", W, A)
    path = project.path("api.json")
    frozen = path.stat()
    size = frozen.st_size

    def stand_still(found: os.stat_result) -> Stat:
        return Stat(found.st_size, frozen.st_mtime_ns, frozen.st_ctime_ns, frozen.st_ino)

    monkeypatch.setattr("sopor.worktree.disk.stat_of", stand_still)
    monkeypatch.setattr("sopor.worktree.walk.stat_of", stand_still)
    monkeypatch.setattr(Disk, "clock", lambda _: frozen.st_mtime_ns)
    project.commit()
    assert not project.scan().changes

    project.put("api.json", W, SAME_LENGTH)
    assert path.stat().st_size == size

    assert project.scan().changes == {A.id: SAME_LENGTH}


def test_once_the_clock_has_moved_on_the_file_is_not_opened_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.put("api.json", W, A)
    project.commit()
    later = project.path("api.json").stat().st_mtime_ns + 1
    monkeypatch.setattr(Disk, "clock", lambda _: later)
    project.scan()

    def fail(*_: object) -> None:
        raise AssertionError("the file was opened")

    monkeypatch.setattr(Disk, "read", fail)
    assert not project.scan().changes


def test_a_change_that_hides_behind_an_old_time_is_seen(project: Project) -> None:
    project.put("api.json", W, A)
    project.commit()
    project.scan()
    path = project.path("api.json")
    before = path.stat()

    project.put("api.json", W, SAME_LENGTH)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert path.stat().st_size == before.st_size
    assert project.scan().changes == {A.id: SAME_LENGTH}


def test_the_disks_clock_is_not_behind_its_files(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    for number in range(50):
        (tmp_path / f"{number}.json").write_text("x")
        stat = (tmp_path / f"{number}.json").stat()
        assert disk.clock() >= stat.st_ctime_ns
    assert len(list(tmp_path.iterdir())) == 50, "it leaves no file"


def test_forgetting_that_a_file_is_clean_costs_time_alone(project: Project) -> None:
    project.put("api.json", W, A)
    project.commit()
    project.connection.execute("UPDATE worktree_files SET state = 'dirty', moment = 0")

    assert not project.reopen().scan().changes
    assert project.files.files_parsed == 1
    assert not project.scan().changes
    assert project.files.files_parsed == 1
