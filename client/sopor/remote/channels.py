"""What every way to a server is: requests out, whole answers in (see `sopor.remote.ways`).

Both ways send the same headers, trust the same authorities, follow no redirect and retry nothing:
`sopor.remote.transport` does that.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from sopor.remote.address import ServerAddress
    from sopor.remote.exchange import Timeouts

LimitOf: TypeAlias = Callable[[int], int]
"""Says how many bytes of an answer of a status are read at most."""

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


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


def own_authorities() -> str | None:
    """Returns the file or folder of certificate authorities that the environment names, if any."""
    return next((os.environ[name] for name in _CA_VARIABLES if os.environ.get(name)), None)
