"""Blobs as objects of a bucket.

Objects are created once (``if_generation_match=0``) and never overwritten, so every call may be
made again. Whole objects are compared with their CRC-32C when they come and when they go; of a
part only the length can be: who reads parts verifies them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sopor_server.adapters.gcs import signing
from sopor_server.adapters.gcs.checksums import crc32c, joined
from sopor_server.adapters.gcs.connection import Connection
from sopor_server.adapters.gcs.failures import TIMEOUT, is_bucket_missing, release, retries, told
from sopor_server.ports.blobs import BlobInfo, UploadAddress, check_key, check_sources
from sopor_server.ports.errors import BlobDiffers, BlobMissing, StoreUnavailable

if TYPE_CHECKING:
    from google.cloud.storage import Blob

_OCTETS = "application/octet-stream"
_PATIENCE_SECONDS = 30.0


class GcsBlobStore:
    """Implements `sopor_server.ports.blobs.BlobStore`; docstrings there are the contract."""

    def __init__(
        self, bucket: str, connection: Connection, patience: float = _PATIENCE_SECONDS
    ) -> None:
        """Takes the bucket's name; ``patience`` is for how many seconds calls are tried again."""
        self._bucket = bucket
        self._connection = connection
        self._patience = patience

    @classmethod
    def open(cls, bucket: str, emulator: str | None = None) -> GcsBlobStore:
        """Opens a bucket at Google, or at an emulator (``host:port`` or URL)."""
        return cls(bucket, Connection(emulator))

    def close(self) -> None:
        """Gives up the connections."""
        self._connection.close()

    def check(self) -> None:  # noqa: D102
        # Other than an object, a list is refused where there is no bucket, by every emulator too.
        for _ in self._list("check/", "nextPageToken", most=1):
            break

    def put(self, key: str, data: bytes) -> bool:  # noqa: D102
        from google.api_core.exceptions import PreconditionFailed

        doubts: list[bool] = []
        with told():
            blob = self._blob(key)
            try:
                # The checksum goes with the bytes: damaged ones are refused, not stored.
                blob.upload_from_string(
                    data,
                    content_type=_OCTETS,
                    if_generation_match=0,
                    checksum="crc32c",
                    timeout=TIMEOUT,
                    retry=retries(self._patience, lambda: doubts.append(True)),
                )
            except PreconditionFailed:
                self._check_same(key, len(data), crc32c(data))
                # After an attempt without an answer, what stands there is what that attempt put.
                return bool(doubts)
            _check_is(blob, len(data), crc32c(data))
        return True

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:  # noqa: D102
        from google.api_core.exceptions import NotFound, RequestRangeNotSatisfiable

        if end is not None and end <= start:
            if self.size(key) is None:
                raise BlobMissing("there is no such blob")
            return b""
        whole = start == 0 and end is None
        with told():
            blob = self._blob(key)
            try:
                data: bytes = blob.download_as_bytes(
                    start=None if whole else start,
                    end=None if end is None else end - 1,
                    raw_download=True,
                    checksum="crc32c" if whole else None,
                    timeout=TIMEOUT,
                    retry=self._retries(),
                )
            except RequestRangeNotSatisfiable as error:
                release(error)
                return b""
            except NotFound as error:
                release(error)
                self._refuse_missing_bucket(error)
                raise BlobMissing("there is no such blob") from None
        _check_arrived(blob, data, whole=whole, most=None if end is None else end - start)
        return data

    def size(self, key: str) -> int | None:  # noqa: D102
        found = self._metadata(key)
        return None if found is None else int(found.size)

    def list(self, prefix: str) -> Iterator[BlobInfo]:  # noqa: D102
        fields = "items(name,size,timeCreated),nextPageToken"
        for blob in self._list(f"{check_key(prefix)}/", fields):
            created = int(blob.time_created.timestamp() * 1000)
            yield BlobInfo(blob.name, int(blob.size), created)

    def delete(self, key: str) -> None:  # noqa: D102
        from google.api_core.exceptions import NotFound

        with told():
            try:
                self._blob(key).delete(timeout=TIMEOUT, retry=self._retries())
            except NotFound as error:
                self._refuse_missing_bucket(error)

    def compose(self, key: str, sources: Sequence[str]) -> bool:  # noqa: D102
        from google.api_core.exceptions import NotFound, PreconditionFailed

        check_sources(key, sources)
        found = {name: self._metadata(name) for name in dict.fromkeys(sources)}
        parts = [part for name in sources if (part := found[name]) is not None]
        if len(parts) < len(sources):
            raise BlobMissing("a blob to join is not there")
        size = sum(part.size for part in parts)
        checksum = joined((part.size, part.crc32c) for part in parts)
        doubts: list[bool] = []
        with told():
            blob = self._blob(key)
            blob.content_type = _OCTETS
            try:
                blob.compose(
                    parts,
                    if_generation_match=0,
                    if_source_generation_match=[part.generation for part in parts],
                    timeout=TIMEOUT,
                    retry=retries(self._patience, lambda: doubts.append(True)),
                )
            except PreconditionFailed:
                self._check_same(key, size, checksum)
                return bool(doubts)
            except NotFound as error:
                self._refuse_missing_bucket(error)
                raise BlobMissing("a blob to join is not there") from None
        _check_is(blob, size, checksum)
        return True

    def upload_address(  # noqa: D102
        self, key: str, size: int, sha256: bytes
    ) -> UploadAddress | None:
        with told():
            return signing.upload_address(self._connection, self._blob(key), size, sha256)

    def download_address(self, key: str) -> str | None:  # noqa: D102
        with told():
            return signing.download_address(self._connection, self._blob(key))

    def _blob(self, key: str) -> Blob:
        return self._connection.client.bucket(self._bucket).blob(check_key(key))

    def _retries(self) -> object:
        return retries(self._patience)

    def _list(self, prefix: str, fields: str, most: int | None = None) -> Iterator[Blob]:
        with told():
            yield from self._connection.client.list_blobs(
                self._bucket,
                prefix=prefix,
                fields=fields,
                max_results=most,
                timeout=TIMEOUT,
                retry=self._retries(),
            )

    def _metadata(self, key: str) -> Blob | None:
        from google.api_core.exceptions import NotFound

        with told():
            blob = self._blob(key)
            try:
                blob.reload(timeout=TIMEOUT, retry=self._retries())
            except NotFound as error:
                self._refuse_missing_bucket(error)
                return None
            return blob

    def _check_same(self, key: str, size: int, checksum: str) -> None:
        found = self._metadata(key)
        if found is None:
            raise StoreUnavailable("a blob was deleted while it was put; try again")
        if (found.size, found.crc32c) != (size, checksum):
            raise BlobDiffers("other bytes stand under the key")

    def _refuse_missing_bucket(self, error: Exception) -> None:
        if is_bucket_missing(error):
            raise StoreUnavailable(f"there is no bucket {self._bucket}") from error


def _check_is(blob: Blob, size: int, checksum: str) -> None:
    """Compares what Cloud Storage says that it has created."""
    if (blob.size, blob.crc32c) != (size, checksum):
        raise StoreUnavailable("a pack was damaged on its way to Cloud Storage")


def _check_arrived(blob: Blob, data: bytes, *, whole: bool, most: int | None) -> None:
    if whole and blob.crc32c != crc32c(data):
        raise StoreUnavailable("a pack was damaged on its way from Cloud Storage")
    if most is not None and len(data) > most:
        raise StoreUnavailable("Cloud Storage sent more of a pack than was asked for")
