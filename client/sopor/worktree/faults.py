"""What the errors of the operating system mean for somebody who works with the project's files."""

from __future__ import annotations

import errno

from sopor.errors import DiskFull, InvalidInput, SoporError, StateConflict, StorageFault

_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk quota is used up"}
_DENIED = frozenset({errno.EACCES, errno.EPERM})


def reading(error: OSError, path: str) -> SoporError:
    """Returns the error to raise when a file or folder can't be read."""
    if error.errno in _DENIED:
        return InvalidInput(
            f"{path} can't be read: permission denied",
            hint="give yourself the permission to read it",
        )
    if error.errno == errno.ELOOP:
        return not_plain(path)
    return StorageFault(f"{path} can't be read: {_reason(error)}", hint="check the disk")


def writing(error: OSError, path: str) -> SoporError:
    """Returns the error to raise when a file can't be written or removed."""
    again = "then run the command again: nothing is lost"
    if error.errno in _FULL:
        return DiskFull(
            f"{path} can't be written: {_FULL[error.errno]}", hint=f"make space, {again}"
        )
    if error.errno == errno.EROFS:
        return DiskFull(
            f"{path} can't be written: the disk is read-only",
            hint=f"make it writable, {again}",
        )
    if error.errno in _DENIED:
        return DiskFull(
            f"{path} can't be written: permission denied",
            hint=f"give yourself the permission to write there, {again}",
        )
    if error.errno in {errno.ENOTDIR, errno.EISDIR, errno.EEXIST}:
        return StateConflict(
            f"{path} can't be written: a file or folder is in its place",
            hint=f"move it away, {again}",
        )
    if error.errno == errno.ENAMETOOLONG:
        return InvalidInput(
            f"{path} can't be written: the name is too long for this disk",
            hint="rename the file on the machine that it comes from",
        )
    return StorageFault(
        f"{path} can't be written: {_reason(error)}", hint=f"check the disk, {again}"
    )


def not_plain(path: str) -> InvalidInput:
    """Returns the error for a link, a folder or a device where a project file should be."""
    return InvalidInput(
        f"{path} is not a plain file",
        hint="put the file itself there; links are not followed, so that nothing leads outside",
    )


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
