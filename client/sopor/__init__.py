"""Sopor: end-to-end encrypted version control for API-client projects.

    import sopor

    with sopor.open("my-project") as repository:
        repository.commit("Add the health check")
        repository.sync()

Everything below is imported when it is first used, so that ``import sopor`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sopor_core import __version__

if TYPE_CHECKING:
    from sopor.errors import SoporError
    from sopor.repository import Repository, clone, projects

    init = Repository.init
    open = Repository.open  # noqa: A001 - `sopor.open(path)` reads as it should

__all__ = ["Repository", "SoporError", "__version__", "clone", "init", "open", "projects"]

_HOMES = {
    "Repository": "sopor.repository",
    "clone": "sopor.repository",
    "projects": "sopor.repository",
    "SoporError": "sopor.errors",
}


def __getattr__(name: str) -> object:
    if name in ("init", "open"):
        return getattr(import_module("sopor.repository").Repository, name)
    if name not in _HOMES:
        raise AttributeError(f"module 'sopor' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
