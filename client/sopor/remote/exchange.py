"""What every exchange over HTTP shares: how long to wait, what to count, why no answer came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING

from sopor.records import dataclass
from sopor_core.errors import Layer, VerificationError

if TYPE_CHECKING:
    import requests

_CHUNK_BYTES = 256 * 1024
_ENCODING, _PLAIN = "content-encoding", "identity"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds: for a connection, and for each piece of an answer."""

    connect: float = 10.0
    read: float = 60.0


@dataclass(slots=True)
class Traffic:
    """What went over the wire: requests, and bytes of bodies."""

    requests: int = 0
    sent: int = 0
    received: int = 0


def streamed(body: bytes | None) -> BytesIO | None:
    """Returns a body as it must be given to `requests`: to be sent piece by piece.

    The time limit for connecting holds for each sending as well, and for a whole body at once where
    it is given as bytes; on a slow line a large one could never be sent.
    """
    return BytesIO(body) if body else None


def read_bounded(response: requests.Response, limit: int) -> bytes:
    """Reads a body as it comes; raises VerificationError (``wire``) for a larger or packed one."""
    encoding = response.headers.get("Content-Encoding", _PLAIN)
    return read_at_most({_ENCODING: encoding}, response.raw.read, limit)


def read_at_most(headers: Mapping[str, str], read: Callable[[int], bytes], limit: int) -> bytes:
    """Reads a body piece by piece as `read_bounded` does; names of headers are in lower case."""
    if headers.get(_ENCODING, _PLAIN) != _PLAIN:
        raise VerificationError(Layer.WIRE, "the server compressed an answer unasked")
    chunks, size = [], 0
    while chunk := read(_CHUNK_BYTES):
        size += len(chunk)
        if size > limit:
            raise VerificationError(
                Layer.WIRE, f"the server's answer is larger than the {limit:,} bytes allowed"
            )
        chunks.append(chunk)
    return b"".join(chunks)


class NoAnswer(Exception):
    """Carries why there was no answer, in words without addresses or secrets."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        text = _causes(error)
        self.refused = "ConnectionRefusedError" in text
        self.reason, self.hint = _explain(text)


def _causes(error: BaseException) -> str:
    names: list[str] = []
    todo: list[object] = [error]
    while todo and len(names) < 20:
        cause = todo.pop()
        if isinstance(cause, BaseException):
            names.append(type(cause).__name__)
            todo += [
                cause.__cause__,
                cause.__context__,
                getattr(cause, "reason", None),
                *cause.args,
            ]
    return " ".join(names)


_REASONS = (
    (
        "SSL",
        "its certificate or its encryption is not acceptable",
        "check the address and the clock; SSL_CERT_FILE names an own certificate authority",
    ),
    ("NameResolution", "its name is not known", "check the address and the network"),
    ("gaierror", "its name is not known", "check the address and the network"),
    ("Proxy", "the proxy does not answer", "check HTTPS_PROXY and NO_PROXY"),
    ("ConnectionRefused", "the connection is refused", "check the address and the port"),
    ("Timeout", "no answer in time", "check the network and try again"),
)


def _explain(causes: str) -> tuple[str, str]:
    for word, reason, hint in _REASONS:
        if word in causes:
            return reason, hint
    return "the connection broke", "check the network and try again"
