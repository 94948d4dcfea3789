"""Sends requests to Google with the credentials of wherever this runs.

A transport makes each request once; whether one may be made again is for the adapter to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from urllib3._request_methods import RequestMethods

_SCOPES = (
    "https://www.googleapis.com/auth/datastore",
    "https://www.googleapis.com/auth/devstorage.read_write",
)
_CONNECT_SECONDS = 5.0
_CONNECTIONS = 16


class Unanswered(Exception):
    """Says that no answer came; the request may have been carried out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer over HTTP; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Makes one request; may be called from many threads at once."""

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> Answer:
        """Returns the answer, whatever its status; raises Unanswered after ``seconds``."""


class GoogleTransport:
    """Sends with the application's default credentials, or without any to an emulator."""

    def __init__(self, *, emulated: bool = False) -> None:
        """Does nothing yet: the first request imports, connects and finds the credentials."""
        self._emulated = emulated
        self._lock = Lock()
        self._http: RequestMethods | None = None

    def send(  # noqa: D102
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> Answer:
        from google.auth.exceptions import GoogleAuthError
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        try:
            response = self._opened().urlopen(
                method,
                url,
                body=body,
                headers=dict(headers),
                timeout=Timeout(connect=_CONNECT_SECONDS, read=seconds),
                retries=False,
                redirect=False,
                decode_content=False,
            )
        except (HTTPError, GoogleAuthError, OSError) as error:
            raise Unanswered(f"{type(error).__name__}: {error}") from error
        names = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, names, response.data)

    def _opened(self) -> RequestMethods:
        with self._lock:
            if self._http is None:
                self._http = _open(emulated=self._emulated)
            return self._http


def _open(*, emulated: bool) -> RequestMethods:
    import google.auth
    from google.auth.credentials import AnonymousCredentials, Credentials
    from google.auth.transport.urllib3 import AuthorizedHttp
    from urllib3 import PoolManager

    credentials: Credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
    if not emulated:
        credentials, _ = google.auth.default(scopes=_SCOPES)
    http = PoolManager(maxsize=_CONNECTIONS, block=False)
    return AuthorizedHttp(credentials, http)  # type: ignore[no-untyped-call]
