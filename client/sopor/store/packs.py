"""Pack files of a working copy, sealed as they came: ``.sopor/packs/ab/<pack id>``.

Ordering: a pack is written and synced before the transaction that names it; it is deleted only
after the transaction that forgets it. So a crash leaves at most a file that nothing names, which
`unnamed` finds.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sopor.disk import make_private_folder, write_private
from sopor.errors import DamagedStore
from sopor_core.ids import PackId


class PackFiles:
    """The folder of packs."""

    def __init__(self, root: Path) -> None:
        """Takes the folder; it is created with the first pack."""
        self._root = root

    def path(self, pack: PackId) -> Path:
        """Returns where a pack lies."""
        name = pack.hex()
        return self._root / name[:2] / name

    def write(self, pack: PackId, data: bytes) -> None:
        """Writes a pack so that it is whole or not there; raises DiskFull."""
        path = self.path(pack)
        make_private_folder(path.parent)
        write_private(path, data)

    def read(self, pack: PackId) -> bytes:
        """Returns a pack's bytes, unverified; raises DamagedStore if the file is gone."""
        try:
            return self.path(pack).read_bytes()
        except FileNotFoundError:
            raise _missing(pack) from None

    def reader(self, pack: PackId) -> Callable[[int, int], bytes]:
        """Returns a function that reads ``(offset, size)`` of a pack; raises DamagedStore."""
        path = self.path(pack)

        def read_at(offset: int, size: int) -> bytes:
            try:
                with path.open("rb") as file:
                    file.seek(offset)
                    return file.read(size)
            except FileNotFoundError:
                raise _missing(pack) from None

        return read_at

    def delete(self, pack: PackId) -> None:
        """Deletes a pack that no transaction names any more."""
        self.path(pack).unlink(missing_ok=True)

    def unnamed(self, named: set[PackId]) -> list[Path]:
        """Returns files that no transaction names: remains of a killed command."""
        known = {pack.hex() for pack in named}
        return sorted(path for path in self._root.glob("??/*") if path.name not in known)


def _missing(pack: PackId) -> DamagedStore:
    return DamagedStore(
        f"pack {pack.short} is missing from .sopor",
        hint="run `sopor fsck` to see what it held; what was pushed can be fetched by a new clone",
    )
