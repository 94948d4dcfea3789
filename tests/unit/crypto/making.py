"""Documents, commits and keys for the tests of this folder."""

from __future__ import annotations

from typing import Any

from sopor.crypto.keys import EpochSecret, ProjectKeys
from sopor.crypto.pack import Base, OpenedPack, PackObject, SealedPack, open_pack
from sopor_core import canonical
from sopor_core.ids import Cid, CommitId, ProjectId

PROJECT = ProjectId(bytes(range(16)))
KEYS = ProjectKeys(PROJECT, {1: EpochSecret(b"1" * 32), 2: EpochSecret(b"2" * 32)})
IDS = KEYS.content_ids


def document(id_: str, **fields: Any) -> bytes:
    """The canonical bytes of a request."""
    return canonical.encode({"_id": id_, "_type": "request", "authentication": {}, **fields})


def documents(*items: bytes) -> dict[Cid, bytes]:
    return {IDS.cid(item): item for item in items}


def commits(*items: bytes) -> dict[CommitId, bytes]:
    return {IDS.commit_id(item): item for item in items}


def opened(pack: SealedPack, *known: bytes) -> OpenedPack:
    """A pack as its receiver sees it, who has some documents already."""
    bases = {IDS.cid(item): Base(item) for item in known}
    return open_pack(KEYS, pack.data, pack.id, pack.size, bases.__getitem__)


def everything(packs: list[SealedPack], *known: bytes) -> list[PackObject]:
    return [item for pack in packs for item in opened(pack, *known).objects()]
