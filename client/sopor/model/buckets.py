"""The two-level tree of a state: which bucket a document is in, and a bucket's entries as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from sopor.model.document import DocumentId
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import Cid

BUCKETS = 256
EMPTY_NODE = bytes(32)
"""The node of a bucket that holds no document."""


def bucket_of(document_id: str) -> int:
    """Returns the bucket (0 to 255) of a document id."""
    return sha256(document_id.encode("utf-8")).digest()[0]


def encode_entries(entries: Mapping[DocumentId, Cid]) -> bytes:
    """Returns a bucket's entries in ascending order of id: length (u16), UTF-8 id, cid."""
    parts: list[bytes] = []
    for name, cid in sorted((key.encode("utf-8"), cid) for key, cid in entries.items()):
        parts += (len(name).to_bytes(2, "big"), name, cid)
    return b"".join(parts)


def decode_entries(data: bytes) -> dict[DocumentId, Cid]:
    """Reads what `encode_entries` wrote; raises VerificationError (``state``) where it is cut."""
    entries: dict[DocumentId, Cid] = {}
    at = 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end + Cid.SIZE > len(data):
            raise VerificationError(Layer.STATE, "a stored state is cut")
        name = DocumentId(data[at + 2 : end].decode("utf-8"))
        entries[name] = Cid(data[end : end + Cid.SIZE])
        at = end + Cid.SIZE
    return entries
