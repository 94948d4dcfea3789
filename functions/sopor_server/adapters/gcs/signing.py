"""Signed URLs, version 4, without a key file: IAM signs for the account that this runs as.

Source: https://cloud.google.com/storage/docs/access-control/signed-urls
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sopor_server.adapters.gcs.connection import Connection
from sopor_server.ports.blobs import UploadAddress

if TYPE_CHECKING:
    from google.auth.credentials import Credentials
    from google.cloud.storage import Blob

UPLOAD_SECONDS = 15 * 60
"""Long enough to begin; what has begun is carried to its end."""
DOWNLOAD_SECONDS = 5 * 60


def upload_address(
    connection: Connection, blob: Blob, size: int, sha256: bytes
) -> UploadAddress | None:
    """Returns where exactly these bytes may be put, once; None where nobody can sign."""
    headers = {
        "content-type": "application/octet-stream",
        "x-goog-content-length-range": f"{size},{size}",
        "x-goog-content-sha256": sha256.hex(),
        "x-goog-if-generation-match": "0",
    }
    expires = int((time.time() + UPLOAD_SECONDS) * 1000)
    url = _signed(connection, blob, "PUT", UPLOAD_SECONDS, headers)
    return None if url is None else UploadAddress(url, "PUT", headers, expires)


def download_address(connection: Connection, blob: Blob) -> str | None:
    """Returns where the blob may be read from; None where nobody can sign."""
    return _signed(connection, blob, "GET", DOWNLOAD_SECONDS, {})


def _signed(
    connection: Connection, blob: Blob, method: str, seconds: int, headers: Mapping[str, str]
) -> str | None:
    signer = _signer(connection)
    if signer is None:
        return None
    url: str = blob.generate_signed_url(
        version="v4",
        expiration=timedelta(seconds=seconds),
        method=method,
        headers=dict(headers),
        api_access_endpoint=connection.endpoint,
        **signer,
    )
    return url


def _signer(connection: Connection) -> dict[str, Any] | None:
    """Returns who signs, as the library wants it named."""
    from google.auth.credentials import Signing

    credentials = connection.credentials
    if credentials is None:
        return {"credentials": _unchecked()}
    if isinstance(credentials, Signing):
        return {"credentials": credentials}
    if not hasattr(credentials, "service_account_email"):
        return None
    # The platform's name for its account is "default" until they have been refreshed.
    connection.refresh()
    email, token = credentials.service_account_email, credentials.token
    return {"service_account_email": email, "access_token": token}


def _unchecked() -> Credentials:
    from google.auth.credentials import AnonymousCredentials, Signing

    class Unchecked(AnonymousCredentials, Signing):
        """Signs for an emulator, which checks no signature."""

        signer = None
        signer_email = "nobody@emulator.invalid"

        def sign_bytes(self, message: bytes) -> bytes:  # noqa: ARG002
            return b"unchecked"

    return Unchecked()  # type: ignore[no-untyped-call]
