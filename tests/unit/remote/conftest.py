"""A scripted server and a transport to it that does not really wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from sopor.remote import Remote, ServerAddress, Session, Transport
from sopor.remote.channels import ChannelTo
from sopor.remote.session import MemoryTokens
from sopor.remote.ways import channel_to
from sopor_core.ids import DeviceId
from tests.support.scripted import ScriptedServer, scripted_server

NOW = 1_700_000_000_000


@dataclass
class Clock:
    """Waits by noting it down."""

    now: int = NOW
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def read(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


@pytest.fixture
def channel() -> ChannelTo:
    """What makes the connections; tests that hold for every way to a server vary it."""
    return channel_to


@pytest.fixture
def transport(server: ScriptedServer, clock: Clock, channel: ChannelTo) -> Iterator[Transport]:
    made = Transport(ServerAddress.parse(server.url), sleep=clock.sleep, channel=channel)
    yield made
    made.close()


@pytest.fixture
def remote(transport: Transport, clock: Clock) -> Remote:
    """A remote whose access token is good for a while."""
    tokens = MemoryTokens()
    tokens.save("good-token", clock.now + 900_000)
    device = DeviceId(bytes(16))
    return Remote(transport, Session(transport, device, "refresh", tokens, clock.read))
