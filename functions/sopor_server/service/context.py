"""What every use case is given: the storages, who the server is, its limits, the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sopor_core.signing import VerifyKey
from sopor_core.wire.problems import Code
from sopor_server.auth import Caller, ServerIdentity
from sopor_server.errors import Refused
from sopor_server.ports.blobs import BlobStore
from sopor_server.ports.metadata import MetadataStore
from sopor_server.ports.sign_on import IdTokens, SignOnSettings
from sopor_server.service.replay import RecentLogs
from sopor_server.throttle import Throttle


def _now() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class SingleSignOn:
    """The issuer at which people sign on, and how its tokens are verified."""

    settings: SignOnSettings
    tokens: IdTokens


@dataclass(frozen=True)
class StreamsOffer:
    """Where streams of events are served: at ``url``, else at ``port`` of the server's host.

    They end after ``quiet`` seconds of silence, never for 0.
    """

    url: str | None = None
    port: int | None = None
    quiet: int = 0


@dataclass(frozen=True)
class Context:
    """The parts that the composition root joins."""

    store: MetadataStore
    blobs: BlobStore
    server: ServerIdentity
    quota_bytes: int
    registration_open: bool
    by_address: Throttle
    quota_seats: int = 0
    quota_projects: int = 0
    license_key: VerifyKey | None = None
    requests: Throttle = field(default_factory=lambda: Throttle(6000, 0.01))
    by_login: Throttle = field(default_factory=lambda: Throttle(20, 15.0))
    logs: RecentLogs = field(default_factory=RecentLogs)
    now: Callable[[], int] = _now
    sign_on: SingleSignOn | None = None
    streams: StreamsOffer | None = None

    def check_device(self, caller: Caller) -> None:
        """Raises Refused (``device-revoked``) unless the caller's device is live. One read."""
        device = self.store.device(caller.device)
        if device is None or device.revoked or device.account != caller.account:
            raise device_revoked()


def device_revoked() -> Refused:
    """Returns the answer to a device that was revoked."""
    return Refused(
        Code.DEVICE_REVOKED, "this device was revoked", hint="log in again with `sopor login`"
    )
