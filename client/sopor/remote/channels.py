"""The two ways to a server: the standard library's HTTP, and `requests` where there are proxies.

A push or a pull takes less time than importing `requests`, so that is left to who needs it
(ADR 23). Both ways send the same headers, trust the same authorities, follow no redirect and retry
nothing: `sopor.remote.transport` does that.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from sopor.remote.address import ServerAddress

if TYPE_CHECKING:
    from sopor.remote.exchange import Timeouts

LimitOf: TypeAlias = Callable[[int], int]
"""Says how many bytes of an answer of a status are read at most."""

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_PROXIES = "_proxy"
_NO_PROXIES = "no_proxy"


class Outgoing(NamedTuple):
    """A request; ``path`` is what follows the server's address, with the query string."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None


class Incoming(NamedTuple):
    """An answer; the names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Channel(Protocol):
    """Exchanges requests for answers with one server, over a connection that is kept open."""

    def exchange(self, request: Outgoing, limit_of: LimitOf) -> Incoming:
        """Sends a request once and returns the whole answer, whatever its status.

        Raises:
            NoAnswer: there was none, or not all of it came.
            VerificationError: layer ``wire``: it is compressed, or larger than the limit.
        """

    def close(self) -> None:
        """Closes the connection; the next exchange opens another one."""


ChannelTo: TypeAlias = "Callable[[ServerAddress, Timeouts], Channel]"


def channel_to(address: ServerAddress, timeouts: Timeouts) -> Channel:
    """Returns the faster of the ways that lead to a server."""
    if address.url.isascii() and (address.loopback or not _may_have_proxy()):
        from sopor.remote.plain import PlainChannel

        return PlainChannel(address, timeouts)
    from sopor.remote.connection import SessionChannel

    return SessionChannel(address, timeouts)


def _may_have_proxy() -> bool:
    if sys.platform in {"darwin", "win32"}:
        from urllib.request import getproxies

        return bool(getproxies())  # the system's settings name some as well
    names = {name.lower() for name, value in os.environ.items() if value}
    return any(name.endswith(_PROXIES) and name != _NO_PROXIES for name in names)


def own_authorities() -> str | None:
    """Returns the file or folder of certificate authorities that the environment names, if any."""
    return next((os.environ[name] for name in _CA_VARIABLES if os.environ.get(name)), None)
