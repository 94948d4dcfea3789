"""Talks to a server: HTTP, sessions, typed answers. Believes nothing that comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sopor.lazy import lazy_names

if TYPE_CHECKING:
    from sopor.remote.address import ServerAddress
    from sopor.remote.answers import HeadsMoved, LogMoved, PullAnswer
    from sopor.remote.exchange import Timeouts, Traffic
    from sopor.remote.listings import (
        RemoteAccount,
        RemoteBranch,
        RemoteBranches,
        RemoteDevice,
        RemoteProject,
        ServerMeta,
    )
    from sopor.remote.remote import Remote
    from sopor.remote.session import Session
    from sopor.remote.transport import Transport
else:
    __getattr__ = lazy_names(
        __name__,
        address=["ServerAddress"],
        answers=["HeadsMoved", "LogMoved", "PullAnswer"],
        exchange=["Timeouts", "Traffic"],
        listings=[
            "RemoteAccount",
            "RemoteBranch",
            "RemoteBranches",
            "RemoteDevice",
            "RemoteProject",
            "ServerMeta",
        ],
        remote=["Remote"],
        session=["Session"],
        transport=["Transport"],
    )

__all__ = [
    "HeadsMoved",
    "LogMoved",
    "PullAnswer",
    "Remote",
    "RemoteAccount",
    "RemoteBranch",
    "RemoteBranches",
    "RemoteDevice",
    "RemoteProject",
    "ServerAddress",
    "ServerMeta",
    "Session",
    "Timeouts",
    "Traffic",
    "Transport",
]
