"""Opens packs and verifies them down to the id of each object (SPEC section 7).

The bytes of an object are as its author wrote them: that they are canonical, that a commit says
what its entry lists and that a document belongs to the state is for those to check who parse them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import TypeAlias

from sopor.crypto.keys import ProjectKeys
from sopor.crypto.pack import templates
from sopor.crypto.pack.compression import claimed_size, inflate
from sopor.crypto.pack.held import HeldFrames
from sopor.crypto.pack.index import FINDING_TAG_BYTES, FrameEntry, ObjectKind, PackIndex
from sopor.crypto.pack.layout import (
    HEADER_BYTES,
    LENGTH_BYTES,
    FrameCipher,
    PackHeader,
    padme,
)
from sopor.crypto.pack.objects import Base, BaseLookup, PackObject
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import Cid, CommitId, PackId
from sopor_core.limits import (
    MAX_BASE_CHAIN,
    MAX_INDEX_BYTES,
    MAX_INFLATED_FRAME_BYTES,
    MAX_PACK_BYTES,
)

ReadAt: TypeAlias = Callable[[int, int], bytes]
"""Reads so many bytes at an offset of a stored pack: ``read_at(offset, size)``."""


def no_bases(cid: Cid) -> Base:
    """Knows no base at all: the lookup for a pack that needs none."""
    raise LookupError(cid)


def open_pack(
    keys: ProjectKeys,
    data: bytes,
    expected_id: PackId,
    expected_size: int,
    bases: BaseLookup = no_bases,
) -> OpenedPack:
    """Opens a received pack; its index is verified, its frames are as `OpenedPack` reads them.

    Args:
        keys: the project's keys.
        data: the pack's bytes.
        expected_id: the pack's id as the push entry lists it.
        expected_size: its size as the push entry lists it.
        bases: gives documents of earlier packs that frames may be compressed against.

    Raises:
        VerificationError: layer ``pack`` (size, hash, header), ``epoch`` (no key), ``frame``
            (authentication, lengths, padding), ``canonical`` or ``parse`` (index).
    """
    if len(data) != expected_size:
        raise VerificationError(
            Layer.PACK, f"a pack has {len(data)} bytes where its entry lists {expected_size}"
        )
    if sha256(data).digest() != expected_id:
        raise VerificationError(Layer.PACK, f"the bytes of pack {expected_id.short} are others")
    view = memoryview(data)
    return OpenedPack(
        keys, lambda offset, size: bytes(view[offset : offset + size]), len(data), bases
    )


class OpenedPack:
    """A pack whose index is verified; reads and verifies frames as they are asked for.

    Works on a stored file as well as on bytes in memory: give a `ReadAt` and the size. Inflated
    frames are held, by default the last one, so that objects of one frame cost one decryption.
    """

    def __init__(
        self,
        keys: ProjectKeys,
        read_at: ReadAt,
        size: int,
        bases: BaseLookup = no_bases,
        held: HeldFrames | None = None,
    ) -> None:
        """Reads header and index (two reads); raises VerificationError as `open_pack` does."""
        if not HEADER_BYTES < size <= MAX_PACK_BYTES:
            raise VerificationError(Layer.PACK, f"a pack cannot have {size} bytes")
        self._ids = keys.content_ids
        self._read_at = read_at
        self._bases = bases
        self._held = held or HeldFrames(0)
        header = PackHeader.parse(self._read(0, HEADER_BYTES))
        self._salt = header.salt
        self.epoch = header.epoch
        self.size = size
        if HEADER_BYTES + header.index_size > size:
            raise VerificationError(Layer.PACK, "a pack is shorter than its index")
        self._cipher = FrameCipher(keys, header)
        self.index = self._open_index(header)

    def _read(self, offset: int, size: int) -> bytes:
        data = self._read_at(offset, size)
        if len(data) != size:
            raise VerificationError(Layer.PACK, "a stored pack is shorter than it was")
        return data

    def _open_index(self, header: PackHeader) -> PackIndex:
        only = HEADER_BYTES + header.index_size == self.size
        plain = self._cipher.decrypt(0, only, self._read(HEADER_BYTES, header.index_size))
        end = LENGTH_BYTES + int.from_bytes(plain[:LENGTH_BYTES], "big")
        padding = len(plain) - end
        if padding < 0 or plain[end:].strip(b"\0") or padme(self.size - padding) != self.size:
            raise VerificationError(Layer.FRAME, "a pack is not padded as it must be")
        packed = memoryview(plain)[LENGTH_BYTES:end]
        raw = claimed_size(packed)
        if raw > MAX_INDEX_BYTES:
            raise VerificationError(Layer.FRAME, "a pack's index inflates to more than 64 MiB")
        index = PackIndex.parse(header, inflate(packed, raw, templates.INDEX))
        if index.pack_size != self.size:
            raise VerificationError(Layer.FRAME, "a pack's frames do not fill it")
        return index

    def objects(self) -> Iterator[PackObject]:
        """Yields every object in order, commits first, each with its recomputed id.

        Raises:
            VerificationError: layer ``frame``, or ``cid`` where the index tells another id.
        """
        wanted = {cid for frame in self.index.frames for cid in frame.bases}
        seen: dict[Cid, Base] = {}
        for number, entry in enumerate(self.index.frames, 1):
            content, depth = self._inflate(number, lambda cid: seen.get(cid) or self._bases(cid))
            for item in self._split(number, entry, content, depth):
                if item.kind is ObjectKind.DOCUMENT and item.id in wanted:
                    seen.setdefault(Cid(item.id), Base(item.data, depth))
                yield item

    def _split(
        self, number: int, entry: FrameEntry, content: bytes, depth: int
    ) -> Iterator[PackObject]:
        offset = 0
        for place, (letter, length) in enumerate(zip(entry.kinds, entry.lengths, strict=True)):
            kind = ObjectKind(letter)
            data = content[offset : offset + length]
            compute = self._ids.commit_id if kind is ObjectKind.COMMIT else self._ids.cid
            id_ = compute(data)
            tag = entry.tags[place * FINDING_TAG_BYTES : (place + 1) * FINDING_TAG_BYTES]
            if id_[:FINDING_TAG_BYTES] != tag:
                raise VerificationError(Layer.CID, "a pack's index tells the id of another object")
            yield PackObject(kind, id_, data, number, offset, depth)
            offset += length

    def frame(self, number: int) -> bytes:
        """Returns the verified content of a frame, counted from 1.

        Raises:
            VerificationError: layer ``frame``.
        """
        return self._held.get(self._salt, number, lambda: self._inflate(number, self._bases)[0])

    def read_document(self, cid: Cid, frame: int, offset: int, length: int) -> bytes:
        """Returns one document from its place.

        Raises:
            VerificationError: layer ``frame``, or ``cid`` if another object is there.
        """
        data = self.frame(frame)[offset : offset + length]
        if self._ids.cid(data) != cid:
            raise VerificationError(Layer.CID, f"document {cid.short} is not at its place")
        return data

    def read_commit(self, commit: CommitId, frame: int, offset: int, length: int) -> bytes:
        """Returns one commit from its place; raises VerificationError like `read_document`."""
        data = self.frame(frame)[offset : offset + length]
        if self._ids.commit_id(data) != commit:
            raise VerificationError(Layer.CID, f"commit {commit.short} is not at its place")
        return data

    def _inflate(self, number: int, lookup: BaseLookup) -> tuple[bytes, int]:
        if not 1 <= number <= len(self.index.frames):
            raise VerificationError(Layer.FRAME, f"a pack has no frame {number}")
        entry = self.index.frames[number - 1]
        ciphertext = self._read(self.index.offsets[number - 1], entry.size)
        content = self._cipher.decrypt(number, number == len(self.index.frames), ciphertext)
        if not entry.zstd:
            return content, 0
        prefix, depth = _prefix(entry, lookup)
        return inflate(content, entry.raw, prefix), depth


def _prefix(entry: FrameEntry, lookup: BaseLookup) -> tuple[bytes, int]:
    parts: list[bytes] = []
    size = depth = 0
    for cid in entry.bases:
        try:
            base = lookup(cid)
        except LookupError:
            raise VerificationError(
                Layer.FRAME, "a frame needs a document that is not here"
            ) from None
        parts.append(base.data)
        size, depth = size + len(base.data), max(depth, base.depth + 1)
        if depth > MAX_BASE_CHAIN or size > MAX_INFLATED_FRAME_BYTES:
            raise VerificationError(Layer.FRAME, "a frame builds on too much")
    return templates.prefix_of(entry.raw, parts), depth
