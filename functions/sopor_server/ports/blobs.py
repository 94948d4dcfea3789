"""The blob port: immutable byte strings under names.

A key is 1 to 8 segments of ``a-z 0-9 _ -``, each of 1 to 128 characters, joined by ``/``; adapters
raise ValueError for any other key, which is a fault of the program: keys are made by
`pack_key` from parsed ids, never from a text that came over the wire.

All methods may be called from many threads and processes at once. `StoreUnavailable` may escape
from all of them; every call may then be made again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from sopor_core.ids import PackId, ProjectId

_KEY = re.compile(r"[a-z0-9_-]{1,128}(?:/[a-z0-9_-]{1,128}){0,7}")


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """A stored blob: key, size in bytes, time of the put in milliseconds."""

    key: str
    size: int
    modified: int


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


def check_key(key: str) -> str:
    """Returns the key if it is well formed; raises ValueError."""
    if not _KEY.fullmatch(key):
        raise ValueError("a blob key is malformed")
    return key


def pack_key(project: ProjectId, pack: PackId) -> str:
    """Returns the key of a project's pack."""
    return f"packs/{project.hex()}/{pack.hex()}"
