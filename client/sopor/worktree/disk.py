"""Reads and writes files below one folder, each whole or not at all.

Links are never followed below the root. A file is replaced by writing a temporary one next to it,
flushing that to disk and renaming it, so that a reader sees the old content or the new one. The
rename is injectable: tests make it fail at each point.
"""

# ruff: noqa: PTH101, PTH103, PTH106, PTH108, PTH114, PTH118, PTH120, PTH121, PTH123, RUF100
# With ten thousand files, building Path objects would take longer than all the rest.

from __future__ import annotations

import errno
import os
import secrets
import stat as modes
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import field
from hashlib import sha256
from pathlib import Path

from sopor.errors import InvalidInput, StateConflict
from sopor.records import dataclass
from sopor.worktree import faults
from sopor.worktree.index import Stat
from sopor.worktree.paths import TEMPORARY_PREFIX, TEMPORARY_SUFFIX

_READ_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_WRITE_FLAGS = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)
_ATTEMPTS = 5
_MANY = 32
_INODE_MASK = 2**63 - 1
_CAUTION = 2_000_000_000
"""Nanoseconds: no file system in use has a coarser clock."""


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one file with the stat that they were read under."""

    data: bytes
    stat: Stat

    @property
    def digest(self) -> str:
        """The SHA-256 of the bytes, in hexadecimal."""
        return sha256(self.data).hexdigest()


@dataclass(slots=True)
class Staged:
    """A new content that lies next to its target, not yet in its place."""

    path: str
    name: str
    temporary: str
    stat: Stat


@dataclass(slots=True)
class Disk:
    """The files below a root folder; paths have forward slashes and are relative to it."""

    root: Path
    scratch: Path | None = None
    replace: Callable[[str, str], None] = os.replace
    _touched: set[str] = field(default_factory=set)
    _plain: set[str] = field(default_factory=lambda: {""})

    def place(self, name: str) -> str:
        """Returns the path that the operating system is given."""
        return os.path.join(self.root, name)

    def stat(self, name: str) -> Stat | None:
        """Returns the stat of a plain file, None where nothing is.

        Raises:
            InvalidInput: a link or a folder is there, or in the way.
        """
        self._require_plain_folder(name)
        try:
            found = os.lstat(self.place(name))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return None
            raise faults.reading(error, name) from error
        if not modes.S_ISREG(found.st_mode):
            raise faults.not_plain(name)
        return stat_of(found)

    def read(self, name: str, limit: int) -> Content:
        """Returns the whole content of a file that nobody writes meanwhile.

        Raises:
            FileNotFoundError: it is not there any more.
            InvalidInput: it can't be read, is no plain file or has more bytes than the limit.
            StateConflict: it keeps changing.
        """
        for attempt in range(_ATTEMPTS):
            content = self._read_once(name, limit)
            if content is not None:
                return content
            time.sleep(0.01 * (attempt + 1))
        raise StateConflict(
            f"{name} keeps changing while it is read",
            hint="wait until the other program has saved it, then run the command again",
        )

    def _read_once(self, name: str, limit: int) -> Content | None:
        try:
            with open(os.open(self.place(name), _READ_FLAGS), "rb") as file:
                before = os.fstat(file.fileno())
                if not modes.S_ISREG(before.st_mode):
                    raise faults.not_plain(name)
                check_size(name, before.st_size, limit)
                data = file.read(limit + 1)
                after = stat_of(os.fstat(file.fileno()))
        except FileNotFoundError:
            raise
        except OSError as error:
            raise faults.reading(error, name) from error
        whole = stat_of(before) == after and len(data) == after.size
        return Content(data, after) if whole else None

    def clock(self) -> int:
        """Returns the file system's time in nanoseconds, as it would stamp a file now.

        It comes from a file made for this, since only the file system knows how coarse its clock
        is. Where none can be made, this machine's clock with a margin has to do.
        """
        probe = os.path.join(self.scratch or self.root, _temporary())
        try:
            os.close(os.open(probe, _WRITE_FLAGS, 0o600))
            found = os.lstat(probe)
            os.unlink(probe)
        except OSError:
            return time.time_ns() - _CAUTION
        return max(found.st_mtime_ns, found.st_ctime_ns)

    def stage(self, path: str, name: str, data: bytes) -> Staged:
        """Writes a content next to its target; missing folders are made.

        Args:
            path: the path of the file.
            name: the name that it has on disk, which may be in another Unicode form.
            data: the bytes.

        Raises:
            DiskFull, StorageFault: it can't be written. The temporary file is gone then.
            InvalidInput: a link is in the way.
            StateConflict: a file is where a folder is needed.
        """
        target = self.place(name)
        folder = os.path.dirname(target)
        temporary = os.path.join(folder, _temporary())
        self._require_plain_folder(name)
        try:
            os.makedirs(folder, exist_ok=True)
            mode = _mode_of(target)
            with open(os.open(temporary, _WRITE_FLAGS, 0o666), "wb") as file:
                file.write(data)
                file.flush()
                if mode is not None:
                    os.chmod(temporary, mode)
                stat = stat_of(os.fstat(file.fileno()))
        except OSError as error:
            _discard(temporary)
            raise faults.writing(error, path) from error
        return Staged(path, name, temporary, stat)

    def flush(self, staged: Iterable[Staged]) -> None:
        """Makes staged contents survive a power cut; raises as `stage` does.

        Many files are flushed by flushing everything: one file after the other may take minutes.
        """
        items = list(staged)
        if _flush_all(len(items)):
            return
        for item in items:
            try:
                descriptor = os.open(item.temporary, os.O_RDWR)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
            except OSError as error:
                raise faults.writing(error, item.path) from error

    def put(self, staged: Staged) -> Stat:
        """Moves a staged content to its place and returns its stat; raises as `stage` does."""
        target = self.place(staged.name)
        try:
            self.replace(staged.temporary, target)
            stat = stat_of(os.lstat(target))
        except OSError as error:
            raise faults.writing(error, staged.path) from error
        self._touched.add(os.path.dirname(target))
        return stat

    def discard(self, staged: Iterable[Staged]) -> None:
        """Removes staged contents that have not been put in place."""
        for item in staged:
            _discard(item.temporary)

    def clean_up(self, names: Iterable[str]) -> None:
        """Removes temporary files that a killed command left behind, as far as that works."""
        for name in names:
            _discard(self.place(name))

    def remove(self, path: str, name: str) -> None:
        """Removes a file, and the folders that are empty without it; raises as `stage` does."""
        target = self.place(name)
        self._require_plain_folder(name)
        try:
            os.unlink(target)
        except FileNotFoundError:
            return
        except OSError as error:
            raise faults.writing(error, path) from error
        self._touched.add(self._remove_empty_folders(os.path.dirname(target)))

    def _remove_empty_folders(self, folder: str) -> str:
        root = str(self.root)
        while folder != root:
            try:
                os.rmdir(folder)
            except OSError:
                break  # it is not empty: that is where to stop
            folder = os.path.dirname(folder)
        return folder

    def settle(self) -> None:
        """Makes renames and removals survive a power cut."""
        touched, self._touched = self._touched, set()
        if _flush_all(len(touched)):
            return
        for folder in sorted(touched):
            _flush_folder(folder)

    def same_file(self, one: str, other: str) -> bool:
        """Tells whether two names lead to one file, as on disks that ignore case."""
        try:
            return os.path.samefile(self.place(one), self.place(other))
        except OSError:
            return False

    def look_again(self) -> None:
        """Forgets which folders were no links when they were last looked at."""
        self._plain = {""}

    def _require_plain_folder(self, name: str) -> None:
        """Raises InvalidInput where a folder between the root and a file is a link."""
        folder = os.path.dirname(name)
        if folder in self._plain:
            return
        self._require_plain_folder(folder)
        if os.path.islink(self.place(folder)):
            raise faults.not_plain(name)
        self._plain.add(folder)


def stat_of(found: os.stat_result) -> Stat:
    """Returns the part of a stat result that tells whether a file was written."""
    return Stat(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino & _INODE_MASK)


def check_size(path: str, size: int, limit: int) -> None:
    """Raises InvalidInput for a file with more bytes than the limit."""
    if size > limit:
        raise InvalidInput(
            f"{path} has {size} bytes, at most {limit} are read",
            hint="split it into several files in Insomnia",
        )


def _mode_of(target: str) -> int | None:
    try:
        return modes.S_IMODE(os.lstat(target).st_mode)
    except FileNotFoundError:
        return None


def _temporary() -> str:
    return f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"


def _discard(temporary: str) -> None:
    try:
        os.unlink(temporary)
    except OSError:
        return  # it never came to be, or the next write finds and removes it


def _flush_all(count: int) -> bool:
    """Flushes the disks, if that is worth it and if the system waits for the end of it."""
    if count <= _MANY or sys.platform != "linux":
        return False
    os.sync()
    return True


def _flush_folder(folder: str) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except OSError:
        return  # a folder that can't be opened, or a system that can't open folders
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise faults.writing(error, folder) from error
    finally:
        os.close(descriptor)
