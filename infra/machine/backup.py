#!/usr/bin/env python3
"""Backs up the data folder of a running `sopor-server`, and checks what it has copied.

usage: backup.py DATA TARGET [--keep DAYS]

The target then holds `server.json` (the server's id and secret), `blobs/` (the packs, copied once,
as they never change) and one `TIME.sqlite3` a run. Metadata is copied before packs: the server
stores packs before what names them, so every pack that the copy names is there to be copied after.
Needs Python 3.11 and nothing else; writes nothing to the data folder but what SQLite needs to read.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

_TIME = "%Y-%m-%dT%H-%M-%S.%fZ"
_TEMPORARY = ".new"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Incomplete(Exception):
    """Says that what was copied would not restore the server."""


def back_up(data: Path, target: Path, keep: timedelta) -> Path:
    """Makes a checked backup, removes metadata older than ``keep``, and returns the new metadata.

    Raises:
        Incomplete: the database is damaged, or a pack is missing or is not what its name says.
        OSError, sqlite3.Error: something can be neither read nor written.
    """
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.now(UTC)
    metadata = target / f"{now.strftime(_TIME)}.sqlite3"
    _copy_database(data / "metadata.sqlite3", metadata)
    _copy(data / "server.json", target / "server.json")
    for name in _blobs(data / "blobs"):
        if not (target / "blobs" / name).exists():
            _copy(data / "blobs" / name, target / "blobs" / name)
    check(metadata, target / "blobs")
    for old in target.glob("*.sqlite3"):
        if now - datetime.strptime(old.stem, _TIME).replace(tzinfo=UTC) > keep:
            old.unlink()
    return metadata


def check(metadata: Path, blobs: Path) -> None:
    """Raises Incomplete unless the database is whole and every pack that it names is there."""
    with closing(sqlite3.connect(f"{metadata.as_uri()}?mode=ro", uri=True)) as connection:
        (state,) = connection.execute("PRAGMA integrity_check").fetchone()
        if state != "ok":
            raise Incomplete(f"{metadata} is damaged: {state}")
        for project, pack, size in connection.execute("SELECT project, pack, size FROM packs"):
            path = blobs / "packs" / project.hex() / f"{pack.hex()[:2]}.d" / pack.hex()
            if not path.is_file() or path.stat().st_size != size:
                raise Incomplete(f"the pack {path} of {size} bytes is missing or has another size")


def _copy_database(source: Path, target: Path) -> None:
    temporary = target.with_name(f"{target.name}{_TEMPORARY}")
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=rw", uri=True)) as reader,
        closing(sqlite3.connect(temporary)) as writer,
    ):
        reader.backup(writer)
        # One file without a log beside it is easier to carry elsewhere.
        writer.execute("PRAGMA journal_mode = DELETE")
    _settle(temporary, target)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}{_TEMPORARY}")
    shutil.copyfile(source, temporary)
    if _SHA256.fullmatch(source.name):
        with temporary.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != source.name:
                raise Incomplete(f"{source} is not what its name says; the disk may be failing")
    _settle(temporary, target)


def _settle(temporary: Path, target: Path) -> None:
    temporary.chmod(0o600)
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(target)


def _blobs(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.suffix != _TEMPORARY and path.is_file():
            yield path.relative_to(folder)


def main() -> int:
    """Does what the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(description="Back up a running sopor-server.")
    parser.add_argument("data", type=Path, help="the server's data folder")
    parser.add_argument("target", type=Path, help="the folder of the backups")
    parser.add_argument("--keep", type=int, default=30, metavar="DAYS", help="(%(default)s)")
    options = parser.parse_args()
    try:
        made = back_up(
            options.data.absolute(), options.target.absolute(), timedelta(days=options.keep)
        )
    except (Incomplete, OSError, sqlite3.Error) as error:
        sys.stderr.write(f"backup: {error}\n")
        return 1
    sys.stdout.write(f"{made}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
