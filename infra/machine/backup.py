#!/usr/bin/env python3
"""Backs up the data folder of a running `sopor-server`, and checks what it has copied.

usage: backup.py DATA TARGET [--keep DAYS]

The target then holds `server.json` (the server's id and secret), one `TIME.sqlite3` a run, and in
`blobs/` every pack, and every group of packs, that one of them names, copied once, as neither ever
changes. Metadata is copied before blobs: the server stores these before what names them, so all of
them are there by then.
Needs Python 3.11 and nothing else; writes nothing to the data folder but what SQLite needs to read.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

_TIME = "%Y-%m-%dT%H-%M-%S.%fZ"
_TEMPORARY = ".new"
_AT_ONCE = 1024 * 1024
Packs = list[tuple[bytes, int]]
"""The packs that stand one after the other in a blob: hash and size in bytes of each."""


class Incomplete(Exception):
    """Says that what was copied would not restore the server."""


def back_up(data: Path, target: Path, keep: timedelta) -> Path:
    """Makes a checked backup, removes what is older than ``keep``, and returns the new metadata.

    Raises:
        Incomplete: the database is damaged, or a pack is missing or is not what its name says.
        OSError, sqlite3.Error: something can be neither read nor written.
    """
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.now(UTC)
    metadata = target / f"{now.strftime(_TIME)}.sqlite3"
    _copy_database(data / "metadata.sqlite3", metadata)
    _copy(data / "server.json", target / "server.json")
    for name, packs in blobs(metadata).items():
        _keep_blob(data / "blobs" / name, target / "blobs" / name, packs)
    for old in target.glob("*.sqlite3"):
        if now - datetime.strptime(old.stem, _TIME).replace(tzinfo=UTC) > keep:
            old.unlink()
    _drop_unnamed(target)
    return metadata


def blobs(metadata: Path) -> dict[str, Packs]:
    """Returns what holds the packs that entries list, by the paths below `blobs/`.

    A pack that is in a group may stand by itself as well; the group will do. Deleted projects whose
    packs are erased are left out.

    Raises:
        Incomplete: the database is damaged.
        sqlite3.Error: it cannot be read.
    """
    with closing(sqlite3.connect(f"{metadata.as_uri()}?mode=ro", uri=True)) as connection:
        (state,) = connection.execute("PRAGMA integrity_check").fetchone()
        if state != "ok":
            raise Incomplete(f"{metadata} is damaged: {state}")
        listed = (
            "SELECT project, pack, size FROM packs WHERE seq IS NOT NULL AND NOT EXISTS (SELECT 1"
            " FROM grouped_packs AS g WHERE g.project = packs.project AND g.pack = packs.pack)"
            " AND project NOT IN (SELECT project FROM projects WHERE erased)"
        )
        found: dict[str, Packs] = {
            f"packs/{project.hex()}/{pack.hex()[:2]}.d/{pack.hex()}": [(pack, size)]
            for project, pack, size in connection.execute(listed)
        }
        return found | _groups(connection)


def _groups(connection: sqlite3.Connection) -> dict[str, Packs]:
    groups: dict[tuple[bytes, int], Packs] = {}
    grouped = (
        "SELECT project, last, pack, size FROM grouped_packs"
        " WHERE project NOT IN (SELECT project FROM projects WHERE erased)"
        " ORDER BY project, last, place"
    )
    for project, last, pack, size in connection.execute(grouped):
        groups.setdefault((project, last), []).append((pack, size))
    found: dict[str, Packs] = {}
    for (project, last), packs in groups.items():
        ids = hashlib.sha256(b"".join(pack for pack, _ in packs)).hexdigest()[:32]
        name = f"{last:016d}-{ids}"
        found[f"groups/{project.hex()}/{name[:2]}.d/{name}"] = packs
    return found


def _keep_blob(source: Path, target: Path, packs: Packs) -> None:
    if not target.exists():
        try:
            _copy(source, target, packs)
        except FileNotFoundError:
            raise Incomplete(f"the pack {source} is missing") from None
    size = sum(size for _, size in packs)
    if target.stat().st_size != size:
        raise Incomplete(f"the pack {target} does not have its {size} bytes")


def _drop_unnamed(target: Path) -> None:
    """Removes packs and groups that no metadata of the backup names any more."""
    named = {name for metadata in target.glob("*.sqlite3") for name in blobs(metadata)}
    for path in (target / "blobs").rglob("*"):
        if path.is_file() and path.relative_to(target / "blobs").as_posix() not in named:
            path.unlink()


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


def _copy(source: Path, target: Path, packs: Packs | None = None) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}{_TEMPORARY}")
    shutil.copyfile(source, temporary)
    with temporary.open("rb") as file:
        for pack, size in packs or ():
            if _hash(file, size) != pack:
                raise Incomplete(f"{source} is not what its name says; the disk may be failing")
    _settle(temporary, target)


def _hash(file: BinaryIO, size: int) -> bytes:
    """Returns the SHA-256 of the next ``size`` bytes."""
    digest = hashlib.sha256()
    while size > 0 and (data := file.read(min(size, _AT_ONCE))):
        digest.update(data)
        size -= len(data)
    return digest.digest()


def _settle(temporary: Path, target: Path) -> None:
    temporary.chmod(0o600)
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(target)


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
