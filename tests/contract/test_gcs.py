"""Holds the adapter on Cloud Storage to the contract of blobs."""

from functools import partial

import pytest

from sopor_server.adapters.gcs import GcsBlobStore
from tests.contract.blob_suite import BlobContract, Opener
from tests.support.emulators import new_bucket


class TestGcsBlobStore(BlobContract):
    @pytest.fixture
    def opener(self, storage_emulator: str) -> Opener:
        return partial(GcsBlobStore.open, new_bucket(storage_emulator), storage_emulator)
