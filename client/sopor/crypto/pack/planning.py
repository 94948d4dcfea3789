"""Decides which objects share a frame, and with which bases (SPEC section 7).

Commits and documents without secrets fill frames of about 1 MiB in the order given; documents with
secrets fill frames of their own, which are neither compressed nor given bases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from sopor.crypto.pack.index import ObjectKind
from sopor.crypto.pack.objects import Base
from sopor.crypto.pack.secrets import holds_secrets
from sopor.records import dataclass
from sopor_core.ids import Cid, CommitId
from sopor_core.limits import MAX_BASE_CHAIN, MAX_FRAME_BYTES


@dataclass
class PlainFrame:
    """The objects of one frame, before compression."""

    zstd: bool
    objects: list[tuple[ObjectKind, CommitId | Cid, bytes]] = field(default_factory=list)
    bases: dict[Cid, Base] = field(default_factory=dict)
    raw: int = 0
    base_bytes: int = 0

    def has_room(self, data: bytes, base: Base | None) -> bool:
        """Tells whether an object fits; anything fits an empty frame."""
        fits = self.raw + len(data) <= MAX_FRAME_BYTES
        if base is not None:
            fits = fits and self.base_bytes + len(base.data) <= MAX_FRAME_BYTES
        return fits or not self.objects

    def add(self, kind: ObjectKind, id_: CommitId | Cid, data: bytes) -> None:
        """Takes an object in."""
        self.objects.append((kind, id_, data))
        self.raw += len(data)

    def add_base(self, cid: Cid, base: Base) -> None:
        """Takes a base in; one that is there already costs nothing."""
        if cid not in self.bases:
            self.bases[cid] = base
            self.base_bytes += len(base.data)

    @property
    def depth(self) -> int:
        """The length of the chain of bases under this frame."""
        return 1 + max(base.depth for base in self.bases.values()) if self.bases else 0


Bases = Mapping[Cid, tuple[Cid, Base]]
"""From a new document's content id to its previous version's and that version's bytes."""


def plan_frames(
    commits: Mapping[CommitId, bytes], documents: Mapping[Cid, bytes], bases: Bases
) -> Iterator[PlainFrame]:
    """Yields the frames of a push in their order: commits, documents, documents with secrets."""
    secret: list[tuple[Cid, bytes]] = []
    placed: dict[Cid, PlainFrame] = {}
    frame = PlainFrame(zstd=True)
    for commit_id, data in commits.items():
        if not frame.has_room(data, None):
            yield frame
            frame = PlainFrame(zstd=True)
        frame.add(ObjectKind.COMMIT, commit_id, data)
    for cid, data in documents.items():
        if holds_secrets(data):
            secret.append((cid, data))
            continue
        base = _usable(bases.get(cid), documents, placed, frame)
        if not frame.has_room(data, base[1] if base else None):
            yield frame
            frame = PlainFrame(zstd=True)
            base = _usable(bases.get(cid), documents, placed, frame)
        frame.add(ObjectKind.DOCUMENT, cid, data)
        placed[cid] = frame
        if base:
            frame.add_base(*base)
    if frame.objects:
        yield frame
    yield from _plain_frames(secret)


def _usable(
    base: tuple[Cid, Base] | None,
    documents: Mapping[Cid, bytes],
    placed: Mapping[Cid, PlainFrame],
    frame: PlainFrame,
) -> tuple[Cid, Base] | None:
    """Returns a base as a frame may have it, or None."""
    if base is None:
        return None
    cid, known = base
    if cid in documents:
        # In the frame itself it serves the compression without being named; and a reader does not
        # have it if it comes later, or in the frames of secrets.
        earlier = placed.get(cid)
        if earlier is None or earlier is frame:
            return None
        known = Base(known.data, earlier.depth)
    # The length would tell of a base with secrets.
    return None if known.depth >= MAX_BASE_CHAIN or holds_secrets(known.data) else (cid, known)


def _plain_frames(documents: list[tuple[Cid, bytes]]) -> Iterator[PlainFrame]:
    frame = PlainFrame(zstd=False)
    for cid, data in documents:
        if not frame.has_room(data, None):
            yield frame
            frame = PlainFrame(zstd=False)
        frame.add(ObjectKind.DOCUMENT, cid, data)
    if frame.objects:
        yield frame
