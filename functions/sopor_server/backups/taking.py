"""Takes what a backup needs out of a data folder whose server may be at work."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sopor_server.adapters.files import blob_path
from sopor_server.backups.contents import BLOBS, METADATA, BackupDamaged, Blob, check_database
from sopor_server.backups.copying import NotWhole

# The housekeeping takes a pack away for a moment where an entry lists it just then.
_PATIENCE_SECONDS = 2.0
_RETRY_SECONDS = 0.05
_FAILING = "look after the disk; the device that pushed it may still have it: `sopor fsck` tells"


@contextmanager
def snapshot(data: Path, copy: Path) -> Iterator[None]:
    """Copies the database as it is at one moment, checked; removes the copy if it is left.

    Packs that no entry lists are not in a backup, so the copy does not count them.

    Raises:
        BackupDamaged: the database is damaged.
        sqlite3.Error, OSError: it cannot be copied.
    """
    source = f"{(data / METADATA).absolute().as_uri()}?mode=rw"
    copy.unlink(missing_ok=True)
    try:
        with (
            closing(sqlite3.connect(source, uri=True)) as reader,
            closing(sqlite3.connect(copy, isolation_level=None)) as writer,
        ):
            reader.backup(writer)
            # One file without a log beside it is easier to carry elsewhere.
            writer.execute("PRAGMA journal_mode = DELETE")
            _forget_staged(writer)
        copy.chmod(0o600)
        check_database(copy)
        yield
    finally:
        copy.unlink(missing_ok=True)


def _forget_staged(copy: sqlite3.Connection) -> None:
    if copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'packs'").fetchone() is None:
        return  # `check_database` says that this is no server's
    copy.execute("BEGIN")
    copy.execute(
        "UPDATE projects SET bytes = bytes - (SELECT coalesce(sum(size), 0) FROM packs"
        " WHERE packs.project = projects.project AND seq IS NULL)"
    )
    copy.execute("DELETE FROM packs WHERE seq IS NULL")
    copy.execute("COMMIT")


@contextmanager
def present(data: Path, blob: Blob) -> Iterator[Path]:
    """Gives the file of a blob that the metadata lists.

    Raises:
        BackupDamaged: it is not there, or it is not what its packs' ids say.
    """
    path = blob_path(data / BLOBS, blob.key)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not path.is_file() and time.monotonic() < deadline:
        time.sleep(_RETRY_SECONDS)
    try:
        yield path
    except FileNotFoundError:
        raise BackupDamaged(f"the pack {path} is missing", hint=_FAILING) from None
    except NotWhole:
        raise BackupDamaged(f"{path} is not what its name says", hint=_FAILING) from None
