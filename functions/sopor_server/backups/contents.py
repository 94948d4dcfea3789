"""What a copy of the metadata lists, and whether it and the blobs are whole."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sopor_core.errors import SoporError
from sopor_core.ids import PackId, ProjectId
from sopor_core.push_entry import ListedPack
from sopor_server.adapters.sqlite.schema import VERSION
from sopor_server.ports.blobs import pack_key
from sopor_server.ports.errors import NewerSchema, OlderSchema
from sopor_server.ports.groups import PackGroup

METADATA, IDENTITY, BLOBS = "metadata.sqlite3", "server.json", "blobs"
SUFFIX = ".sqlite3"
_TIME = "%Y-%m-%dT%H-%M-%S.%fZ"
_SNAPSHOT = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{6}Z\.sqlite3")


class BackupDamaged(SoporError):
    """Says that a backup, or what was to be backed up, would not restore the server."""

    code = "backup-damaged"


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob by its key, and the packs that stand in it one after the other."""

    key: str
    packs: tuple[ListedPack, ...]

    @property
    def size(self) -> int:
        """The size in bytes."""
        return sum(pack.size for pack in self.packs)


def snapshot_name(moment: datetime) -> str:
    """Returns the name of the metadata of a moment."""
    return moment.strftime(_TIME) + SUFFIX


def is_snapshot(name: str) -> bool:
    """Tells whether a file is named as metadata of a backup."""
    return _SNAPSHOT.fullmatch(name) is not None


def moment_of(name: str) -> datetime:
    """Returns the moment of which a snapshot is."""
    return datetime.strptime(name.removesuffix(SUFFIX), _TIME).replace(tzinfo=UTC)


def snapshots(folder: Path) -> list[Path]:
    """Returns the snapshots in a folder, the oldest first."""
    return sorted(path for path in folder.iterdir() if is_snapshot(path.name))


def blobs_of(metadata: Path) -> list[Blob]:
    """Returns the blobs that hold what entries list, deleted projects left out.

    A pack that is in a group may stand by itself as well; the group will do.

    Raises:
        BackupDamaged: the database does not read.
    """
    with _reading(metadata) as connection:
        single = (
            "SELECT project, pack, size FROM packs WHERE seq IS NOT NULL AND NOT EXISTS (SELECT 1"
            " FROM grouped_packs AS g WHERE g.project = packs.project AND g.pack = packs.pack)"
            " AND project IN (SELECT project FROM projects WHERE deleted IS NULL)"
        )
        found = []
        for project, pack, size in connection.execute(single):
            listed = ListedPack(PackId(pack), size)
            found.append(Blob(pack_key(ProjectId(project), listed.id), (listed,)))
        return found + list(_groups(connection))


def _groups(connection: sqlite3.Connection) -> Iterator[Blob]:
    grouped = (
        "SELECT project, last, pack, size FROM grouped_packs"
        " WHERE project IN (SELECT project FROM projects WHERE deleted IS NULL)"
        " ORDER BY project, last, place"
    )
    groups: dict[tuple[bytes, int], list[ListedPack]] = {}
    for project, last, pack, size in connection.execute(grouped):
        groups.setdefault((project, last), []).append(ListedPack(PackId(pack), size))
    for (project, last), packs in groups.items():
        yield Blob(PackGroup(ProjectId(project), 0, last, tuple(packs), 0).key, tuple(packs))


def check_database(metadata: Path) -> None:
    """Checks every page of the metadata.

    Raises:
        BackupDamaged: it is damaged.
        NewerSchema: a newer server wrote it.
        OlderSchema: an older server wrote it.
    """
    with _reading(metadata) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise NewerSchema(
                f"{metadata} has schema version {version}, this server knows {VERSION}",
                hint="use the sopor-server that wrote it, or a newer one",
            )
        if 0 < version < VERSION:
            raise OlderSchema(
                f"{metadata} has schema version {version}, this server knows {VERSION}",
                hint="use the sopor-server that wrote it, then start this one on what it restored",
            )
        (state,) = connection.execute("PRAGMA integrity_check").fetchone()
    if state != "ok" or version != VERSION:
        raise _damaged(metadata, state if state != "ok" else "it holds no tables of a server")


@contextmanager
def _reading(metadata: Path) -> Iterator[sqlite3.Connection]:
    try:
        uri = f"{metadata.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise _damaged(metadata, str(error)) from None


def _damaged(metadata: Path, what: str) -> BackupDamaged:
    return BackupDamaged(
        f"{metadata} is damaged ({what})",
        hint="use another backup; if a new one is damaged as well, the server's disk is failing",
    )
