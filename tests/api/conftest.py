"""One server for the whole suite; tests that change or end a server start their own."""

from collections.abc import Iterator

import pytest

from tests.support.server import RunningServer, running_server
from tests.support.story import Person


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(
        tmp_path_factory.mktemp("api") / "data", SOPOR_LOGIN_RATE="100000"
    ) as started:
        yield started


@pytest.fixture
def alice(server: RunningServer) -> Person:
    return Person.register(server.url)


@pytest.fixture
def bob(server: RunningServer) -> Person:
    return Person.register(server.url)
