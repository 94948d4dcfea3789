"""The blob port: immutable byte strings under names.

A key is 1 to 8 segments of ``a-z 0-9 _ -``, each of 1 to 128 characters, joined by ``/``; adapters
raise ValueError for any other key, which is a fault of the program: keys are made by
`pack_key` and its like from parsed ids, never from a text that came over the wire.

All methods may be called from many threads and processes at once. `StoreUnavailable` may escape
from all of them; every call may then be made again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sopor_core.ids import PackId, ProjectId
from sopor_core.push_entry import ListedPack

MAX_COMPOSED = 32
"""The most blobs that one call joins."""
_KEY = re.compile(r"[a-z0-9_-]{1,128}(?:/[a-z0-9_-]{1,128}){0,7}")


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """A stored blob: key, size in bytes, time of the put in milliseconds."""

    key: str
    size: int
    modified: int


@dataclass(frozen=True, slots=True)
class UploadAddress:
    """Where a blob may be put without asking anybody: whoever knows the URL may do so.

    The request is ``method`` with exactly these headers; ``expires`` is in milliseconds.
    """

    url: str = field(repr=False)
    method: str
    headers: Mapping[str, str] = field(repr=False)
    expires: int


class BlobStore(Protocol):
    """Keeps the packs."""

    def check(self) -> None:
        """Returns if the store can be written; raises StoreUnavailable."""

    def put(self, key: str, data: bytes) -> bool:
        """Stores bytes under a new key; tells whether they were not there before.

        Durable when it returns, and never seen in part. The same bytes again are success. Of
        several puts at once one creates, the others find it there.

        Raises:
            BlobDiffers: other bytes stand under the key; they stay.
        """

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        """Returns the bytes from ``start`` up to, not including, ``end`` (None: to the last).

        Where the blob is shorter than ``end`` the answer is shorter.

        Raises:
            BlobMissing: there is no such blob.
        """

    def size(self, key: str) -> int | None:
        """Returns the size in bytes, or None where there is no such blob."""

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """Yields the blobs whose keys begin with ``prefix/``, in no order.

        What is put or deleted meanwhile may be there or not; everything else is there once.
        """

    def delete(self, key: str) -> None:
        """Deletes a blob; one that is not there is success."""

    def compose(self, key: str, sources: Sequence[str]) -> bool:
        """Stores under a new key 1 to 32 blobs one after the other; tells as `put` does.

        The sources stay. Durable, whole and create-only as `put` is: the same bytes again are
        success. The same source may come twice, the new key itself may not.

        Raises:
            BlobMissing: a source is not there; also where the joined blob is.
            BlobDiffers: other bytes stand under the key; they stay.
        """

    def upload_address(self, key: str, size: int, sha256: bytes) -> UploadAddress | None:
        """Returns where a client may put the blob by itself, or None: this store has no such place.

        What is put there is create-only and of this size; a store that can compares the hash too.
        The address is good for minutes. Nothing is stored or reserved by asking.
        """

    def download_address(self, key: str) -> str | None:
        """Returns a URL that answers GET and Range with the blob for some minutes, or None."""


def check_key(key: str) -> str:
    """Returns the key if it is well formed; raises ValueError."""
    if not _KEY.fullmatch(key):
        raise ValueError("a blob key is malformed")
    return key


def check_sources(key: str, sources: Sequence[str]) -> None:
    """Raises ValueError unless these blobs can be joined under the key."""
    check_key(key)
    if not 1 <= len(sources) <= MAX_COMPOSED:
        raise ValueError(f"1 to {MAX_COMPOSED} blobs are joined, not {len(sources)}")
    if key in map(check_key, sources):
        raise ValueError("a blob is to be joined to itself")


def pack_key(project: ProjectId, pack: PackId) -> str:
    """Returns the key of a project's pack."""
    return f"packs/{project.hex()}/{pack.hex()}"


def upload_key(project: ProjectId, pack: ListedPack) -> str:
    """Returns the key of the note that a pack of this size is to come straight to the storage."""
    return f"uploads/{project.hex()}/{pack.id.hex()}-{pack.size}"


def upload_of(key: str) -> tuple[ProjectId, ListedPack]:
    """Returns what the note under a key of `upload_key` is about."""
    _, project, name = key.split("/")
    pack, _, size = name.partition("-")
    return ProjectId.from_hex(project), ListedPack(PackId.from_hex(pack), int(size))
