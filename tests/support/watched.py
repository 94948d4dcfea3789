"""Storages of their own on the emulators, whose requests are watched.

cloud = WatchedCloud.open(firestore_emulator, storage_emulator)
before = cloud.billed
push(cloud.context(), ...)
assert cloud.billed - before == Billed(reads=3, writes=3, class_a=1)
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Self

from sopor_core.ids import ServerId
from sopor_server.adapters.firestore import FirestoreMetadataStore
from sopor_server.adapters.gcs import GcsBlobStore
from sopor_server.adapters.gcs.connection import Connection
from sopor_server.auth import ServerIdentity
from sopor_server.config import DEFAULT_QUOTA
from sopor_server.service.context import Context
from sopor_server.throttle import Throttle
from tests.support.emulators import PROJECT, new_bucket, new_database
from tests.support.objects import StorageFront
from tests.support.relay import Relay
from tests.support.weather import Billed


@dataclass
class WatchedCloud:
    """A database and a bucket, and what stands before them."""

    firestore: str
    database: str
    documents: Relay
    objects: StorageFront
    store: FirestoreMetadataStore
    blobs: GcsBlobStore

    @classmethod
    def open(cls, firestore: str, storage: str) -> WatchedCloud:
        """Makes a new database and a new bucket at the emulators."""
        documents = Relay(firestore)
        objects = StorageFront(storage)
        name = new_database()
        blobs = GcsBlobStore(new_bucket(storage), Connection(objects.address), patience=2.0)
        store = FirestoreMetadataStore.open(PROJECT, name, documents.address)
        return cls(firestore, name, documents, objects, store, blobs)

    def close(self) -> None:
        """Ends what stands before the emulators."""
        self.store.close()
        self.blobs.close()
        self.documents.close()
        self.objects.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def billed(self) -> Billed:
        """What Google would have billed so far."""
        return self.documents.billed + self.objects.billed

    def another_store(self) -> FirestoreMetadataStore:
        """Opens the database as another process would."""
        return FirestoreMetadataStore.open(PROJECT, self.database, self.firestore)

    def context(self) -> Context:
        """Returns a context of use cases on these storages."""
        return Context(
            store=self.store,
            blobs=self.blobs,
            server=ServerIdentity(ServerId.random(), secrets.token_bytes(32)),
            quota_bytes=DEFAULT_QUOTA,
            registration_open=True,
            by_address=Throttle(100_000, 0.001),
        )
