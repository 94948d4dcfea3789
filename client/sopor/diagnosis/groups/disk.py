"""The disk: room, permission, locks, and that what is flushed is accepted by the system."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from sopor.diagnosis.checks import Check, Teller
from sopor.diagnosis.scope import Scope
from sopor.disk import create_private, disk_errors, exclusive
from sopor.errors import SoporError
from sopor.store import FOLDER
from sopor_core.limits import MIB

_LITTLE, _TOO_LITTLE = 200 * MIB, 20 * MIB
_PROBE = "doctor-"


def checks(scope: Scope) -> Iterator[Check]:
    """Yields what is true of the folder of the keystore and of that of the working copy."""
    tell = Teller("disk")
    if scope.keystore.home.is_dir():
        yield from _folder(tell, "keystore", scope.keystore.home)
    root = scope.root
    if root is None:
        return
    yield from _folder(tell, "working-copy", root / FOLDER)
    if (root / FOLDER).is_symlink():
        yield tell.warn(
            "symlink",
            f"{root / FOLDER} is a symbolic link",
            "move the folder itself here: tools that copy the project would lose the history",
        )


def _folder(tell: Teller, name: str, folder: Path) -> Iterator[Check]:
    yield _room(tell, name, folder)
    probe = folder / f".{_PROBE}{secrets.token_hex(4)}-a"
    try:
        for left in folder.glob(f".{_PROBE}*"):  # of one that was killed
            left.unlink()
        create_private(probe, b"probe")
        with exclusive(probe, "a probe", patience=0):
            ignores_case = probe.with_name(probe.name.upper()).exists()
        links = _links(probe)
    except (SoporError, OSError) as error:
        kind = error.strerror if isinstance(error, OSError) else str(error)
        yield tell.bad(
            f"{name}-write",
            f"{folder} cannot be written ({kind})",
            f"give permission or room; `ls -ld {folder}` shows whose it is",
            writable=False,
        )
        return
    finally:
        probe.unlink(missing_ok=True)
    case = "ignores" if ignores_case else "heeds"
    yield tell.ok(
        f"{name}-write",
        f"{folder} can be written, flushed and locked; it {case} upper and lower case",
        writable=True,
        ignores_case=ignores_case,
        symlinks=links,
    )


def _room(tell: Teller, name: str, folder: Path) -> Check:
    with disk_errors(folder):
        free = shutil.disk_usage(folder).free
    told, facts = f"{free // MIB:,} MiB are free at {folder}", {"free_mib": free // MIB}
    if free < _TOO_LITTLE:
        return tell.bad(f"{name}-room", told, "make room before the next command", **facts)
    if free < _LITTLE:
        return tell.warn(f"{name}-room", told, "make room soon", **facts)
    return tell.ok(f"{name}-room", told, **facts)


def _links(probe: Path) -> bool:
    link = probe.with_name(f"{probe.name}-link")
    try:
        link.symlink_to(probe.name)
    except OSError:
        return False
    link.unlink()
    return True
