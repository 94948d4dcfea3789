"""The joining of small packs on SQLite and files, and on Firestore and Cloud Storage."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from sopor_core.ids import ProjectId
from sopor_server.adapters.files import FileBlobStore
from sopor_server.adapters.firestore.organizations import project_path
from sopor_server.adapters.sqlite import SqliteMetadataStore
from tests.contract.grouping_suite import Forget, GroupingStories
from tests.contract.housekeeping_suite import House
from tests.support.watched import WatchedCloud


class TestOnSqliteAndFiles(GroupingStories):
    @pytest.fixture
    def house(self, tmp_path: Path) -> Iterator[House]:
        store = SqliteMetadataStore(tmp_path / "metadata.sqlite3")
        yield House(store, FileBlobStore(tmp_path / "blobs"))
        store.close()

    @pytest.fixture
    def forget(self, tmp_path: Path) -> Forget:
        def forget(project: ProjectId) -> None:
            connection = sqlite3.connect(tmp_path / "metadata.sqlite3")
            connection.execute("DELETE FROM grouped_packs WHERE project = ?", (project,))
            connection.execute("DELETE FROM pack_groups WHERE project = ?", (project,))
            connection.execute("DELETE FROM grouping WHERE project = ?", (project,))
            connection.commit()
            connection.close()

        return forget


class TestOnFirestoreAndCloudStorage(GroupingStories):
    @pytest.fixture
    def cloud(self, firestore_emulator: str, storage_emulator: str) -> Iterator[WatchedCloud]:
        with WatchedCloud.open(firestore_emulator, storage_emulator) as cloud:
            yield cloud

    @pytest.fixture
    def house(self, cloud: WatchedCloud) -> House:
        return House(cloud.store, cloud.blobs)

    @pytest.fixture
    def forget(self, cloud: WatchedCloud) -> Forget:
        def forget(project: ProjectId) -> None:
            database, path = cloud.store._database, project_path(project)
            head = database.get(path)
            assert head is not None
            groups = cloud.store.groups(project, 0, 99)
            deletions = [
                database.delete(f"{path}/pack_groups/{group.last:016d}") for group in groups
            ]
            change = database.change(head, {"grouped": 0, "cleared": 0})
            database.commit([*deletions, change])

        return forget
