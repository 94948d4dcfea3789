"""Keyed ids of what a project holds: documents, commits, branches, states (SPEC sections 1 and 5).

The key follows from the project's first epoch, so an id stays the same over all epochs and tells
nothing to anybody outside the project.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from sopor.crypto.primitives import Buffer, KeyedHash
from sopor_core.ids import BranchId, Cid, CommitId, StateRoot

BUCKETS = 256
EMPTY_NODE = bytes(32)
"""The node of a bucket that holds no document."""


def bucket_of(document_id: str) -> int:
    """Returns the bucket (0 to 255) of a document id."""
    return sha256(document_id.encode("utf-8")).digest()[0]


class ContentIds:
    """Computes the keyed ids of one project.

    `state_root` computes a root from scratch; a caller that keeps the 256 nodes of a state calls
    `node` for the buckets that a commit touches and then `root`.
    """

    __slots__ = ("_branch", "_bucket", "_commit", "_document", "_state")

    def __init__(self, key: bytes) -> None:
        """Takes K_cid (32 bytes)."""
        self._document = KeyedHash(key, b"document\0")
        self._commit = KeyedHash(key, b"commit\0")
        self._branch = KeyedHash(key, b"branch\0")
        self._bucket = KeyedHash(key, b"bucket\0")
        self._state = KeyedHash(key, b"state\0")

    def cid(self, document: Buffer) -> Cid:
        """Returns the content id of a document's canonical bytes."""
        return Cid(self._document.digest(document))

    def commit_id(self, commit: Buffer) -> CommitId:
        """Returns the id of a commit's canonical bytes."""
        return CommitId(self._commit.digest(commit))

    def branch_id(self, name: str) -> BranchId:
        """Returns the id of the branch with this name."""
        return BranchId(self._branch.digest(name.encode("utf-8"))[:16])

    def node(self, bucket: int, entries: Iterable[tuple[str, Cid]]) -> bytes:
        """Returns the node of a bucket from its documents, in any order; 32 bytes."""
        packed = sorted((document_id.encode("utf-8"), cid) for document_id, cid in entries)
        if not packed:
            return EMPTY_NODE
        parts = [bytes((bucket,))]
        for name, cid in packed:
            parts += (len(name).to_bytes(2, "big"), name, cid)
        return self._bucket.digest(b"".join(parts))

    def root(self, nodes: Sequence[bytes]) -> StateRoot:
        """Returns the state root over the 256 nodes."""
        if len(nodes) != BUCKETS:
            raise ValueError(f"a state has {BUCKETS} nodes, not {len(nodes)}")
        return StateRoot(self._state.digest(b"".join(nodes)))

    def state_root(self, state: Mapping[str, Cid]) -> StateRoot:
        """Returns the root of a whole state, computed from scratch."""
        buckets: list[list[tuple[str, Cid]]] = [[] for _ in range(BUCKETS)]
        for item in state.items():
            buckets[bucket_of(item[0])].append(item)
        return self.root([self.node(number, bucket) for number, bucket in enumerate(buckets)])

    def __repr__(self) -> str:
        return "ContentIds(...)"
