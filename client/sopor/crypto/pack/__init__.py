"""Packs: the encrypted files that hold a project's commits and documents (SPEC section 7).

packs = write_packs(keys, epoch, commits, documents, bases)     # to send and store
pack = open_pack(keys, data, listed.id, listed.size, lookup)    # received: verified or raised
for item in pack.objects(): ...                                 # each with its recomputed id
OpenedPack(keys, read_at, size, lookup).read_document(cid, frame, offset, length)
"""

from sopor.crypto.pack.held import HeldFrames
from sopor.crypto.pack.index import FrameEntry, ObjectKind, PackIndex
from sopor.crypto.pack.layout import PackHeader, padme
from sopor.crypto.pack.objects import Base, BaseLookup, PackObject, SealedPack
from sopor.crypto.pack.planning import Bases
from sopor.crypto.pack.reader import OpenedPack, ReadAt, no_bases, open_pack
from sopor.crypto.pack.secrets import holds_secrets
from sopor.crypto.pack.writer import write_packs

__all__ = [
    "Base",
    "BaseLookup",
    "Bases",
    "FrameEntry",
    "HeldFrames",
    "ObjectKind",
    "OpenedPack",
    "PackHeader",
    "PackIndex",
    "PackObject",
    "ReadAt",
    "SealedPack",
    "holds_secrets",
    "no_bases",
    "open_pack",
    "padme",
    "write_packs",
]
