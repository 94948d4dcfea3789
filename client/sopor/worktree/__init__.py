"""The working copy: Insomnia's own files in the project folder, and what is remembered of them."""

from sopor.worktree.index import SqliteFileIndex
from sopor.worktree.scan import Scan
from sopor.worktree.working_copy import Options, WorkingCopy
from sopor.worktree.write import Written

__all__ = ["Options", "Scan", "SqliteFileIndex", "WorkingCopy", "Written"]
