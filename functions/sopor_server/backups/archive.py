"""Backups as one tar file: metadata first, so that what follows can be checked as it is read."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sopor_core.errors import InvalidValue
from sopor_server.backups.contents import BLOBS, IDENTITY, BackupDamaged, Blob, is_snapshot
from sopor_server.backups.copying import TEMPORARY, NotWhole, alone, is_whole, settle
from sopor_server.backups.taking import present

_MOST_IDENTITY_BYTES = 4096


@contextmanager
def writing(target: Path) -> Iterator[Path]:
    """Gives the path to write an archive to, which gets its name at the end.

    Raises:
        InvalidValue: the target exists, or another backup writes it.
    """
    if target.exists():
        raise InvalidValue(f"{target} exists", hint="name a new file, or a folder for many backups")
    temporary = target.with_name(f".{target.name}{TEMPORARY}")
    with temporary.open("ab"):  # one that was killed may have left it
        temporary.chmod(0o600)
    with alone(temporary, "backup"):
        try:
            yield temporary
            settle(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


def write(archive: Path, data: Path, metadata: tuple[str, Path], blobs: Sequence[Blob]) -> None:
    """Writes identity, metadata (its name and where it is) and blobs of a server's data folder.

    Raises:
        BackupDamaged: a blob is missing or damaged.
        OSError: something can be neither read nor written.
    """
    name, path = metadata
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        identity = (data / IDENTITY).read_bytes()
        tar.addfile(_plain(IDENTITY, len(identity)), io.BytesIO(identity))
        with path.open("rb") as file:
            tar.addfile(_plain(name, path.stat().st_size), file)
        for blob in blobs:
            with present(data, blob) as path:
                if not is_whole(path, blob):
                    raise NotWhole
                with path.open("rb") as file:
                    tar.addfile(_plain(f"{BLOBS}/{blob.key}", blob.size), file)


def _plain(name: str, size: int) -> tarfile.TarInfo:
    """Returns what the archive says of a file: nothing of this machine and its users."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info


def read(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yields the files of an archive by their names, in its order.

    Raises:
        BackupDamaged: it is no archive that `write` made, or it is cut off.
    """
    with reading(archive), tarfile.open(archive, "r:") as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isreg() else None
            if file is None or not _belongs(member):
                raise _foreign(archive)
            yield member.name, file


@contextmanager
def reading(archive: Path) -> Iterator[None]:
    """Raises BackupDamaged where an archive does not read."""
    try:
        yield
    except tarfile.TarError:
        raise _foreign(archive) from None


def _belongs(member: tarfile.TarInfo) -> bool:
    if member.name == IDENTITY:
        return member.size <= _MOST_IDENTITY_BYTES
    return is_snapshot(member.name) or member.name.startswith(f"{BLOBS}/")


def _foreign(archive: Path) -> BackupDamaged:
    return BackupDamaged(
        f"{archive} is cut off, or is no backup", hint="use another one, or get it again"
    )
