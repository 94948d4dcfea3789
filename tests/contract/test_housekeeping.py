"""The housekeeping on SQLite and files, on Firestore and Cloud Storage, and as it is started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sopor_server.adapters.files import FileBlobStore
from sopor_server.adapters.sqlite import SqliteMetadataStore
from tests.contract.housekeeping_suite import House, HousekeepingStories
from tests.support.functions import cloud_environment, start_function
from tests.support.watched import WatchedCloud


class TestOnSqliteAndFiles(HousekeepingStories):
    @pytest.fixture
    def house(self, tmp_path: Path) -> Iterator[House]:
        store = SqliteMetadataStore(tmp_path / "metadata.sqlite3")
        yield House(store, FileBlobStore(tmp_path / "blobs"))
        store.close()


class TestOnFirestoreAndCloudStorage(HousekeepingStories):
    @pytest.fixture
    def house(self, firestore_emulator: str, storage_emulator: str) -> Iterator[House]:
        with WatchedCloud.open(firestore_emulator, storage_emulator) as cloud:
            yield House(cloud.store, cloud.blobs)


def test_the_command_keeps_the_house(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sopor_server", "housekeeping", "--data", str(tmp_path / "d")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == ("looked at 0 packs, marked 0, removed 0 (0 bytes), joined 0, cleared 0\n")


def test_the_function_keeps_the_house_without_the_servers_secret(
    firestore_emulator: str, storage_emulator: str, tmp_path: Path
) -> None:
    settings = cloud_environment(firestore_emulator, storage_emulator)
    for name in ("SOPOR_SERVER_ID", "SOPOR_SERVER_SECRET"):
        del settings[name]
    function = start_function("housekeeping", settings, tmp_path / "log")
    try:
        answer = requests.post(function.url, timeout=60)
        assert requests.get(function.url, timeout=60).status_code == 405
    finally:
        function.stop()
    assert answer.status_code == 200
    assert answer.json() == dict.fromkeys(
        ("looked_at", "marked", "removed", "freed", "joined", "cleared"), 0
    )
    assert "the housekeeping is done" in (tmp_path / "log").read_text(encoding="utf-8")


def test_a_function_that_cannot_keep_the_house_says_so(tmp_path: Path) -> None:
    settings = {"GOOGLE_CLOUD_PROJECT": "p", "SOPOR_DATABASE": "d", "SOPOR_BUCKET": ""}
    function = start_function("housekeeping", settings, tmp_path / "log")
    try:
        assert requests.post(function.url, timeout=60).status_code == 500
    finally:
        function.stop()
    assert "SOPOR_BUCKET is needed" in (tmp_path / "log").read_text(encoding="utf-8")
