"""Files as this program keeps them: whole or absent, for their owner only, locked while changed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES, EDQUOT, EFBIG, EIO, ENOSPC, EPERM, EROFS
from pathlib import Path
from time import monotonic, sleep

from sopor.errors import Busy, DamagedStore, DiskFull

MAX_PRIVATE_BYTES = 4 * 1024 * 1024
PATIENCE_SECONDS = 10.0
_RETRY_SECONDS = 0.02
_REFUSALS = {EACCES, EDQUOT, EFBIG, EIO, ENOSPC, EPERM, EROFS}


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turns the system's refusals into DiskFull."""
    try:
        yield
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        raise DiskFull(
            f"{path} cannot be used ({os.strerror(error.errno)})",
            hint="make space or give permission, then run the command again; "
            "nothing that was there before is lost",
        ) from error


def make_private_folder(path: Path) -> None:
    """Creates a folder that only its owner can enter, or makes an existing one so."""
    with disk_errors(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)


def read_private(path: Path) -> bytes | None:
    """Returns a file's content, or None if there is no such file; raises DamagedStore, DiskFull."""
    try:
        with disk_errors(path), path.open("rb") as file:
            data = file.read(MAX_PRIVATE_BYTES + 1)
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        raise DamagedStore(f"{path} is a folder, not a file", hint="move it away") from None
    if len(data) > MAX_PRIVATE_BYTES:
        raise DamagedStore(f"{path} is larger than anything sopor writes", hint="move it away")
    return data


def write_private(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replaces a file, mode 0600, so that a reader sees the old or the new content, never a part.

    Args:
        path: the file; its folder exists.
        data: the whole content.
        durable: whether it must survive a crash of the machine right afterwards.

    Raises:
        DiskFull: it cannot be written; the old content is still there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with disk_errors(path):
        try:
            temporary.unlink(missing_ok=True)
            _write_new(temporary, data, durable=durable)
            temporary.replace(path)
            if durable:
                sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def create_private(path: Path, data: bytes) -> None:
    """Writes a new file, mode 0600, to the disk itself.

    Raises:
        FileExistsError: the file is there already, and stays as it is.
        DiskFull: it cannot be written; nothing is left behind.
    """
    with disk_errors(path):
        try:
            _write_new(path, data, durable=True)
        except FileExistsError:
            raise
        except OSError:
            path.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def _write_new(path: Path, data: bytes, *, durable: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if durable:
            os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Makes sure that renamed and created files of a folder survive a crash."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(path: Path, what: str, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Holds the lock file at ``path``, which guards ``what``; it ends with its process.

    Raises:
        Busy: another process held it for all of ``patience`` seconds.
    """
    with disk_errors(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = monotonic() + patience
        while not _try_lock(descriptor):
            if monotonic() >= deadline:
                raise Busy(
                    f"another sopor process is changing {what}",
                    hint="wait for it to end, then run the command again",
                )
            sleep(_RETRY_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
