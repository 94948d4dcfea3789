"""Writes packs: seals commits and documents under a project's key (SPEC section 7)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import field
from hashlib import sha256

from sopor.crypto.keys import ProjectKeys
from sopor.crypto.pack import templates
from sopor.crypto.pack.compression import compress
from sopor.crypto.pack.index import (
    FINDING_TAG_BYTES,
    MAX_INFLATED_PACK_BYTES,
    FrameEntry,
    ObjectKind,
    encode_index,
)
from sopor.crypto.pack.layout import (
    HEADER_BYTES,
    LENGTH_BYTES,
    SALT_BYTES,
    FrameCipher,
    PackHeader,
    padme,
)
from sopor.crypto.pack.objects import PackObject, SealedPack
from sopor.crypto.pack.planning import Bases, PlainFrame, plan_frames
from sopor.crypto.primitives import TAG_BYTES, RandomSource
from sopor.records import dataclass
from sopor_core import canonical
from sopor_core.errors import InvalidValue
from sopor_core.ids import Cid, CommitId, PackId
from sopor_core.limits import (
    MAX_DOCUMENT_BYTES,
    MAX_INFLATED_FRAME_BYTES,
    MAX_PACK_BYTES,
    MIB,
)


def write_packs(
    keys: ProjectKeys,
    epoch: int,
    commits: Mapping[CommitId, bytes],
    documents: Mapping[Cid, bytes],
    bases: Bases | None = None,
) -> list[SealedPack]:
    """Seals the new objects of a push; as many packs as their limit of 24 MiB takes.

    Args:
        keys: the project's keys.
        epoch: the epoch to write under, the newest that the member knows.
        commits: canonical bytes by id, parents before children.
        documents: canonical bytes by content id; the order decides what shares a frame.
        bases: for documents that are next versions: the content id and `Base` of the previous one.
            It may be among ``documents``, and serves if it comes to stand in an earlier frame.
            Those with secrets or over-long chains are left aside.

    Raises:
        InvalidValue: an object is larger than the format allows.
        VerificationError: layer ``epoch``, if the epoch's key is not known.
    """
    _check_sizes(commits, documents)
    frames = map(_finish, plan_frames(commits, documents, bases or {}))
    return [seal_frames(keys, epoch, group) for group in _grouped(frames)]


@dataclass(frozen=True)
class FinishedFrame:
    """A frame as it will be encrypted, its line of the index, and the objects in it."""

    entry: FrameEntry
    plaintext: bytes
    objects: tuple[tuple[ObjectKind, CommitId | Cid, bytes], ...]
    depth: int
    index_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        encoded = canonical.encode(self.entry.to_json())
        object.__setattr__(self, "index_bytes", len(encoded) + 1)


def _check_sizes(commits: Mapping[CommitId, bytes], documents: Mapping[Cid, bytes]) -> None:
    if any(len(data) > MAX_DOCUMENT_BYTES for data in documents.values()):
        raise InvalidValue(
            "a document is larger than 16 MiB", hint="split it, or keep it outside of the project"
        )
    if any(len(data) > MAX_INFLATED_FRAME_BYTES for data in commits.values()):
        raise InvalidValue(
            "a commit changes more documents than fit 17 MiB",
            hint="commit the documents in several steps",
        )


def _finish(frame: PlainFrame) -> FinishedFrame:
    content = b"".join(data for _, _, data in frame.objects)
    if frame.zstd:
        bases = (base.data for base in frame.bases.values())
        content = compress(content, templates.prefix_of(frame.raw, bases))
    entry = FrameEntry(
        size=len(content) + TAG_BYTES,
        raw=frame.raw,
        zstd=frame.zstd,
        bases=tuple(frame.bases),
        kinds="".join(kind for kind, _, _ in frame.objects),
        lengths=tuple(len(data) for _, _, data in frame.objects),
        tags=b"".join(id_[:FINDING_TAG_BYTES] for _, id_, _ in frame.objects),
    )
    return FinishedFrame(entry, content, tuple(frame.objects), frame.depth)


def _grouped(frames: Iterable[FinishedFrame]) -> Iterable[list[FinishedFrame]]:
    group: list[FinishedFrame] = []
    size = raw = 0
    for frame in frames:
        # The index compresses, but nothing promises that, so it counts as it is.
        cost = frame.entry.size + frame.index_bytes
        full = size + cost > MAX_PACK_BYTES - MIB or raw + frame.entry.raw > MAX_INFLATED_PACK_BYTES
        if full and group:
            yield group
            group, size, raw = [], 0, 0
        group.append(frame)
        size, raw = size + cost, raw + frame.entry.raw
    if group:
        yield group


def seal_frames(
    keys: ProjectKeys,
    epoch: int,
    frames: list[FinishedFrame],
    random: RandomSource = secrets.token_bytes,
) -> SealedPack:
    """Encrypts finished frames into one pack; `write_packs` is what callers want."""
    index = _padded_index(frames)
    header = PackHeader(epoch, len(index) + TAG_BYTES, random(SALT_BYTES))
    cipher = FrameCipher(keys, header)
    parts = [header.encode(), cipher.encrypt(0, not frames, index)]
    for number, frame in enumerate(frames, 1):
        parts.append(cipher.encrypt(number, number == len(frames), frame.plaintext))
    data = b"".join(parts)
    return SealedPack(PackId(sha256(data).digest()), data, tuple(_places(frames)))


def _padded_index(frames: list[FinishedFrame]) -> bytes:
    packed = compress(encode_index([frame.entry for frame in frames]), templates.INDEX)
    index = len(packed).to_bytes(LENGTH_BYTES, "big") + packed
    total = HEADER_BYTES + len(index) + TAG_BYTES + sum(frame.entry.size for frame in frames)
    return index + bytes(padme(total) - total)


def _places(frames: list[FinishedFrame]) -> Iterable[PackObject]:
    for number, frame in enumerate(frames, 1):
        offset = 0
        for kind, id_, data in frame.objects:
            yield PackObject(kind, id_, data, number, offset, frame.depth)
            offset += len(data)
