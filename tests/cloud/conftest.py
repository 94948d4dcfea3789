"""A context on both emulators whose requests are watched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sopor_server.auth import Caller
from tests.support.emulators import firestore_emulator, storage_emulator
from tests.support.stored import Household
from tests.support.story import Project
from tests.support.watched import WatchedCloud

__all__ = ["firestore_emulator", "storage_emulator"]


@pytest.fixture
def cloud(firestore_emulator: str, storage_emulator: str) -> Iterator[WatchedCloud]:
    with WatchedCloud.open(firestore_emulator, storage_emulator) as cloud:
        yield cloud


@pytest.fixture
def home(cloud: WatchedCloud) -> Household:
    return Household.found(cloud.store)


@pytest.fixture
def caller(home: Household) -> Caller:
    return Caller(home.keys.account, home.device.id)


@pytest.fixture
def project(home: Household) -> Project:
    return home.new_project()
