"""Holds the adapter on Firestore to the contract of metadata."""

from functools import partial

import pytest

from sopor_server.adapters.firestore import FirestoreMetadataStore
from tests.contract.metadata_suite import MetadataContract
from tests.contract.opening import Opener
from tests.support.emulators import PROJECT, new_database


class TestFirestoreMetadataStore(MetadataContract):
    @pytest.fixture
    def opener(self, firestore_emulator: str) -> Opener:
        return partial(FirestoreMetadataStore.open, PROJECT, new_database(), firestore_emulator)
