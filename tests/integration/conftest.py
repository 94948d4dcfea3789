"""One server process for all stories; each story has people of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import RunningServer, running_server
from tests.support.world import World


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that lives as long as the test run."""
    with running_server(
        tmp_path_factory.mktemp("server") / "data", SOPOR_LOGIN_RATE="100000"
    ) as running:
        yield running


@pytest.fixture
def world(server: RunningServer, tmp_path: Path) -> World:
    """A world on the shared server."""
    return World(server, tmp_path)
