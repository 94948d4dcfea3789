"""The blob port on a directory: one file a blob, in folders by the first two letters of its name.

A put writes a temporary file, flushes it to the disk, links it to its name, which fails where one
exists, and flushes the folder: after a crash the blob is there wholly or not at all.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sopor_server.ports.blobs import BlobInfo, check_key
from sopor_server.ports.errors import BlobDiffers, BlobMissing, StoreUnavailable

_TEMPORARY = ".new"


class FileBlobStore:
    """Implements `sopor_server.ports.blobs.BlobStore`; docstrings there are the contract."""

    def __init__(self, root: Path) -> None:
        """Takes the directory, which the first put creates."""
        self._root = root

    def check(self) -> None:  # noqa: D102
        with _unavailable():
            _make_folder(self._root)
            if not os.access(self._root, os.W_OK):
                raise PermissionError(errno.EACCES, "not writable")

    def put(self, key: str, data: bytes) -> bool:  # noqa: D102
        path = self._path(key)
        with _unavailable():
            if self._is_there(path, data):
                return False
            _make_folder(path.parent)
            temporary = path.parent / f"{secrets.token_hex(8)}{_TEMPORARY}"
            try:
                _write(temporary, data)
                _name(temporary, path)
            except FileExistsError:
                return not self._is_there(path, data)
            finally:
                temporary.unlink(missing_ok=True)
            _flush_folder(path.parent)
        return True

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

    def _path(self, key: str) -> Path:
        folder, _, name = check_key(key).rpartition("/")
        return self._root / folder / f"{name[:2]}.d" / name

    def _info(self, path: Path) -> BlobInfo:
        key = (path.parent.parent / path.name).relative_to(self._root).as_posix()
        status = path.stat()
        return BlobInfo(key, status.st_size, status.st_mtime_ns // 1_000_000)

    def _is_there(self, path: Path, data: bytes) -> bool:
        try:
            found = path.read_bytes()
        except FileNotFoundError:
            return False
        if found != data:
            raise BlobDiffers("other bytes stand under the key")
        # Whoever put it may not have flushed the folder yet.
        _flush_folder(path.parent)
        return True


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"the packs cannot be reached: {error.strerror}") from error


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _name(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except OSError as error:
        # Some file systems have no hard links. Two puts at once then both say that they created
        # the blob, which does no harm: the key of a pack follows from its bytes.
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        temporary.replace(path)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _flush_folder(folder.parent)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
