"""One writing process at a time in a working copy: an advisory lock that ends with its process."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from sopor.errors import Busy

PATIENCE_SECONDS = 10.0


@contextmanager
def exclusive(path: Path, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Holds the lock file at ``path``; raises Busy if another process keeps it too long."""
    with path.open("ab") as file:
        deadline = monotonic() + patience
        while not _try_lock(file.fileno()):
            if monotonic() > deadline:
                raise Busy(
                    "another sopor process works in this working copy",
                    hint="wait for it to end, then run the command again",
                )
            sleep(0.02)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
