"""Holds the adapter on SQLite to the contract of metadata."""

from functools import partial
from pathlib import Path

import pytest

from sopor_server.adapters.sqlite import SqliteMetadataStore
from tests.contract.metadata_suite import MetadataContract
from tests.contract.opening import Opener
from tests.contract.racing import in_threads


class TestSqliteMetadataStore(MetadataContract):
    @pytest.fixture
    def opener(self, tmp_path: Path) -> Opener:
        return partial(SqliteMetadataStore, tmp_path / "metadata.sqlite3")


def test_many_who_use_a_new_file_first_all_find_it_ready(tmp_path: Path) -> None:
    for number in range(20):
        path = tmp_path / f"{number}.sqlite3"
        stores = [SqliteMetadataStore(path) for _ in range(6)]
        assert in_threads([store.check for store in stores]) == [None] * len(stores)
        for store in stores:
            store.close()
