"""Notices that files of the working copy were saved, by whomever.

It says that something may have changed, not what: a scan finds that. Where watchfiles is not
installed, or the system has no watches left, the folder is looked at every second.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from time import perf_counter

from sopor.worktree.index import Stat
from sopor.worktree.paths import is_hidden_folder
from sopor.worktree.walk import walk

POLL_SECONDS = 1.0
_DEBOUNCE_MILLISECONDS = 100
_STEP_MILLISECONDS = 20
_SHARE_OF_TIME = 20
"""Looking at the folder takes no more than a twentieth of the time."""


def has_watchfiles() -> bool:
    """Tells whether the system tells of saved files."""
    return find_spec("watchfiles") is not None


def watch_files(root: Path, changed: Callable[[], None], stop: Event) -> None:
    """Calls ``changed`` whenever files may have changed, until ``stop`` is set."""
    if has_watchfiles():
        from watchfiles import watch

        try:
            for _ in watch(
                root,
                watch_filter=lambda _change, path: is_visible(root, path),
                debounce=_DEBOUNCE_MILLISECONDS,
                step=_STEP_MILLISECONDS,
                stop_event=stop,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                changed()
        except OSError:
            changed()  # such as no watches left: something may have been missed
        else:
            return
    _poll(root, changed, stop)


def is_visible(root: Path, path: str) -> bool:
    """Tells whether a changed path may matter: it is in no hidden folder, and not hidden itself."""
    try:
        parts = Path(path).relative_to(root).parts
    except ValueError:
        return False
    return not any(is_hidden_folder(part) for part in parts)


def _poll(root: Path, changed: Callable[[], None], stop: Event) -> None:
    before, took = _look(root)
    while not stop.wait(max(POLL_SECONDS, took * _SHARE_OF_TIME)):
        now, took = _look(root)
        if now != before:
            before = now
            changed()


def _look(root: Path) -> tuple[dict[str, Stat], float]:
    began = perf_counter()
    try:
        files = walk(root).files
    except OSError:
        files = {}
    return files, perf_counter() - began
