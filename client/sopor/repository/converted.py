"""Writes the files of a conversion into a folder, never over others unasked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from sopor.errors import StateConflict
from sopor.formats import DEFAULT_LIMITS
from sopor.formats.converting import Conversion
from sopor.records import dataclass
from sopor.worktree.disk import Disk
from sopor.worktree.paths import check_path

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class ConvertedFile:
    """One file that was written: its path below the folder, and how many documents it holds."""

    path: str
    documents: int


def files_of(conversion: Conversion) -> tuple[ConvertedFile, ...]:
    """Describes the files of a conversion."""
    return tuple(ConvertedFile(path, conversion.holds[path]) for path in conversion.files)


def present(folder: Path) -> Callable[[str], bytes | None]:
    """Returns what reads a file below a folder; it returns None where none is."""
    disk = Disk(folder.resolve())

    def read(path: str) -> bytes | None:
        if disk.stat(path) is None:
            return None
        return disk.read(path, DEFAULT_LIMITS.file_bytes).data

    return read


def write_files(folder: Path, files: Mapping[str, bytes], *, overwrite: bool) -> None:
    """Writes files below a folder, which is made if it is missing.

    Raises:
        StateConflict: one is there already with other contents, and overwriting was not asked for;
            nothing was written.
        InvalidInput: a path is not one for such a file, or a link is in the way.
        DiskFull, StorageFault: a file can't be written.
    """
    for path in files:
        check_path(path)
    folder = folder.resolve()
    read = present(folder)
    before = {path: read(path) for path in files}
    others = [path for path, data in before.items() if data not in (None, files[path])]
    if others and not overwrite:
        shown = ", ".join(others[:_SHOWN]) + (", ..." if len(others) > _SHOWN else "")
        raise StateConflict(
            f"files with other contents are there already: {shown}",
            hint="choose another place, or add --overwrite to replace them",
        )
    disk = Disk(folder)
    staged = []
    try:
        for path, data in files.items():
            if before[path] != data:
                staged.append(disk.stage(path, path, data))
        disk.flush(staged)
        while staged:
            disk.put(staged[0])
            del staged[0]
        disk.settle()
    finally:
        disk.discard(staged)
