"""Holds the adapter on SQLite to the contract of metadata."""

from functools import partial
from pathlib import Path

import pytest

from sopor_server.adapters.sqlite import SqliteMetadataStore
from tests.contract.metadata_suite import MetadataContract
from tests.contract.opening import Opener


class TestSqliteMetadataStore(MetadataContract):
    @pytest.fixture
    def opener(self, tmp_path: Path) -> Opener:
        return partial(SqliteMetadataStore, tmp_path / "metadata.sqlite3")
