"""Holds the adapter on files to the contract of blobs."""

from functools import partial
from pathlib import Path

import pytest

from sopor_server.adapters.files import FileBlobStore
from tests.contract.blob_suite import BlobContract, Opener


class TestFileBlobStore(BlobContract):
    @pytest.fixture
    def opener(self, tmp_path: Path) -> Opener:
        return partial(FileBlobStore, tmp_path / "blobs")
