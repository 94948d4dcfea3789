"""The blob port on a directory: one file a blob, in folders by the first two letters of its name.

A put writes a temporary file, flushes it to the disk, links it to its name, which fails where one
exists, and flushes the folder: after a crash the blob is there wholly or not at all.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from sopor_server.disk import flush_folder, make_folder
from sopor_server.ports.blobs import BlobInfo, UploadAddress, check_key, check_sources
from sopor_server.ports.errors import BlobDiffers, BlobMissing, StoreUnavailable

_TEMPORARY = ".new"
_CHUNK_BYTES = 1 << 20


class FileBlobStore:
    """Implements `sopor_server.ports.blobs.BlobStore`; docstrings there are the contract."""

    def __init__(self, root: Path) -> None:
        """Takes the directory, which the first put creates."""
        self._root = root

    def check(self) -> None:  # noqa: D102
        with _unavailable():
            make_folder(self._root)
            if not os.access(self._root, os.W_OK):
                raise PermissionError(errno.EACCES, "not writable")

    def put(self, key: str, data: bytes) -> bool:  # noqa: D102
        path = self._path(key)
        with _unavailable():
            if _is_there(path, [data]):
                return False
            return _create(path, lambda file: file.write(data), lambda: _is_there(path, [data]))

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:  # noqa: D102
        with _unavailable():
            try:
                with self._path(key).open("rb") as file:
                    file.seek(start)
                    return file.read() if end is None else file.read(max(end - start, 0))
            except FileNotFoundError:
                raise BlobMissing("there is no such blob") from None

    def size(self, key: str) -> int | None:  # noqa: D102
        with _unavailable():
            try:
                return self._path(key).stat().st_size
            except FileNotFoundError:
                return None

    def list(self, prefix: str) -> Iterator[BlobInfo]:  # noqa: D102
        folder = self._root / check_key(prefix)
        with _unavailable():
            for path in folder.rglob("*"):
                try:
                    if path.suffix != _TEMPORARY and path.is_file():
                        yield self._info(path)
                except FileNotFoundError:
                    continue

    def delete(self, key: str) -> None:  # noqa: D102
        with _unavailable():
            self._path(key).unlink(missing_ok=True)

    def compose(self, key: str, sources: Sequence[str]) -> bool:  # noqa: D102
        check_sources(key, sources)
        path, parts = self._path(key), [self._path(source) for source in sources]

        def write(file: BinaryIO) -> None:
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, file, _CHUNK_BYTES)

        def is_there() -> bool:
            return _is_there(path, chain.from_iterable(map(_chunks, parts)))

        with _unavailable():
            if not all(part.is_file() for part in parts):
                raise BlobMissing("a blob to join is not there")
            try:
                return False if is_there() else _create(path, write, is_there)
            except FileNotFoundError:
                raise BlobMissing("a blob to join is not there") from None

    def upload_address(  # noqa: D102
        self,
        key: str,
        size: int,  # noqa: ARG002
        sha256: bytes,  # noqa: ARG002
    ) -> UploadAddress | None:
        check_key(key)
        return None

    def download_address(self, key: str) -> str | None:  # noqa: D102
        check_key(key)
        return None

    def _path(self, key: str) -> Path:
        return blob_path(self._root, key)

    def _info(self, path: Path) -> BlobInfo:
        key = (path.parent.parent / path.name).relative_to(self._root).as_posix()
        status = path.stat()
        return BlobInfo(key, status.st_size, status.st_mtime_ns // 1_000_000)


def blob_path(root: Path, key: str) -> Path:
    """Returns the file of a blob in a store's directory; raises ValueError for a malformed key."""
    folder, _, name = check_key(key).rpartition("/")
    return root / folder / f"{name[:2]}.d" / name


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"the packs cannot be reached: {error.strerror}") from error


def _create(path: Path, write: Callable[[BinaryIO], object], is_there: Callable[[], bool]) -> bool:
    """Writes a new blob wholly or not at all; of several at once one creates it."""
    make_folder(path.parent)
    temporary = path.parent / f"{secrets.token_hex(8)}{_TEMPORARY}"
    try:
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        _name(temporary, path)
    except FileExistsError:
        return not is_there()
    finally:
        temporary.unlink(missing_ok=True)
    flush_folder(path.parent)
    return True


def _is_there(path: Path, expected: Iterable[bytes]) -> bool:
    """Tells whether the blob is there; raises BlobDiffers where it is of other bytes."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return False
    with file:
        same = all(file.read(len(chunk)) == chunk for chunk in expected) and not file.read(1)
    if not same:
        raise BlobDiffers("other bytes stand under the key")
    # Whoever put it may not have flushed the folder yet.
    flush_folder(path.parent)
    return True


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _name(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except OSError as error:
        # Some file systems have no hard links. Two puts at once then both say that they created
        # the blob, which does no harm: the key of a pack follows from its bytes.
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        temporary.replace(path)
