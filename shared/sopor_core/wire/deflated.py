"""Answers whose entries are compressed together (SPEC section 10).

Entries of one log say much of the same in the same words. The server writes these answers, and has
no other compression than the standard library's; the client reads them, and trusts no length.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator

from sopor_core.errors import Layer, VerificationError
from sopor_core.wire.parts import Part, PartKind, join_parts, split_parts

MAX_PARTS = 131_072
"""The most parts of an answer, those inside of a compressed part among them."""
ENTRY_KINDS = frozenset({PartKind.MEMBERSHIP_ENTRY, PartKind.PUSH_ENTRY})
_LENGTH = struct.Struct(">I")
_LEVEL = 4


def join_answer(parts: Iterable[Part]) -> bytes:
    """Returns the body made of these parts: entries together and compressed, if that is shorter.

    The order of the entries stays, and that of the packs, which come after all entries then.
    """
    parts = list(parts)
    entries = join_parts(part for part in parts if part.kind in ENTRY_KINDS)
    data = _LENGTH.pack(len(entries)) + zlib.compress(entries, _LEVEL)
    if len(data) >= len(entries):
        return join_parts(parts)
    others = [part for part in parts if part.kind not in ENTRY_KINDS]
    first = 1 if others and others[0].kind is PartKind.CONTROL else 0
    return join_parts([*others[:first], Part(PartKind.DEFLATED, data), *others[first:]])


def split_answer(body: bytes, limit: int) -> Iterator[Part]:
    """Yields the parts of a body, in place of a compressed part those in it.

    Args:
        body: the body.
        limit: the most bytes that the compressed parts may inflate to together.

    Raises:
        VerificationError: layer ``wire``, before anything is inflated beyond ``limit``.
    """
    number, left = 0, limit
    for outer in split_parts(body):
        inner: Iterable[Part] = (outer,)
        if outer.kind is PartKind.DEFLATED:
            inflated = _inflate(outer.data, left)
            left -= len(inflated)
            inner = _entries(inflated)
        for part in inner:
            number += 1
            if number > MAX_PARTS:
                raise VerificationError(Layer.WIRE, f"the answer has more than {MAX_PARTS} parts")
            yield part


def _inflate(data: bytes, limit: int) -> bytes:
    if len(data) < _LENGTH.size:
        raise VerificationError(Layer.WIRE, "a compressed part is cut")
    (size,) = _LENGTH.unpack_from(data)
    if size > limit:
        raise VerificationError(Layer.WIRE, f"a compressed part claims {size} bytes")
    stream = zlib.decompressobj()
    try:
        # One byte more than it claims, to see whether it holds more than that.
        inflated = stream.decompress(memoryview(data)[_LENGTH.size :], size + 1)
    except zlib.error:
        raise VerificationError(Layer.WIRE, "a compressed part is damaged") from None
    if len(inflated) != size or not stream.eof or stream.unused_data:
        raise VerificationError(Layer.WIRE, "a compressed part does not hold what it claims")
    return inflated


def _entries(inflated: bytes) -> Iterator[Part]:
    for part in split_parts(inflated):
        if part.kind not in ENTRY_KINDS:
            raise VerificationError(
                Layer.WIRE, f"a compressed part holds a part of kind {int(part.kind)}"
            )
        yield part
