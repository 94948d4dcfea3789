"""The blob port on Google Cloud Storage, by its JSON interface.

Objects are created once (``ifGenerationMatch=0``) and never overwritten, so every request may be
made again. Whole objects are compared with their CRC-32C when they come and when they go; of a
part only the length can be: who reads parts verifies them.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from sopor_server.adapters.google.retries import send_until_answered
from sopor_server.adapters.google.transport import Answer, GoogleTransport, Transport
from sopor_server.ports.blobs import BlobInfo, check_key
from sopor_server.ports.errors import BlobDiffers, BlobMissing, StoreUnavailable

_HOST = "https://storage.googleapis.com"
_SECONDS = 60.0
_FIELDS = "name,size,crc32c,timeCreated"


class GcsBlobStore:
    """Implements `sopor_server.ports.blobs.BlobStore`; docstrings there are the contract."""

    def __init__(self, bucket: str, transport: Transport, host: str = _HOST) -> None:
        """Takes the bucket's name; ``host`` is the URL of an emulator."""
        self._bucket = bucket
        self._transport = transport
        self._host = host.rstrip("/")

    @classmethod
    def open(cls, bucket: str, emulator: str | None = None) -> GcsBlobStore:
        """Opens a bucket at Google, or at an emulator (``host:port`` or URL)."""
        if emulator is None:
            return cls(bucket, GoogleTransport())
        url = emulator if "://" in emulator else f"http://{emulator}"
        return cls(bucket, GoogleTransport(emulated=True), url)

    def check(self) -> None:  # noqa: D102
        # Other than an object, a list is refused where there is no bucket, by every emulator too.
        query = urlencode({"prefix": "check/", "maxResults": 1, "fields": "nextPageToken"})
        _refuse_failure(self._send("GET", f"{self._objects()}?{query}"))

    def put(self, key: str, data: bytes) -> bool:  # noqa: D102
        check_key(key)
        doubts: list[bool] = []
        query = urlencode({"uploadType": "multipart", "ifGenerationMatch": 0, "fields": _FIELDS})
        url = f"{self._host}/upload/storage/v1/b/{quote(self._bucket, safe='')}/o?{query}"
        kind, body = _multipart({"name": key, "crc32c": _crc(data)}, data)
        answer = self._send(
            "POST", url, body, {"Content-Type": kind}, noticed=lambda: doubts.append(True)
        )
        if answer.status == 412:
            self._check_same(key, data)
            # After an attempt without an answer, what stands there is what that attempt put.
            return bool(doubts)
        _refuse_failure(answer)
        # Cloud Storage compares with the CRC in the metadata before it creates the object.
        if not _is(json.loads(answer.body), data):
            raise StoreUnavailable("a pack was damaged on its way to Cloud Storage")
        return True

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:  # noqa: D102
        url = f"{self._object(key)}?alt=media"
        if end is not None and end <= start:
            if self.size(key) is None:
                raise BlobMissing("there is no such blob")
            return b""
        whole = start == 0 and end is None
        wanted = f"bytes={start}-" if end is None else f"bytes={start}-{end - 1}"
        headers = {"Accept-Encoding": "identity"} | ({} if whole else {"Range": wanted})
        answer = self._send("GET", url, headers=headers)
        if answer.status == 416:
            return b""
        if self._is_missing(answer):
            raise BlobMissing("there is no such blob")
        _refuse_failure(answer)
        _check_arrived(answer)
        return answer.body

    def size(self, key: str) -> int | None:  # noqa: D102
        found = self._metadata(key)
        return None if found is None else int(found["size"])

    def list(self, prefix: str) -> Iterator[BlobInfo]:  # noqa: D102
        query = {
            "prefix": f"{check_key(prefix)}/",
            "fields": "items(name,size,timeCreated),nextPageToken",
        }
        while True:
            answer = self._send("GET", f"{self._objects()}?{urlencode(query)}")
            _refuse_failure(answer)
            page = json.loads(answer.body)
            yield from map(_info, page.get("items", []))
            if not page.get("nextPageToken"):
                return
            query["pageToken"] = page["nextPageToken"]

    def delete(self, key: str) -> None:  # noqa: D102
        answer = self._send("DELETE", self._object(key))
        if not self._is_missing(answer):
            _refuse_failure(answer)

    def _object(self, key: str) -> str:
        return f"{self._objects()}/{quote(check_key(key), safe='')}"

    def _objects(self) -> str:
        return f"{self._host}/storage/v1/b/{quote(self._bucket, safe='')}/o"

    def _metadata(self, key: str) -> dict[str, Any] | None:
        answer = self._send("GET", f"{self._object(key)}?fields={_FIELDS}")
        if self._is_missing(answer):
            return None
        _refuse_failure(answer)
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def _check_same(self, key: str, data: bytes) -> None:
        found = self._metadata(key)
        if found is None:
            raise StoreUnavailable("a pack was deleted while it was put; try again")
        if not _is(found, data):
            raise BlobDiffers("other bytes stand under the key")

    def _is_missing(self, answer: Answer) -> bool:
        if answer.status != 404:
            return False
        if b"bucket does not exist" in answer.body:
            raise StoreUnavailable(f"there is no bucket {self._bucket}")
        return True

    def _send(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        **named: Any,  # noqa: ANN401
    ) -> Answer:
        return send_until_answered(
            self._transport, method, url, headers or {}, body, _SECONDS, **named
        )


def _multipart(metadata: dict[str, str], data: bytes) -> tuple[str, bytes]:
    boundary = secrets.token_hex(16)
    head = (
        f"--{boundary}\r\nContent-Type: application/json\r\n\r\n{json.dumps(metadata)}\r\n"
        f"--{boundary}\r\nContent-Type: application/octet-stream\r\n\r\n"
    )
    body = b"".join((head.encode("ascii"), data, f"\r\n--{boundary}--\r\n".encode("ascii")))
    return f"multipart/related; boundary={boundary}", body


def _crc(data: bytes) -> str:
    import google_crc32c

    checksum: int = google_crc32c.value(data)
    return b64encode(checksum.to_bytes(4, "big")).decode("ascii")


def _is(found: dict[str, Any], data: bytes) -> bool:
    return int(found["size"]) == len(data) and found["crc32c"] == _crc(data)


def _info(item: dict[str, Any]) -> BlobInfo:
    created = datetime.fromisoformat(item["timeCreated"])
    return BlobInfo(item["name"], int(item["size"]), int(created.timestamp() * 1000))


def _check_arrived(answer: Answer) -> None:
    hashes = dict(
        part.strip().split("=", 1)
        for part in answer.headers.get("x-goog-hash", "").split(",")
        if "=" in part
    )
    if answer.status == 200 and hashes.get("crc32c", "") != _crc(answer.body):
        raise StoreUnavailable("a pack was damaged on its way from Cloud Storage")
    length = answer.headers.get("content-length")
    if length is not None and int(length) != len(answer.body):
        raise StoreUnavailable("a part of a pack did not arrive from Cloud Storage")


def _refuse_failure(answer: Answer) -> None:
    if answer.status not in (200, 204, 206):
        reason = answer.body[:200].decode("utf-8", "replace")
        raise StoreUnavailable(f"Cloud Storage refused with status {answer.status}: {reason}")
