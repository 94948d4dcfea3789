"""Keyed ids of what a project holds: documents, commits, branches, states (SPEC sections 1 and 5).

The key follows from the project's first epoch, so an id stays the same over all epochs and tells
nothing to anybody outside the project.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sopor.crypto.primitives import Buffer, KeyedHash
from sopor.model.buckets import BUCKETS, EMPTY_NODE, encode_entries
from sopor.model.document import DocumentId
from sopor_core.ids import BranchId, Cid, CommitId, StateRoot


class ContentIds:
    """Computes the keyed ids of one project; a `sopor.model.state.NodeHasher`."""

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
        return BranchId(self._branch.digest(name.encode("utf-8"))[: BranchId.SIZE])

    def node(self, bucket: int, entries: Iterable[tuple[str, Cid]]) -> bytes:
        """Returns the node (32 bytes) of a bucket from its documents, in any order."""
        packed = encode_entries({DocumentId(name): cid for name, cid in entries})
        return self._bucket.digest(bytes((bucket,)) + packed) if packed else EMPTY_NODE

    def root(self, nodes: Sequence[bytes]) -> StateRoot:
        """Returns the state root over the 256 nodes."""
        if len(nodes) != BUCKETS:
            raise ValueError(f"a state has {BUCKETS} nodes, not {len(nodes)}")
        return StateRoot(self._state.digest(b"".join(nodes)))

    def __repr__(self) -> str:
        return "ContentIds(...)"
