"""Makes backups: into a folder that holds many and gets what is new only, or into one tar file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sopor_core.errors import InvalidValue
from sopor_server.adapters.files import blob_path
from sopor_server.adapters.identity import load_or_create
from sopor_server.backups import archive
from sopor_server.backups.contents import (
    BLOBS,
    IDENTITY,
    METADATA,
    Blob,
    blobs_of,
    check_database,
    moment_of,
    snapshot_name,
    snapshots,
)
from sopor_server.backups.copying import (
    TEMPORARY,
    alone,
    copy_blob,
    copy_file,
    is_whole,
    make_folder,
    settle,
)
from sopor_server.backups.restoring import check_archive
from sopor_server.backups.taking import present, snapshot

TAR = ".tar"


@dataclass(frozen=True, slots=True)
class Made:
    """What a backup holds: its metadata, how many packs and groups, and what this run copied.

    ``snapshots`` is how many moments the folder holds, ``mended`` how many blobs were damaged there
    and copied again, ``dropped`` how many files were removed that nothing in it lists any more.
    """

    backup: str
    blobs: int
    copied: int
    bytes_copied: int
    snapshots: int = 1
    mended: int = 0
    dropped: int = 0


def back_up(data: Path, target: Path, keep: timedelta, *, verify: bool = False) -> Made:
    """Makes a backup in a folder, or as a file whose name ends with ``.tar``.

    Args:
        data: the data folder of a server, which may be in use.
        target: the folder, made if it is not there, or the file, which must not be there.
        keep: how old metadata in the folder may be; what is older is removed.
        verify: whether everything in the backup is read again, what older runs copied too.

    Raises:
        BackupDamaged: a pack is missing or is not what its name says, or the metadata is damaged.
        NewerSchema: a newer server wrote the data.
        OlderSchema: an older server wrote the data.
        InvalidValue: there is nothing to back up, or the target cannot be one.
        InvalidConfig: the identity of the server, here or there, is damaged or open to others.
        OSError, sqlite3.Error: something can be neither read nor written.
    """
    for name in (METADATA, IDENTITY):
        if not (data / name).is_file():
            raise InvalidValue(
                f"{data} holds no {name}",
                hint="name the server's data folder with --data or in SOPOR_DATA",
            )
    if target.suffix == TAR:
        return _to_archive(data, target, verify=verify)
    if target.exists() and not _is_for_backups(target):
        raise InvalidValue(
            f"{target} is no folder of backups",
            hint="name a new folder, one of backups, or a file that ends with .tar",
        )
    make_folder(target)
    with alone(target, "backup"):
        return _Folder(data, target).run(keep, verify=verify)


def _is_for_backups(target: Path) -> bool:
    if not target.is_dir():
        return False
    names = {path.name for path in target.iterdir()}
    if METADATA in names:
        return False
    # One that was killed at its first file leaves that under its temporary name.
    return IDENTITY in names or all(TEMPORARY in name for name in names)


def _to_archive(data: Path, target: Path, *, verify: bool) -> Made:
    name = snapshot_name(datetime.now(UTC))
    make_folder(target.parent)
    with archive.writing(target) as temporary:
        metadata = temporary.with_name(f"{temporary.name}.metadata")
        with snapshot(data, metadata):
            blobs = blobs_of(metadata)
            archive.write(temporary, data, (name, metadata), blobs)
        if verify:
            check_archive(temporary)
    return Made(str(target), len(blobs), len(blobs), sum(blob.size for blob in blobs))


@dataclass(frozen=True, slots=True)
class _Folder:
    data: Path
    target: Path

    def run(self, keep: timedelta, *, verify: bool) -> Made:
        now = datetime.now(UTC)
        metadata = self.target / snapshot_name(now)
        temporary = self.target / f"{metadata.name}{TEMPORARY}"
        for left in self.target.glob(f"*{TEMPORARY}*"):
            left.unlink()
        self._take_identity()
        with snapshot(self.data, temporary):
            blobs = blobs_of(temporary)
            copied = [blob for blob in blobs if self._keep(blob)]
            # Named when all that it lists is there: whatever is named restores a server.
            settle(temporary, metadata)
        for old in snapshots(self.target):
            if now - moment_of(old.name) > keep:
                old.unlink()
        mended = self._verify() if verify else 0
        return Made(
            str(metadata),
            len(blobs),
            len(copied),
            sum(blob.size for blob in copied),
            len(snapshots(self.target)),
            mended,
            self._drop_unlisted(),
        )

    def _take_identity(self) -> None:
        kept, given = self.target / IDENTITY, self.data / IDENTITY
        if kept.is_file() and load_or_create(kept).id != load_or_create(given).id:
            raise InvalidValue(
                f"{self.target} has backups of another server", hint="name another folder"
            )
        copy_file(given, kept)

    def _keep(self, blob: Blob) -> bool:
        """Copies a blob that is not there, or only in part; tells whether it did."""
        path = blob_path(self.target / BLOBS, blob.key)
        if path.is_file() and path.stat().st_size == blob.size:
            return False
        with present(self.data, blob) as source:
            copy_blob(source, path, blob)
        return True

    def _verify(self) -> int:
        """Reads everything again, and copies anew what is damaged; returns how many blobs."""
        listed: dict[str, Blob] = {}
        for metadata in snapshots(self.target):
            check_database(metadata)
            listed |= {blob.key: blob for blob in blobs_of(metadata)}
        mended = 0
        for blob in listed.values():
            path = blob_path(self.target / BLOBS, blob.key)
            if not path.is_file() or not is_whole(path, blob):
                path.unlink(missing_ok=True)
                mended += self._keep(blob)
        return mended

    def _drop_unlisted(self) -> int:
        """Removes what no metadata of the folder lists; returns how many files."""
        root = self.target / BLOBS
        listed = {
            blob_path(root, blob.key)
            for metadata in snapshots(self.target)
            for blob in blobs_of(metadata)
        }
        unlisted = [path for path in root.rglob("*") if path.is_file() and path not in listed]
        for path in unlisted:
            path.unlink()
        return len(unlisted)
