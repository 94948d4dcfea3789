"""A `.sopor` in the making: marked until it is whole, so that a killed command can be repeated.

Ordering: the mark is on the disk before anything else, and is removed after everything else is.
"""

from __future__ import annotations

from pathlib import Path

from sopor.disk import disk_errors, sync_folder
from sopor.errors import DamagedStore

_MARK = "unfinished"


def is_unfinished(folder: Path) -> bool:
    """Tells whether a command was killed while it made this ``.sopor``; there may be none."""
    return (folder / _MARK).exists() or (folder.is_dir() and not any(folder.iterdir()))


def begin(folder: Path) -> None:
    """Creates a ``.sopor`` and marks it; what a killed command left of one is removed before."""
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        if is_unfinished(folder):
            import shutil

            shutil.rmtree(folder)
        folder.mkdir(mode=0o700)
        (folder / _MARK).touch()
        sync_folder(folder)


def finish(folder: Path) -> None:
    """Removes the mark from a ``.sopor`` that is whole."""
    with disk_errors(folder):
        (folder / _MARK).unlink()
        sync_folder(folder)


def check_finished(folder: Path) -> None:
    """Raises DamagedStore for a ``.sopor`` that is only half made."""
    if (folder / _MARK).exists():
        raise DamagedStore(
            f"{folder} is only half made: the command that made it was interrupted",
            hint="run that command again: `sopor init` here, or `sopor clone` into this folder",
        )
