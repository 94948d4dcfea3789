"""What goes into packs and what comes out of them (SPEC section 7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import TypeAlias

from sopor.crypto.pack.index import ObjectKind
from sopor.records import dataclass
from sopor_core.ids import Cid, CommitId, PackId


@dataclass(frozen=True, slots=True)
class Base:
    """A document that readers have already, as compression prefix for its next version.

    ``depth`` is the length of the chain of bases under it: 0 for a document that was stored
    without one.
    """

    data: bytes = field(repr=False)
    depth: int = 0


BaseLookup: TypeAlias = Callable[[Cid], Base]
"""Gives the base with a content id; raises LookupError for one that is not there."""


@dataclass(frozen=True, slots=True)
class PackObject:
    """A commit or a document and its place in a pack.

    ``data`` are the bytes whose id was computed; ``frame`` counts from 1; ``offset`` is the place
    in the inflated frame; ``depth`` is the length of the chain of bases under the frame.
    """

    kind: ObjectKind
    id: CommitId | Cid
    data: bytes = field(repr=False)
    frame: int
    offset: int
    depth: int


@dataclass(frozen=True, slots=True)
class SealedPack:
    """A pack, ready to be sent and stored, and what is where in it."""

    id: PackId
    data: bytes = field(repr=False)
    objects: tuple[PackObject, ...] = field(repr=False)

    @property
    def size(self) -> int:
        """The pack's size in bytes."""
        return len(self.data)
