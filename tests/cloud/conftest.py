"""A context on both emulators whose requests are watched."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import pytest

from sopor_core.ids import ServerId
from sopor_server.adapters.firestore import FirestoreMetadataStore
from sopor_server.adapters.firestore.database import Database
from sopor_server.adapters.gcs import GcsBlobStore
from sopor_server.adapters.google.transport import GoogleTransport
from sopor_server.auth import Caller, ServerIdentity
from sopor_server.service.context import Context
from sopor_server.throttle import Throttle
from tests.support.emulators import (
    PROJECT,
    firestore_emulator,
    new_bucket,
    new_database,
    storage_emulator,
)
from tests.support.stored import Household
from tests.support.story import Project
from tests.support.transports import Billed, Watched

__all__ = ["firestore_emulator", "storage_emulator"]


@dataclass
class Cloud:
    """Storages of their own on the emulators, and what stands between."""

    firestore: str
    storage: str
    database: str
    bucket: str
    documents: Watched
    objects: Watched
    store: FirestoreMetadataStore
    blobs: GcsBlobStore

    @property
    def billed(self) -> Billed:
        return self.documents.billed + self.objects.billed

    def another_store(self) -> FirestoreMetadataStore:
        """Opens the database as another process would."""
        return FirestoreMetadataStore.open(PROJECT, self.database, self.firestore)

    def context(self) -> Context:
        return Context(
            store=self.store,
            blobs=self.blobs,
            server=ServerIdentity(ServerId.random(), secrets.token_bytes(32)),
            quota_bytes=10 * 1024**3,
            registration_open=True,
            by_address=Throttle(100_000, 0.001),
        )


@pytest.fixture
def cloud(firestore_emulator: str, storage_emulator: str) -> Cloud:
    documents = Watched(GoogleTransport(emulated=True))
    objects = Watched(GoogleTransport(emulated=True))
    database, bucket = new_database(), new_bucket(storage_emulator)
    return Cloud(
        firestore_emulator,
        storage_emulator,
        database,
        bucket,
        documents,
        objects,
        FirestoreMetadataStore(
            Database(PROJECT, database, documents, f"http://{firestore_emulator}")
        ),
        GcsBlobStore(bucket, objects, f"http://{storage_emulator}"),
    )


@pytest.fixture
def home(cloud: Cloud) -> Household:
    return Household.found(cloud.store)


@pytest.fixture
def caller(home: Household) -> Caller:
    return Caller(home.keys.account, home.device.id)


@pytest.fixture
def project(home: Household) -> Project:
    return home.new_project()
