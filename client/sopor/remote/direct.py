"""Packs that go to and from the server's storage without the server in between (SPEC section 10).

The server names an address that is good for minutes, and for this one pack. Whoever knows it may
use it, so it stands in no message, no log and no ``repr``; and it may be a lie, so nothing that
could be of use elsewhere goes there: no access token, no cookie, and no header but those of
uploads. What comes back is verified like any pack.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sopor.errors import InvalidInput, ServerRefused, ServerUnreachable
from sopor.records import dataclass
from sopor.remote.address import ServerAddress
from sopor.remote.exchange import NoAnswer, Timeouts, Traffic, read_bounded, streamed
from sopor.remote.retries import RETRIED_STATUSES, Retries
from sopor_core import canonical
from sopor_core.errors import Layer, VerificationError
from sopor_core.fields import Fields

if TYPE_CHECKING:
    import requests

_MAX_URL = 8192
_MAX_HEADERS = 16
_MAX_ANSWER_BYTES = 64 * 1024
_HEADERS = ("content-type", "content-md5")
_HEADER_PREFIX = "x-"
_REFUSED = frozenset({400, 401, 403, 404, 410})


@dataclass(frozen=True, slots=True)
class UploadAddress:
    """Where a pack may be put, and the headers that must go with it."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    @classmethod
    def parse(cls, body: bytes) -> UploadAddress:
        """Parses what the server answers; raises VerificationError (``wire``)."""
        fields = Fields(canonical.parse_json(body), "the address of a pack", Layer.WIRE)
        headers = fields.value("headers")
        if fields.text("method", 8) != "PUT":
            raise VerificationError(Layer.WIRE, "a pack is to be sent by another method than PUT")
        if not isinstance(headers, dict) or len(headers) > _MAX_HEADERS:
            raise VerificationError(Layer.WIRE, "the address of a pack has odd headers")
        checked = {name.lower(): _header(name.lower(), value) for name, value in headers.items()}
        return cls(fields.text("url", _MAX_URL), checked)


class AddressRefused(ServerRefused):
    """Says that the storage does not take an address that the server gave; another may do."""


def _header(name: str, value: object) -> str:
    known = name in _HEADERS or name.startswith(_HEADER_PREFIX)
    is_name = name.isascii() and name.replace("-", "").isalnum()
    if not known or not is_name or not isinstance(value, str) or not value.isascii():
        raise VerificationError(
            Layer.WIRE, "the server wants odd headers sent with a pack to its storage"
        )
    if not value.isprintable():
        raise VerificationError(Layer.WIRE, "a header of the address of a pack is not printable")
    return value


class Direct:
    """Talks to whatever storage a server names."""

    def __init__(
        self,
        server: ServerAddress,
        traffic: Traffic,
        timeouts: Timeouts,
        retries: Retries,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Takes whose storage it is, and how patiently it is asked."""
        self._server = server
        self._traffic = traffic
        self._timeouts = timeouts
        self._retries = retries
        self._sleep = sleep
        self._sessions: dict[str, requests.Session] = {}

    def put(self, address: UploadAddress, data: bytes) -> None:
        """Sends a pack; one that is there already is success.

        Raises:
            AddressRefused: the address is good no longer, or was never.
            ServerRefused, ServerUnreachable: it was not taken.
            VerificationError: layer ``wire``: the address leads where no pack may go.
        """
        status, _ = self._send("PUT", address.url, address.headers, data, _MAX_ANSWER_BYTES)
        if not 200 <= status < 300 and status != 412:
            raise self._refused(address.url, status, "take")

    def get(self, url: str, headers: Mapping[str, str], limit: int) -> tuple[int, bytes]:
        """Fetches a pack or a part of it: the status, 200 or 206, and at most ``limit`` bytes.

        Raises:
            AddressRefused, ServerRefused, ServerUnreachable, VerificationError: as `put` does.
        """
        status, body = self._send("GET", url, headers, None, limit)
        if status not in (200, 206):
            raise self._refused(url, status, "give")
        return status, body

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], data: bytes | None, limit: int
    ) -> tuple[int, bytes]:
        place = self._place(url)
        delays = self._retries.delays()
        while True:
            try:
                status, body = self._once(place, method, url, headers, data, limit)
            except NoAnswer as failure:
                delay = next(delays, None)
                if delay is None:
                    raise ServerUnreachable(
                        f"{place}, where {self._server} keeps its packs, cannot be reached"
                        f" ({failure.reason})",
                        hint=failure.hint,
                    ) from None
            else:
                delay = next(delays, None) if status in RETRIED_STATUSES else None
                if delay is None:
                    return status, body
            self._sleep(delay)

    def _once(
        self,
        place: ServerAddress,
        method: str,
        url: str,
        headers: Mapping[str, str],
        data: bytes | None,
        limit: int,
    ) -> tuple[int, bytes]:
        import requests
        from urllib3.exceptions import HTTPError

        self._traffic.requests += 1
        self._traffic.sent += len(data or b"")
        try:
            response = self._session(place).request(
                method,
                url,
                headers=dict(headers),
                data=streamed(data),
                timeout=(self._timeouts.connect, self._timeouts.read),
                allow_redirects=False,
                stream=True,
            )
            with response:
                wanted = response.status_code in (200, 206)
                body = read_bounded(response, limit if wanted else _MAX_ANSWER_BYTES)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise NoAnswer(error) from None
        self._traffic.received += len(body)
        return response.status_code, body

    def _session(self, place: ServerAddress) -> requests.Session:
        from sopor.remote.connection import lean_session

        if place.url not in self._sessions:
            self._sessions[place.url] = lean_session(place)
        return self._sessions[place.url]

    def _place(self, url: str) -> ServerAddress:
        """Returns where an address leads, after making sure that a pack may go there."""
        try:
            if len(url) > _MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
                raise ValueError
            parts = urlsplit(url)
            if "@" in parts.netloc or parts.fragment or parts.scheme not in ("http", "https"):
                raise ValueError
            place = ServerAddress.parse(f"{parts.scheme}://{parts.netloc}")
        except (ValueError, InvalidInput):
            raise self._unsafe() from None
        if place.loopback and not self._server.loopback:
            raise self._unsafe()
        return place

    def _unsafe(self) -> VerificationError:
        return VerificationError(
            Layer.WIRE,
            f"{self._server} names a place for its packs where none may go",
            hint="nothing was sent there; ask who runs the server: "
            "packs go by https only, and to another machine than this one",
        )

    def _refused(self, url: str, status: int, verb: str) -> ServerRefused:
        place = self._place(url)
        if 300 <= status < 400:
            return ServerRefused(
                f"{place}, where {self._server} keeps its packs, answered with a further redirect",
                hint="nothing more was sent; ask who runs the server",
            )
        kind = AddressRefused if status in _REFUSED else ServerRefused
        return kind(
            f"{place}, where {self._server} keeps its packs, did not {verb} one (status {status})",
            hint="try again; if it stays so, tell who runs the server",
        )

    def close(self) -> None:
        """Closes the connections."""
        while self._sessions:
            self._sessions.popitem()[1].close()

    def __repr__(self) -> str:
        return f"Direct({str(self._server)!r})"
