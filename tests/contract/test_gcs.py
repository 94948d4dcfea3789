"""Holds the adapter on Cloud Storage to the contract of blobs."""

from collections.abc import Iterator
from functools import partial

import pytest

from sopor_server.adapters.gcs import GcsBlobStore
from tests.contract.blob_suite import BlobContract, Opener
from tests.support.emulators import new_bucket
from tests.support.objects import StorageFront


class TestGcsBlobStore(BlobContract):
    @pytest.fixture
    def opener(self, storage_emulator: str) -> Iterator[Opener]:
        with StorageFront(storage_emulator) as front:
            yield partial(GcsBlobStore.open, new_bucket(storage_emulator), front.address)
