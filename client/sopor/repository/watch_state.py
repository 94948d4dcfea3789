"""What a `watch` says of itself, in ``.sopor/watch.json``, and the lock that says that it runs.

The lock ends with its process, so a file that a killed watch left behind is known for what it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sopor.errors import StateConflict

if TYPE_CHECKING:
    from sopor.repository.results import WatchStatus

_STATE = "watch.json"
_LOCK = "watch.lock"
_PATIENCE_SECONDS = 0.5
"""Whoever asks whether a watch runs holds its lock for a moment."""


@contextmanager
def watching(folder: Path) -> Iterator[None]:
    """Holds the lock of a watch; raises StateConflict if there is another one."""
    from sopor.disk import exclusive
    from sopor.errors import Busy

    lock = exclusive(folder / _LOCK, "this working copy", _PATIENCE_SECONDS)
    try:
        lock.__enter__()
    except Busy:
        found = _read(folder)
        who = f"process {found.pid}" if found else "another process"
        raise StateConflict(
            f"{who} watches this working copy already",
            hint="see `sopor status`; end it first to start another one"
            + (f": `kill {found.pid}`" if found else ""),
        ) from None
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


def read_watch(folder: Path) -> WatchStatus | None:
    """Returns what a watch last said, None if there was none, or it came to its end.

    Args:
        folder: the ``.sopor`` folder.
    """
    found = _read(folder)
    if found is None:
        return None
    alive = found.error is None and _is_locked(folder)
    return replace(found, alive=alive)


def write_watch(folder: Path, status: WatchStatus | None) -> None:
    """Keeps what a watch says, as a whole; None is for a watch that ended as it should."""
    from sopor.disk import write_private
    from sopor.moments import Moment

    if status is None:
        (folder / _STATE).unlink(missing_ok=True)
        return
    value = {
        name: item["milliseconds"] if isinstance(getattr(status, name), Moment) else item
        for name, item in asdict(status).items()
        if name != "alive"
    }
    write_private(folder / _STATE, json.dumps(value, indent=2).encode(), durable=False)


def _read(folder: Path) -> WatchStatus | None:
    try:
        value = json.loads((folder / _STATE).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return None  # it says nothing that anything depends on
    return _status(value)


def _status(value: object) -> WatchStatus | None:
    from sopor.moments import Moment
    from sopor.repository.results import WatchStatus

    def moment(milliseconds: object) -> Moment | None:
        return Moment(milliseconds) if isinstance(milliseconds, int) else None

    if not isinstance(value, dict):
        return None
    moments = {name: moment(value.get(name)) for name in ("started", "since")}
    moments |= {name: moment(value.get(name)) for name in ("last_event_time", "last_push")}
    waiting = tuple(str(item) for item in value.get("waiting") or ())
    try:
        return WatchStatus(**{"alive": False, **value, **moments, "waiting": waiting})
    except TypeError:
        return None  # another version's


def _is_locked(folder: Path) -> bool:
    from sopor.disk import exclusive
    from sopor.errors import Busy

    if not (folder / _LOCK).exists():
        return False
    try:
        with exclusive(folder / _LOCK, "this working copy", 0.0):
            return False
    except Busy:
        return True
