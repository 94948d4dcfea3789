"""The index of a pack: where each object is, without the object (SPEC section 7, frame 0)."""

from __future__ import annotations

from enum import StrEnum
from itertools import accumulate

from sopor.crypto.pack.layout import HEADER_BYTES, PackHeader
from sopor.crypto.primitives import TAG_BYTES
from sopor.records import dataclass
from sopor_core import canonical
from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.errors import Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.ids import Cid
from sopor_core.limits import (
    MAX_DOCUMENT_BYTES,
    MAX_FRAME_BYTES,
    MAX_INFLATED_FRAME_BYTES,
    MAX_PACK_BYTES,
)

FINDING_TAG_BYTES = 4
"""How much of an object's id the index tells."""
MAX_INFLATED_PACK_BYTES = 256 * 1024 * 1024
"""All frames of a pack together inflate to at most this."""


class ObjectKind(StrEnum):
    """What an object in a pack is."""

    COMMIT = "c"
    DOCUMENT = "d"


@dataclass(frozen=True, slots=True)
class FrameEntry:
    """What the index says of one frame.

    ``size`` counts ciphertext, ``raw`` the inflated bytes; ``bases`` are the documents whose bytes
    precede the content as compression prefix; ``kinds``, ``lengths`` and ``tags`` have one element
    (of ``tags``: 4 bytes) an object.
    """

    size: int
    raw: int
    zstd: bool
    bases: tuple[Cid, ...]
    kinds: str
    lengths: tuple[int, ...]
    tags: bytes

    def to_json(self) -> dict[str, Json]:
        """Returns the member of ``frames``."""
        return {
            "size": self.size,
            "raw": self.raw,
            "zstd": self.zstd,
            "bases": [cid.b64 for cid in self.bases],
            "kinds": self.kinds,
            "lengths": list(self.lengths),
            "tags": b64encode(self.tags),
        }

    @classmethod
    def from_json(cls, value: Json) -> FrameEntry:
        """Parses and checks a member of ``frames``; raises VerificationError."""
        fields = Fields(value, "a frame of a pack's index", Layer.FRAME)
        lengths = fields.items("lengths", 1)
        if not all(type(length) is int and length > 0 for length in lengths):
            raise VerificationError(Layer.FRAME, "a pack's index has a bad length")
        entry = cls(
            size=fields.integer("size", TAG_BYTES + 1, MAX_PACK_BYTES),
            raw=fields.integer("raw", 1, MAX_INFLATED_FRAME_BYTES),
            zstd=fields.boolean("zstd"),
            bases=fields.ids("bases", Cid),
            kinds=fields.text("kinds", len(lengths)),
            lengths=tuple(lengths),  # type: ignore[arg-type]
            tags=fields.data("tags", FINDING_TAG_BYTES * len(lengths)),
        )
        fields.end()
        entry._check()
        return entry

    def _check(self) -> None:
        count = len(self.lengths)
        if len(self.kinds) != count or self.kinds.strip("cd"):
            raise VerificationError(Layer.FRAME, "a pack's index has bad kinds")
        if sum(self.lengths) != self.raw:
            raise VerificationError(Layer.FRAME, "a frame's objects do not fill it")
        if self.raw > MAX_FRAME_BYTES and count != 1:
            raise VerificationError(Layer.FRAME, "a frame of several objects is over 1 MiB")
        if self.kinds == ObjectKind.DOCUMENT and self.raw > MAX_DOCUMENT_BYTES:
            raise VerificationError(Layer.FRAME, "a document is over 16 MiB")
        if not self.zstd and (self.bases or self.size != self.raw + TAG_BYTES):
            raise VerificationError(
                Layer.FRAME, "a frame that is not compressed has bases or another size"
            )


@dataclass(frozen=True, slots=True)
class PackIndex:
    """The index of one pack: its frames from number 1 on, and the offset of each in the pack."""

    frames: tuple[FrameEntry, ...]
    offsets: tuple[int, ...]

    @classmethod
    def of(cls, header: PackHeader, frames: tuple[FrameEntry, ...]) -> PackIndex:
        """Places the frames behind the header and the index; ``offsets`` ends with the end."""
        start = HEADER_BYTES + header.index_size
        return cls(frames, tuple(accumulate((frame.size for frame in frames), initial=start)))

    @property
    def pack_size(self) -> int:
        """The size in bytes that the pack must have."""
        return self.offsets[-1]

    @classmethod
    def parse(cls, header: PackHeader, data: bytes) -> PackIndex:
        """Parses the canonical index.

        Raises:
            VerificationError: layer ``canonical``, ``parse`` or ``frame``.
        """
        fields = Fields(canonical.decode(data), "a pack's index", Layer.FRAME)
        fields.version()
        frames = tuple(map(FrameEntry.from_json, fields.items("frames")))
        fields.end()
        if "dc" in "".join(frame.kinds for frame in frames):
            raise VerificationError(Layer.FRAME, "a pack has a commit behind a document")
        if sum(frame.raw for frame in frames) > MAX_INFLATED_PACK_BYTES:
            raise VerificationError(Layer.FRAME, "a pack inflates to more than 256 MiB")
        return cls.of(header, frames)


def encode_index(frames: list[FrameEntry]) -> bytes:
    """Returns the canonical index."""
    return canonical.encode({"v": 1, "frames": [frame.to_json() for frame in frames]})
