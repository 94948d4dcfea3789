#!/usr/bin/env python3
"""Builds the archive that Cloud Functions is given: the same sources give the same bytes.

usage: build_source.py [ARCHIVE]     (default: infra/terraform/build/functions.zip)

It holds `main.py`, `requirements.txt` and the packages `sopor_server` and `sopor_core`; nothing of
the client. Files are sorted, stored without compression (deflate differs between zlib versions),
and bear the earliest date that the format knows. Needs Python 3.11 and nothing else.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

ROOT = Path(__file__).resolve().parents[3]
ARCHIVE = ROOT / "infra" / "terraform" / "build" / "functions.zip"
_FILES = ("functions/main.py", "functions/requirements.txt")
_PACKAGES = ("functions/sopor_server", "shared/sopor_core")
_LEFT_OUT = {"__pycache__"}
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_REGULAR_FILE_0644 = 0o100644 << 16


class UnknownFile(Exception):
    """Says that a package holds something that this script was not told of."""


def members(root: Path = ROOT) -> dict[str, Path]:
    """Returns what the archive holds: names in it and the files they come from, sorted by name.

    Raises:
        UnknownFile: a package holds something that is neither Python nor `py.typed`; it is
            neither deployed nor left out without somebody's decision.
    """
    found = {Path(name).name: root / name for name in _FILES}
    for package in _PACKAGES:
        folder = root / package
        found |= {path.relative_to(folder.parent).as_posix(): path for path in _sources(folder)}
    return dict(sorted(found.items()))


def build(archive: Path, root: Path = ROOT) -> str:
    """Writes the archive and returns its SHA-256 in hexadecimal; raises UnknownFile or OSError."""
    held = {name: path.read_bytes() for name, path in members(root).items()}
    archive.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(archive, "w", ZIP_STORED) as file:
        for name, data in held.items():
            info = ZipInfo(name, _EARLIEST)
            info.create_system = _UNIX
            info.external_attr = _REGULAR_FILE_0644
            file.writestr(info, data)
    return hashlib.sha256(archive.read_bytes()).hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_dir() or _LEFT_OUT & set(path.parts):
            continue
        if path.suffix == ".py":
            yield path
        elif path.name != "py.typed":
            raise UnknownFile(
                f"{path} is neither Python nor py.typed; remove it, or teach {__file__} about it"
            )


def main(arguments: list[str]) -> int:
    """Builds the archive that the command line names; returns the exit code."""
    archive = Path(arguments[0]) if arguments else ARCHIVE
    try:
        digest = build(archive)
    except (UnknownFile, OSError) as error:
        sys.stderr.write(f"build_source: {error}\n")
        return 1
    sys.stdout.write(f"{digest}  {archive}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
