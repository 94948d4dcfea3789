"""What happens to SQLite and files when the machine is not as it should be."""

from __future__ import annotations

import errno
import multiprocessing
import os
import resource
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from sopor_server.adapters.files import FileBlobStore
from sopor_server.adapters.sqlite import SqliteMetadataStore
from sopor_server.adapters.sqlite.schema import VERSION
from sopor_server.ports.errors import NewerSchema, StoreUnavailable
from tests.contract.racing import in_processes
from tests.support.stored import Household, new_keys
from tests.support.story import TIME, Keys


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "metadata.sqlite3"


@contextmanager
def opened(path: Path) -> Iterator[SqliteMetadataStore]:
    store = SqliteMetadataStore(path, busy_seconds=0.1)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Lets no file of this process grow over a size, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


class TestSqlite:
    def test_a_newer_schema_is_refused(self, database: Path) -> None:
        with opened(database) as store:
            store.check()
        connection = sqlite3.connect(database)
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
        connection.close()
        with opened(database) as store, pytest.raises(NewerSchema) as caught:
            store.check()
        assert str(VERSION + 1) in caught.value.message

    def test_processes_that_start_at_once_make_the_tables_once(self, database: Path) -> None:
        assert in_processes([(open_and_check, database)] * 8) == [True] * 8

    @pytest.mark.parametrize("content", [b"this is no database" * 100, b"\0" * 5000])
    def test_what_is_no_database_is_told(self, database: Path, content: bytes) -> None:
        database.write_bytes(content)
        with opened(database) as store, pytest.raises(StoreUnavailable):
            store.check()
        assert database.read_bytes()[:100] == content[:100]

    def test_a_folder_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        with opened(tmp_path / "nowhere" / "file") as store, pytest.raises(StoreUnavailable):
            store.check()

    def test_who_waits_too_long_is_told(self, database: Path) -> None:
        with opened(database) as store:
            home = Household.found(store)
            blocker = sqlite3.connect(database, isolation_level=None)
            blocker.execute("BEGIN IMMEDIATE")
            assert store.device(home.device.id) == home.device
            with pytest.raises(StoreUnavailable):
                store.touch_device(home.device.id, TIME + 1)
            blocker.close()
            store.touch_device(home.device.id, TIME + 1)

    def test_a_full_disk_loses_nothing(self, database: Path) -> None:
        with opened(database) as store:
            home = Household.found(store)
            project = home.new_project()
            with files_limited_to(4096), pytest.raises(StoreUnavailable):
                home.push(project, project.entry(home.keys, project.commit()))
            found = store.project(project.id)
            assert found is not None
            assert found.head.seq == 0
            home.push(project)
        with opened(database) as store:
            found = store.project(project.id)
            assert found is not None
            assert found.head == project.head

    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_a_forked_process_opens_its_own_connections(self, database: Path) -> None:
        with opened(database) as store:
            home = Household.found(store)
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    Household.found(store, Keys("forked@example.com"))
                    status = 0
                finally:
                    os._exit(status)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert store.account_by_login("forked@example.com") is not None
            assert store.device(home.device.id) == home.device

    def test_a_killed_writer_leaves_whole_transactions(self, database: Path) -> None:
        with opened(database) as store:
            store.check()
            writer = multiprocessing.get_context("spawn").Process(
                target=found_many, args=(database,)
            )
            writer.start()
            while store.account_by_login("20@example.com") is None:
                assert writer.is_alive()
            writer.kill()
            writer.join()
            writer.close()
            number = 0
            while (account := store.account_by_login(f"{number}@example.com")) is not None:
                assert len(account.organizations) == 1
                assert len(store.devices(account.id)) == 1
                assert len(store.membership_entries(account.organizations[0], 0, 9999)) == 1
                number += 1
            assert number > 20
            Household.found(store)


def found_many(path: Path) -> None:
    """Registers accounts until it is killed."""
    store = SqliteMetadataStore(path)
    for number in range(1_000_000):
        Household.found(store, Keys(f"{number}@example.com"))


def open_and_check(path: Path) -> bool:
    """Opens a store as one of many processes."""
    store = SqliteMetadataStore(path)
    store.check()
    Household.found(store, new_keys())
    store.close()
    return True


class TestFiles:
    def test_a_full_disk_leaves_nothing_behind(self, tmp_path: Path) -> None:
        blobs = FileBlobStore(tmp_path / "blobs")
        blobs.put("packs/p/small", b"small")
        with files_limited_to(1000), pytest.raises(StoreUnavailable):
            blobs.put("packs/p/large", bytes(5000))
        assert blobs.size("packs/p/large") is None
        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["small"]
        assert blobs.put("packs/p/large", bytes(5000)) is True

    def test_what_a_crash_left_is_not_listed(self, tmp_path: Path) -> None:
        blobs = FileBlobStore(tmp_path / "blobs")
        blobs.put("packs/p/whole", b"whole")
        (folder,) = (path.parent for path in tmp_path.rglob("whole"))
        (folder / "0123456789abcdef.new").write_bytes(b"half")
        assert [blob.key for blob in blobs.list("packs")] == ["packs/p/whole"]

    def test_a_folder_that_cannot_be_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        blobs = FileBlobStore(tmp_path / "file" / "blobs")
        for call in (
            blobs.check,
            partial(blobs.put, "packs/p/k", b""),
            partial(blobs.get, "packs/p/k"),
            partial(blobs.size, "packs/p/k"),
        ):
            with pytest.raises(StoreUnavailable):
                call()

    def test_a_folder_that_may_not_be_written_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "access", lambda *_: False)
        with pytest.raises(StoreUnavailable):
            FileBlobStore(tmp_path / "blobs").check()

    def test_file_systems_without_hard_links_will_do(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_links(*_: object) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", no_links)
        blobs = FileBlobStore(tmp_path / "blobs")
        assert blobs.put("packs/p/k", b"bytes") is True
        assert blobs.put("packs/p/k", b"bytes") is False
        assert blobs.get("packs/p/k") == b"bytes"
        assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
