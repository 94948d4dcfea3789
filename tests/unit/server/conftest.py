"""The use cases on real storages, with a clock that stands still until it is moved."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from sopor_core.ids import ServerId
from sopor_server.adapters.files import FileBlobStore
from sopor_server.adapters.sqlite import SqliteMetadataStore
from sopor_server.auth import Caller, ServerIdentity
from sopor_server.service.context import Context
from sopor_server.throttle import Throttle
from tests.support.stored import Household
from tests.support.story import TIME, Project


class Clock:
    """Tells the time in milliseconds."""

    def __init__(self) -> None:
        self.time = TIME

    def __call__(self) -> int:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def context(tmp_path: Path, clock: Clock) -> Iterator[Context]:
    store = SqliteMetadataStore(tmp_path / "metadata.sqlite3")
    yield Context(
        store=store,
        blobs=FileBlobStore(tmp_path / "blobs"),
        server=ServerIdentity(ServerId.random(), secrets.token_bytes(32)),
        quota_bytes=0,
        registration_open=True,
        by_address=Throttle(1000, 1.0),
        by_login=Throttle(5, 60.0),
        now=clock,
    )
    store.close()


@pytest.fixture
def home(context: Context) -> Household:
    return Household.found(context.store)


@pytest.fixture
def caller(home: Household) -> Caller:
    return Caller(home.keys.account, home.device.id)


@pytest.fixture
def project(home: Household) -> Project:
    return home.new_project()
