"""The working copy: Insomnia's own files in the project folder, and what is remembered of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sopor.lazy import lazy_names

if TYPE_CHECKING:
    from sopor.worktree.index import SqliteFileIndex
    from sopor.worktree.scan import Scan
    from sopor.worktree.working_copy import Options, WorkingCopy
    from sopor.worktree.write import Written
else:
    __getattr__ = lazy_names(
        __name__,
        index=["SqliteFileIndex"],
        scan=["Scan"],
        working_copy=["Options", "WorkingCopy"],
        write=["Written"],
    )

__all__ = ["Options", "Scan", "SqliteFileIndex", "WorkingCopy", "Written"]
