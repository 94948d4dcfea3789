"""The client library's client and the credentials behind it, made when the first call needs them.

That is after any fork of the server process, which neither connections nor locks would survive.
"""

from __future__ import annotations

import logging
import os
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.auth.credentials import Credentials
    from google.cloud.storage import Client

# Signing with IAM needs its own scope; nothing else of Google's does this client speak to.
_SCOPES = (
    "https://www.googleapis.com/auth/devstorage.read_write",
    "https://www.googleapis.com/auth/iam",
)


class Connection:
    """Gives the client and what signs; may be used by many threads at once."""

    def __init__(self, emulator: str | None = None) -> None:
        """Takes the emulator's address (``host:port`` or URL), or None for Google's own."""
        is_url = emulator is None or "://" in emulator
        self.endpoint = emulator if is_url else f"http://{emulator}"
        self._lock = Lock()
        self._client: Client | None = None
        self._credentials: Credentials | None = None

    @property
    def client(self) -> Client:
        """The client; raises GoogleAuthError where there are no credentials."""
        with self._lock:
            if self._client is None:
                self._client = self._open()
            return self._client

    @property
    def credentials(self) -> Credentials | None:
        """Who this is, or None at an emulator; raises GoogleAuthError."""
        _ = self.client
        return self._credentials

    def refresh(self) -> None:
        """Makes sure that the credentials hold a token; raises GoogleAuthError."""
        from google.auth.transport.requests import Request

        with self._lock:
            if self._credentials is not None and not self._credentials.valid:
                self._credentials.refresh(Request())  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Gives up the connections; the next call opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _open(self) -> Client:
        import google.auth
        from google.auth.credentials import AnonymousCredentials
        from google.cloud.storage import Client

        # For its traces the library would ask about the bucket, once and in a thread of its own.
        os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
        # It warns for each connection over its ten that it does not keep.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
        if self.endpoint is not None:
            return Client(
                project="emulated",
                credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
                client_options={"api_endpoint": self.endpoint},
            )
        self._credentials, project = google.auth.default(scopes=_SCOPES)
        return Client(project=project, credentials=self._credentials)
