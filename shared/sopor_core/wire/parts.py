"""Bodies that carry entries and packs: length-prefixed parts (SPEC section 10)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from sopor_core.errors import Layer, VerificationError

MEDIA_TYPE = "application/vnd.sopor.parts"
_HEADER = struct.Struct(">BI")


class PartKind(IntEnum):
    """What a part holds."""

    CONTROL = 1
    MEMBERSHIP_ENTRY = 2
    PUSH_ENTRY = 3
    PACK = 4
    DEFLATED = 5


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a body."""

    kind: PartKind
    data: bytes


def join_parts(parts: Iterable[Part]) -> bytes:
    """Returns the body made of these parts."""
    chunks = []
    for part in parts:
        chunks += [_HEADER.pack(part.kind, len(part.data)), part.data]
    return b"".join(chunks)


def split_parts(body: bytes) -> Iterator[Part]:
    """Yields the parts of a body; raises VerificationError (``wire``) where it is cut or odd."""
    position = 0
    while position < len(body):
        end = position + _HEADER.size
        if end > len(body):
            raise VerificationError(Layer.WIRE, "the body ends inside a part's header")
        kind, length = _HEADER.unpack_from(body, position)
        if kind not in iter(PartKind):
            raise VerificationError(Layer.WIRE, f"the body has a part of unknown kind {kind}")
        position = end + length
        if position > len(body):
            raise VerificationError(Layer.WIRE, "the body ends inside a part")
        yield Part(PartKind(kind), body[end:position])
