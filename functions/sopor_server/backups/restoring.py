"""Restores a backup into an empty data folder: wholly and verified, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sopor_core.errors import InvalidValue
from sopor_server.adapters.files import blob_path
from sopor_server.adapters.identity import load_or_create
from sopor_server.backups import archive
from sopor_server.backups.contents import (
    BLOBS,
    IDENTITY,
    METADATA,
    SUFFIX,
    BackupDamaged,
    Blob,
    blobs_of,
    check_database,
    snapshots,
)
from sopor_server.backups.copying import (
    NotWhole,
    alone,
    copy_blob,
    copy_file,
    copy_packs,
    make_folder,
    replacing,
)
from sopor_server.disk import flush_folder


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: the data folder, of when the metadata is, how many packs and groups."""

    data: str
    moment: str
    blobs: int
    bytes: int


def restore(source: Path, data: Path, at: str | None = None) -> Restored:
    """Makes the data folder of a server from a backup; every pack is compared with its id.

    Args:
        source: the folder or the file that `sopor_server.backups.making.back_up` made.
        data: the data folder to make, which must be empty or not there.
        at: the start of the name of the metadata to take (a day, a minute); the newest without.

    Raises:
        BackupDamaged: the backup is not whole; nothing is restored.
        NewerSchema: a newer server made it.
        OlderSchema: an older server made it.
        InvalidValue: there is no such backup, or the data folder is not empty.
        InvalidConfig: the server's identity in it is damaged.
        OSError: something can be neither read nor written.
    """
    if not source.exists():
        raise InvalidValue(f"{source} is not there", hint="name a folder or a file of a backup")
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise InvalidValue(
            f"{data} is not empty",
            hint="stop the server and move its data folder away, or name another with --data",
        )
    if data.is_mount():
        raise InvalidValue(
            f"{data} is a mount point, which no folder can replace", hint="name a folder inside it"
        )
    with _making(data) as folder:
        if source.is_dir():
            moment, blobs = _from_folder(source, folder, at)
        else:
            moment, blobs = _from_archive(source, folder, at)
        load_or_create(folder / IDENTITY)
    return Restored(str(data), moment, len(blobs), sum(blob.size for blob in blobs))


@contextmanager
def _making(data: Path) -> Iterator[Path]:
    """Gives a folder beside the data folder, which takes its place at the end."""
    folder = data.with_name(f".{data.name}.restoring")
    make_folder(folder)
    with alone(folder, "restore"):
        for left in folder.iterdir():  # of one that was killed
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        try:
            yield folder
            flush_folder(folder)
            folder.rename(data)
            flush_folder(data.parent)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def _from_folder(source: Path, folder: Path, at: str | None) -> tuple[str, list[Blob]]:
    metadata = _chosen(source, at)
    if not (source / IDENTITY).is_file():
        raise _lacks(source, IDENTITY)
    copy_file(source / IDENTITY, folder / IDENTITY)
    with replacing(folder / METADATA) as writer, metadata.open("rb") as reader:
        shutil.copyfileobj(reader, writer)
    blobs = _listed(folder)
    for blob in blobs:
        path = blob_path(source / BLOBS, blob.key)
        try:
            copy_blob(path, blob_path(folder / BLOBS, blob.key), blob)
        except FileNotFoundError:
            raise _lacks(source, blob.key) from None
        except NotWhole:
            raise _rotten(path) from None
    return metadata.name.removesuffix(SUFFIX), blobs


def _chosen(source: Path, at: str | None) -> Path:
    found = [path for path in snapshots(source) if path.name.startswith(at or "")]
    if not found:
        when = f" of {at}" if at else ""
        raise InvalidValue(
            f"{source} holds no backup{when}", hint="name another; `ls` shows which there are"
        )
    return found[-1]


def _from_archive(source: Path, folder: Path, at: str | None) -> tuple[str, list[Blob]]:
    moment = ""
    waiting: dict[str, Blob] = {}
    for name, file in archive.read(source):
        with archive.reading(source):
            if name.startswith(f"{BLOBS}/"):
                _take_blob(source, file, folder, waiting.pop(name, None))
                continue
            with replacing(folder / (IDENTITY if name == IDENTITY else METADATA)) as writer:
                shutil.copyfileobj(file, writer)
        if name != IDENTITY:
            moment = name.removesuffix(SUFFIX)
            waiting = {f"{BLOBS}/{blob.key}": blob for blob in _listed(folder)}
    missing = [name for name in (IDENTITY, METADATA) if not (folder / name).is_file()]
    for name in (*missing, *waiting):
        raise _lacks(source, name)
    if not moment.startswith(at or ""):
        raise InvalidValue(f"{source} is of {moment}, not of {at}", hint="name another, or no --at")
    return moment, blobs_of(folder / METADATA)


def _take_blob(source: Path, file: IO[bytes], folder: Path, blob: Blob | None) -> None:
    if blob is None:
        raise _rotten(source)
    with replacing(blob_path(folder / BLOBS, blob.key)) as writer:
        if not copy_packs(file, writer.write, blob):
            raise _rotten(source)


def check_archive(path: Path) -> None:
    """Reads a whole archive as `restore` does, and keeps nothing; raises BackupDamaged."""
    folder = path.with_name(f"{path.name}.checking")
    _remove(folder)  # what one that was killed has left
    make_folder(folder)
    try:
        _from_archive(path, folder, None)
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder)


def _listed(folder: Path) -> list[Blob]:
    check_database(folder / METADATA)
    return blobs_of(folder / METADATA)


def _lacks(source: Path, name: str) -> BackupDamaged:
    return BackupDamaged(f"{source} lacks {name}", hint="use another backup, or another copy of it")


def _rotten(path: Path) -> BackupDamaged:
    return BackupDamaged(
        f"{path} is damaged", hint="use another backup, or another copy of this one"
    )
