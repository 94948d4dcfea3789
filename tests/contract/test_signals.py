"""Holds the adapters to the contract of signals."""

from functools import partial
from pathlib import Path

import pytest

from sopor_server.adapters.firestore import FirestoreMetadataStore
from sopor_server.adapters.firestore.signals import FirestoreSignals
from sopor_server.adapters.sqlite import SqliteMetadataStore
from sopor_server.adapters.sqlite.signals import SqliteSignals
from tests.contract.opening import Opener
from tests.contract.signals_suite import SignalsContract
from tests.support.emulators import PROJECT, new_database
from tests.support.listening import SignalsOpener


class TestSqliteSignals(SignalsContract):
    @pytest.fixture
    def opener(self, tmp_path: Path) -> Opener:
        return partial(SqliteMetadataStore, tmp_path / "metadata.sqlite3")

    @pytest.fixture
    def signals(self, tmp_path: Path) -> SignalsOpener:
        return partial(SqliteSignals, tmp_path / "metadata.sqlite3")


class TestFirestoreSignals(SignalsContract):
    @pytest.fixture
    def database(self) -> str:
        return new_database()

    @pytest.fixture
    def opener(self, firestore_emulator: str, database: str) -> Opener:
        return partial(FirestoreMetadataStore.open, PROJECT, database, firestore_emulator)

    @pytest.fixture
    def signals(self, firestore_emulator: str, database: str) -> SignalsOpener:
        return partial(FirestoreSignals, PROJECT, database, firestore_emulator)
