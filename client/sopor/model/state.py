"""A state: which content each document of a commit has (SPEC section 5).

States share their unchanged buckets with the states that they come from, and a state read from a
snapshot decodes only the buckets that are looked at, so that a commit costs what it changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, TypeAlias

from sopor.model.buckets import BUCKETS, EMPTY_NODE, bucket_of, decode_entries, encode_entries
from sopor.model.document import DocumentId
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import Cid, StateRoot

Delta: TypeAlias = Mapping[DocumentId, Cid | None]
"""What changes in a state: a cid where a document is added or changed, None where it goes."""

_Bucket: TypeAlias = "dict[DocumentId, Cid] | bytes"
_EMPTY: dict[DocumentId, Cid] = {}


class NodeHasher(Protocol):
    """Computes keyed nodes and roots; `sopor.crypto.content_ids.ContentIds` is one."""

    def node(self, bucket: int, entries: Iterator[tuple[str, Cid]]) -> bytes:
        """Returns the node (32 bytes) of a bucket's entries."""

    def root(self, nodes: list[bytes]) -> StateRoot:
        """Returns the root over all nodes."""


class State(Mapping[DocumentId, Cid]):
    """An immutable map from document ids to content ids; `apply` makes the next one."""

    __slots__ = ("_buckets", "_nodes")

    def __init__(self) -> None:
        """Makes the empty state."""
        self._buckets: list[_Bucket] = [_EMPTY] * BUCKETS
        self._nodes: list[bytes | None] = [EMPTY_NODE] * BUCKETS

    def apply(self, delta: Delta) -> State:
        """Returns the state after a delta."""
        result = State()
        result._buckets = buckets = self._buckets.copy()
        result._nodes = nodes = self._nodes.copy()
        touched: set[int] = set()
        for document_id, cid in delta.items():
            number = bucket_of(document_id)
            if number not in touched:
                touched.add(number)
                buckets[number] = dict(self._bucket(number))
                nodes[number] = None
            bucket = buckets[number]
            assert isinstance(bucket, dict)  # noqa: S101 - copied three lines above
            if cid is None:
                bucket.pop(document_id, None)
            else:
                bucket[document_id] = cid
        return result

    def is_minimal(self, delta: Delta) -> bool:
        """Tells whether the delta says nothing that this state already says."""
        return len(self.minimal(delta)) == len(delta)

    def minimal(self, delta: Delta) -> dict[DocumentId, Cid | None]:
        """Returns what of a delta this state does not say already."""
        return {key: cid for key, cid in delta.items() if self.get(key) != cid}

    def difference(self, other: State) -> dict[DocumentId, Cid | None]:
        """Returns the delta that leads from this state to the other one."""
        delta: dict[DocumentId, Cid | None] = {}
        for number in range(BUCKETS):
            ours, theirs = self._buckets[number], other._buckets[number]
            if ours is theirs or ours == theirs:
                continue
            before, after = self._bucket(number), other._bucket(number)
            delta.update((key, None) for key in before if key not in after)
            delta.update((key, cid) for key, cid in after.items() if before.get(key) != cid)
        return delta

    def root(self, hasher: NodeHasher) -> StateRoot:
        """Returns the state root; only nodes of touched buckets are computed."""
        nodes: list[bytes] = []
        for number, known in enumerate(self._nodes):
            node = known or hasher.node(number, iter(self._bucket(number).items()))
            self._nodes[number] = node
            nodes.append(node)
        return hasher.root(nodes)

    def _bucket(self, number: int) -> dict[DocumentId, Cid]:
        bucket = self._buckets[number]
        if isinstance(bucket, bytes):
            bucket = self._buckets[number] = decode_entries(bucket)
        return bucket

    def __getitem__(self, document_id: DocumentId) -> Cid:
        return self._bucket(bucket_of(document_id))[document_id]

    def __iter__(self) -> Iterator[DocumentId]:
        for number in range(BUCKETS):
            yield from self._bucket(number)

    def __len__(self) -> int:
        return sum(len(self._bucket(number)) for number in range(BUCKETS))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and not self.difference(other)

    __hash__ = None  # type: ignore[assignment]

    def to_snapshot(self, hasher: NodeHasher) -> bytes:
        """Returns the state with its nodes as bytes, for the local store."""
        self.root(hasher)
        sizes, nodes, entries = [], [], []
        for number, node in enumerate(self._nodes):
            bucket = self._buckets[number]
            data = bucket if isinstance(bucket, bytes) else encode_entries(bucket)
            sizes.append(len(data).to_bytes(4, "big"))
            nodes.append(node or b"")
            entries.append(data)
        return b"".join([*sizes, *nodes, *entries])

    @classmethod
    def from_snapshot(cls, data: bytes) -> State:
        """Reads a snapshot; raises VerificationError (``state``) for another length."""
        head = BUCKETS * 36
        sizes = [int.from_bytes(data[at : at + 4], "big") for at in range(0, BUCKETS * 4, 4)]
        if len(data) < head or len(data) != head + sum(sizes):
            raise VerificationError(Layer.STATE, "a stored state is cut")
        state = cls()
        at = head
        for number, size in enumerate(sizes):
            node_at = BUCKETS * 4 + number * 32
            state._nodes[number] = data[node_at : node_at + 32]
            if size:
                state._buckets[number] = data[at : at + size]
            at += size
        return state
