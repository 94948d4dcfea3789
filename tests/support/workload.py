"""Finds the generator of large projects, which is no part of this repository, and loads it.

`SOPOR_WORKLOAD` names its file; without it ``shared/workload/gen.py`` beside the checkout is taken.
Where there is none the tests that need it are skipped, but not under `CI`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]
LAYOUT = "sharded"


class Workload:
    """Writes and edits projects of made-up documents, the same ones every time."""

    def __init__(self, generator: ModuleType) -> None:
        self._generator = generator

    def write(self, root: Path, count: int, seed: int = 1) -> list[str]:
        """Writes a project of so many documents, one file each; returns their ids in order."""
        ids = []
        for body in self._generator.documents(count, seed):
            data = self._generator.dumps(body)
            self._generator.write(str(root), body["_id"], data, LAYOUT)
            ids.append(body["_id"])
        return sorted(ids)

    def apply_commit(self, root: Path, number: int, ids: list[str], seed: int = 1) -> None:
        """Makes the edits of the commit of a number, from 1 on, to one to five documents or so.

        Now and then it adds or deletes one. ``ids`` are those of `write`, and are kept up to date.
        """
        with _files_left_open():
            self._generator.apply_commit(str(root), number, ids, seed, LAYOUT)

    def edit_one(self, root: Path, number: int, seed: int = 1, ids: list[str] | None = None) -> str:
        """Makes the edit of a number to one request; returns the document's id.

        Without ``ids`` the folder is searched for them.
        """
        with _files_left_open():
            edited: str = self._generator.one_edit(str(root), number, seed, LAYOUT, ids)
        return edited

    def path(self, root: Path, document: str) -> Path:
        """The file of a document."""
        return root / str(self._generator.path_of(document, LAYOUT))


@contextmanager
def _files_left_open() -> Iterator[None]:
    """Lets the generator leave the closing of files to Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield


def workload() -> Workload:
    """Returns the generator, or skips the calling test module."""
    path = Path(
        os.environ.get("SOPOR_WORKLOAD") or _REPOSITORY.parent / "shared" / "workload" / "gen.py"
    )
    if path.is_file():
        spec = spec_from_file_location("workload_generator", path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return Workload(module)
    reason = f"there is no generator of large projects at {path}: set SOPOR_WORKLOAD"
    if os.environ.get("CI"):
        raise RuntimeError(reason)
    pytest.skip(reason, allow_module_level=True)
