"""Finds real Insomnia files to test with, outside of the repository.

They are other people's, so the project does not carry them. `SOPOR_CORPUS` names the folder;
without it the one beside the checkout is taken. Where there is none the tests that need it are
skipped, but not under `CI`, where they would otherwise pass without having run.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]
_PATTERNS = ("*.json", "*.yaml", "history/*/*.json", "history/*/*.yaml")


def corpus() -> Path:
    """Returns the folder with real files, or skips the calling test module."""
    folder = Path(os.environ.get("SOPOR_CORPUS") or _REPOSITORY.parent / "shared" / "corpus")
    if folder.is_dir():
        return folder
    reason = f"there are no real files in {folder}: set SOPOR_CORPUS"
    if os.environ.get("CI"):
        raise RuntimeError(reason)
    pytest.skip(reason, allow_module_level=True)


def corpus_files() -> list[Path]:
    """Returns all v4 and v5 files of the corpus, every version in its histories among them."""
    folder = corpus()
    found = sorted(path for pattern in _PATTERNS for path in folder.glob(pattern))
    assert found, f"no files in {folder}"
    return found


def corpus_name(path: Path) -> str:
    """Returns a short name of a corpus file, for the names of tests."""
    return f"{path.parent.name[:12]}/{path.name[:40]}"


def corpus_tree() -> Path:
    """Returns the folder of the corpus that has a real ``.insomnia`` tree in it."""
    (found,) = {path.parents[2] for path in corpus().glob("*/.insomnia/*/*.yml")}
    return found
