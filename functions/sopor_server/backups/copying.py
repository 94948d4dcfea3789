"""Copies files so that each is there wholly or not at all, and hashes packs on their way."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from sopor_core.errors import InvalidValue
from sopor_server import disk
from sopor_server.backups.contents import Blob

TEMPORARY = ".new"
_AT_ONCE = 1024 * 1024


class NotWhole(Exception):
    """Says that a blob is not what its packs' ids say."""


def copy_packs(source: IO[bytes], write: Callable[[bytes], object], blob: Blob) -> bool:
    """Copies a blob; tells whether all of its packs have the hashes that their ids are."""
    whole = True
    for pack in blob.packs:
        digest, left = hashlib.sha256(), pack.size
        while left > 0 and (data := source.read(min(left, _AT_ONCE))):
            digest.update(data)
            write(data)
            left -= len(data)
        whole = whole and digest.digest() == pack.id
    return whole and not source.read(1)


def is_whole(path: Path, blob: Blob) -> bool:
    """Reads a blob and tells whether it is what its packs' ids say; raises FileNotFoundError."""
    with path.open("rb") as file:
        return copy_packs(file, len, blob)


def copy_blob(source: Path, target: Path, blob: Blob) -> None:
    """Copies a blob of packs.

    Raises:
        NotWhole: it is not what its packs' ids say; there is no copy then.
        FileNotFoundError: it is not there.
        OSError: it does not read, or the copy cannot be written.
    """
    with source.open("rb") as reader, replacing(target) as writer:
        if not copy_packs(reader, writer.write, blob):
            raise NotWhole


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Writes a file for its owner only, which gets its name once it is on the disk."""
    make_folder(target.parent)
    temporary = target.with_name(f"{target.name}{TEMPORARY}")
    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            yield file
        settle(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def copy_file(source: Path, target: Path) -> None:
    """Copies a small file, for its owner only; raises OSError."""
    with replacing(target) as file:
        file.write(source.read_bytes())


def settle(temporary: Path, target: Path) -> None:
    """Gives a file that was written its name, on the disk itself."""
    temporary.chmod(0o600)
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(target)
    disk.flush_folder(target.parent)


def make_folder(folder: Path) -> None:
    """Makes a folder for its owner only, with what is above it, on the disk itself."""
    disk.make_folder(folder, 0o700)


@contextmanager
def alone(path: Path, what: str) -> Iterator[None]:
    """Works in a folder, or on a file, as the only process.

    Raises:
        InvalidValue: another one works there.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise InvalidValue(
            f"another {what} works in {path}", hint="wait for it to end, then try again"
        ) from None
    finally:
        os.close(descriptor)
