"""Documents by content id: where each lies in a pack, and reading one back, verified."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from sopor.errors import DamagedStore
from sopor.lazy import lazy_module
from sopor.store.database import Database
from sopor.store.packs import PackFiles
from sopor_core.ids import Cid, PackId

if TYPE_CHECKING:
    from sopor.crypto import pack as packs
    from sopor.crypto.keys import ProjectKeys
    from sopor.crypto.pack import Base, HeldFrames, OpenedPack, PackObject
else:
    packs = lazy_module("sopor.crypto.pack")

_OPEN_PACKS = 128


class Objects:
    """The documents that this working copy holds."""

    def __init__(self, database: Database, files: PackFiles) -> None:
        """Takes the database and the pack files."""
        self._database = database
        self._files = files
        self._opened = lru_cache(maxsize=_OPEN_PACKS)(self._open)
        self._held: HeldFrames | None = None
        self._keys: ProjectKeys | None = None

    def unlock(self, keys: ProjectKeys) -> None:
        """Gives the keys that opening packs needs."""
        self._keys = keys

    def missing(self, cids: Iterable[Cid]) -> set[Cid]:
        """Returns those of the content ids that are not here."""
        with self._database.reading() as connection:
            find = "SELECT 1 FROM objects WHERE cid = ?"
            return {cid for cid in cids if connection.execute(find, (cid,)).fetchone() is None}

    def by_place(self, cids: Iterable[Cid]) -> list[Cid]:
        """Returns content ids in the order in which reading them inflates each frame once."""
        places: list[tuple[int, int, int, Cid]] = []
        with self._database.reading() as connection:
            for cid in cids:
                find = "SELECT pack, frame, offset FROM objects WHERE cid = ?"
                row = connection.execute(find, (cid,)).fetchone()
                places.append((*(row or (0, 0, 0)), cid))
        return [place[-1] for place in sorted(places)]

    def read(self, cid: Cid) -> bytes:
        """Returns the canonical bytes of a document.

        Raises:
            DamagedStore: it is not here, or its pack is not.
            VerificationError: the stored pack was changed.
        """
        return self.base(cid).data

    def known_base(self, cid: Cid) -> Base:
        """Returns a document that an entry of the log has brought, as `base` does.

        What is here alone is no base for others, whatever a pack says.

        Raises:
            LookupError: no entry has brought it.
        """
        if self.published_depth(cid) is None:
            raise LookupError(cid)
        return self.base(cid)

    def verified_base(self, cid: Cid) -> Base:
        """Returns a document as `base` does, for a pack that is stored here.

        Its chain was measured when it was stored, and may have grown since, when a document moved
        from a local pack to one of the log. So it is not measured again.
        """
        return packs.Base(self.read(cid))

    def published_depth(self, cid: Cid) -> int | None:
        """Returns the length of the chain of bases under a document, None for one not published."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT depth FROM objects WHERE cid = ? AND published", (cid,)
            ).fetchone()
        return row[0] if row else None

    def depths(self, pack: PackId) -> dict[int, int]:
        """Returns the length of the chain under each frame of a pack that documents lie in."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT DISTINCT frame, depth FROM objects JOIN packs ON number = pack"
                " WHERE id = ?",
                (pack,),
            ).fetchall()
        return dict(rows)

    def base(self, cid: Cid) -> Base:
        """Returns a document with the length of the chain of bases under it, as `read` does."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT p.id, p.size, frame, offset, length, depth FROM objects"
                " JOIN packs p ON p.number = pack WHERE cid = ?",
                (cid,),
            ).fetchone()
        if row is None:
            raise DamagedStore(
                f"document content {cid.short} is not in .sopor",
                hint="run `sopor fsck`; what was pushed can be fetched by a new clone",
            )
        pack, size, frame, offset, length, depth = row
        opened = self._opened(PackId(pack), size)
        return packs.Base(opened.read_document(cid, frame, offset, length), depth)

    def _open(self, pack: PackId, size: int) -> OpenedPack:
        if self._keys is None:
            raise AssertionError("objects are read before the keys are there")
        held = self._held = self._held or packs.HeldFrames()
        reader = self._files.reader(pack)
        return packs.OpenedPack(self._keys, reader, size, self.verified_base, held)

    def unpublished(self, cids: Iterable[Cid]) -> list[Cid]:
        """Returns those that are here and that no entry of the log has brought yet."""
        with self._database.reading() as connection:
            find = "SELECT 1 FROM objects WHERE cid = ? AND NOT published"
            return [cid for cid in cids if connection.execute(find, (cid,)).fetchone()]

    def add(self, number: int, objects: Iterable[PackObject], *, published: bool) -> None:
        """Records where the documents of a pack are.

        What the log brings stays in the first pack of the log that has it, and what is local in its
        first local pack until the log brings it. So everybody has what is published in the same
        places, with the same chains of bases under it, and whatever moves, no document comes to
        depend on itself: a pack of the log is built on what earlier packs of the log brought.
        """
        rows = [
            (item.id, number, item.frame, item.offset, len(item.data), item.depth, published)
            for item in objects
            if item.kind is packs.ObjectKind.DOCUMENT
        ]
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT INTO objects VALUES (?,?,?,?,?,?,?)"
                " ON CONFLICT (cid) DO UPDATE SET pack = excluded.pack, frame = excluded.frame,"
                " offset = excluded.offset, length = excluded.length, depth = excluded.depth,"
                " published = 1 WHERE excluded.published AND NOT published",
                rows,
            )

    def publish(self, cids: Iterable[Cid]) -> None:
        """Records that an entry of the log has brought these documents."""
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE objects SET published = 1 WHERE cid = ?", [(cid,) for cid in cids]
            )

    def add_pack(self, pack: PackId, size: int, seq: int | None) -> int:
        """Records a pack (``seq``: the entry that brought it); returns its local number."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO packs (id, size, seq) VALUES (?,?,?)"
                " ON CONFLICT (id) DO UPDATE SET seq = coalesce(excluded.seq, seq)",
                (pack, size, seq),
            )
            row = connection.execute("SELECT number FROM packs WHERE id = ?", (pack,)).fetchone()
            return int(row[0])

    def forget_packs(self, packs: Iterable[PackId]) -> None:
        """Forgets packs whose objects all lie elsewhere now."""
        with self._database.transaction() as connection:
            connection.executemany("DELETE FROM packs WHERE id = ?", [(pack,) for pack in packs])

    def packs(self) -> Iterator[tuple[PackId, int, int | None]]:
        """Yields id, size and entry of every pack."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT id, size, seq FROM packs ORDER BY number").fetchall()
        for pack, size, seq in rows:
            yield PackId(pack), size, seq

    def documents_of(self, pack: PackId) -> set[Cid]:
        """Returns the content ids that are read from a pack."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT cid FROM objects JOIN packs ON number = pack WHERE id = ?", (pack,)
            ).fetchall()
        return {Cid(cid) for (cid,) in rows}
