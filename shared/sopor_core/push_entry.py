"""The entry of a push log: its fields, its signed bytes, its hash (SPEC section 8.1).

Parsing checks the shape and nothing else; `sopor_core.push_log` says whether an entry may follow
another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from sopor_core import canonical
from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.errors import Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.ids import (
    AccountId,
    BranchId,
    CommitId,
    EntryHash,
    OpId,
    PackId,
    ProjectId,
    StateRoot,
)
from sopor_core.limits import (
    MAX_ENTRY_BYTES,
    MAX_LISTED_COMMITS,
    MAX_LISTED_PACKS,
    MAX_OPS,
    MAX_PACK_BYTES,
    MAX_PARENTS,
    MAX_TIME,
)
from sopor_core.signing import (
    PUSH,
    VerifyKey,
    labelled_hash,
    signed_message,
    without_signature,
)

MAX_LABEL_BYTES = 12 + 320 + 16


class Signer(Protocol):
    """Signs a message with Ed25519; the private key stays behind it."""

    def sign(self, message: bytes) -> bytes:
        """Returns the 64-byte signature."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A place in a log: the sequence number of an entry and its hash."""

    seq: int
    hash: EntryHash

    def to_json(self) -> list[Json]:
        """Returns ``[seq, hash]``."""
        return [self.seq, self.hash.b64]

    @classmethod
    def from_json(cls, value: Json) -> Citation:
        """Parses ``[seq, hash]``; raises VerificationError (``parse``)."""
        if (
            not isinstance(value, list)
            or len(value) != 2
            or not isinstance(value[0], int)
            or isinstance(value[0], bool)
            or not 0 <= value[0] <= MAX_TIME
            or not isinstance(value[1], str)
        ):
            raise VerificationError(Layer.PARSE, "a citation is not [seq, hash]")
        return cls(value[0], EntryHash.from_b64(value[1]))


@dataclass(frozen=True, slots=True)
class BranchOp:
    """Moves one branch: ``old`` None creates it, ``new`` None deletes it."""

    branch: BranchId
    old: CommitId | None
    new: CommitId | None
    label: bytes | None = None

    def to_json(self) -> dict[str, Json]:
        """Returns the member of ``ops``."""
        result: dict[str, Json] = {
            "branch": self.branch.b64,
            "old": self.old.b64 if self.old else None,
            "new": self.new.b64 if self.new else None,
        }
        if self.label is not None:
            result["label"] = b64encode(self.label)
        return result

    @classmethod
    def from_json(cls, value: Json) -> BranchOp:
        """Parses a member of ``ops``; raises VerificationError (``parse``)."""
        fields = Fields(value, "a branch operation")
        op = cls(
            fields.id("branch", BranchId),
            fields.optional_id("old", CommitId),
            fields.optional_id("new", CommitId),
            fields.data("label", max_size=MAX_LABEL_BYTES) if fields.has("label") else None,
        )
        fields.end()
        if op.old is None and (op.new is None or op.label is None):
            raise VerificationError(Layer.PARSE, "a created branch needs a commit and a label")
        return op


@dataclass(frozen=True, slots=True)
class ListedCommit:
    """What an entry tells of a commit: nothing of its content."""

    id: CommitId
    parents: tuple[CommitId, ...]
    root: StateRoot
    same: CommitId | None = None

    def to_json(self) -> dict[str, Json]:
        """Returns the member of ``commits``."""
        result: dict[str, Json] = {
            "id": self.id.b64,
            "parents": [parent.b64 for parent in self.parents],
            "root": self.root.b64,
        }
        if self.same is not None:
            result["same"] = self.same.b64
        return result

    @classmethod
    def from_json(cls, value: Json) -> ListedCommit:
        """Parses a member of ``commits``; raises VerificationError (``parse``)."""
        fields = Fields(value, "a listed commit")
        commit = cls(
            fields.id("id", CommitId),
            fields.ids("parents", CommitId, high=MAX_PARENTS),
            fields.id("root", StateRoot),
            fields.id("same", CommitId) if fields.has("same") else None,
        )
        fields.end()
        return commit


@dataclass(frozen=True, slots=True)
class ListedPack:
    """A pack that an entry brings: its id and its size in bytes."""

    id: PackId
    size: int

    def to_json(self) -> dict[str, Json]:
        """Returns the member of ``packs``."""
        return {"id": self.id.b64, "size": self.size}

    @classmethod
    def from_json(cls, value: Json) -> ListedPack:
        """Parses a member of ``packs``; raises VerificationError (``parse``)."""
        fields = Fields(value, "a listed pack")
        pack = cls(fields.id("id", PackId), fields.integer("size", 1, MAX_PACK_BYTES))
        fields.end()
        return pack


@dataclass(frozen=True)
class PushEntry:
    """One entry of a push log, of the right shape; nothing about it is verified yet."""

    project: ProjectId
    seq: int
    prev: EntryHash
    op: OpId
    epoch: int
    members: Citation
    actor: AccountId
    time: int
    ops: tuple[BranchOp, ...]
    commits: tuple[ListedCommit, ...]
    packs: tuple[ListedPack, ...]
    signature: bytes = b""

    def unsigned_json(self) -> dict[str, Json]:
        """Returns the entry without its signature."""
        return {
            "v": 1,
            "project": self.project.b64,
            "seq": self.seq,
            "prev": self.prev.b64,
            "op": self.op.b64,
            "epoch": self.epoch,
            "members": self.members.to_json(),
            "actor": self.actor.b64,
            "time": self.time,
            "ops": [op.to_json() for op in self.ops],
            "commits": [commit.to_json() for commit in self.commits],
            "packs": [pack.to_json() for pack in self.packs],
        }

    @cached_property
    def encoded(self) -> bytes:
        """The canonical bytes with the signature: what is stored and sent."""
        return canonical.encode({**self.unsigned_json(), "sig": b64encode(self.signature)})

    @cached_property
    def signed(self) -> bytes:
        """What the signature is over."""
        return signed_message(PUSH, self.unsigned_json())

    @cached_property
    def hash(self) -> EntryHash:
        """The entry hash, which the next entry names as ``prev``."""
        return EntryHash(labelled_hash(PUSH, self.encoded))

    @property
    def citation(self) -> Citation:
        """This entry's place in its log."""
        return Citation(self.seq, self.hash)

    def sign(self, signer: Signer) -> PushEntry:
        """Returns the entry with its signature."""
        return replace(self, signature=signer.sign(self.signed))

    def verify_signature(self, key: VerifyKey) -> None:
        """Raises VerificationError (``signature``) unless the actor's key signed this entry."""
        key.verify(self.signature, self.signed)

    @classmethod
    def parse(cls, data: bytes) -> PushEntry:
        """Parses an entry's canonical bytes.

        Raises:
            VerificationError: layer ``canonical`` or ``parse``.
        """
        if len(data) > MAX_ENTRY_BYTES:
            raise VerificationError(Layer.PARSE, "a push entry is larger than allowed")
        value = canonical.decode(data)
        fields = Fields(value, "a push entry")
        fields.version()
        entry = cls(
            project=fields.id("project", ProjectId),
            seq=fields.integer("seq", 1),
            prev=fields.id("prev", EntryHash),
            op=fields.id("op", OpId),
            epoch=fields.integer("epoch", 1, 2**32 - 1),
            members=Citation.from_json(fields.value("members")),
            actor=fields.id("actor", AccountId),
            time=fields.integer("time"),
            ops=tuple(map(BranchOp.from_json, fields.items("ops", 1, MAX_OPS))),
            commits=tuple(
                map(ListedCommit.from_json, fields.items("commits", 0, MAX_LISTED_COMMITS))
            ),
            packs=tuple(map(ListedPack.from_json, fields.items("packs", 0, MAX_LISTED_PACKS))),
            signature=fields.data("sig", 64),
        )
        fields.end()
        entry._refuse_duplicates()
        # What was read is what would be written, so it is not made again.
        entry.__dict__["encoded"] = data
        entry.__dict__["signed"] = signed_message(PUSH, without_signature(value))
        return entry

    def _refuse_duplicates(self) -> None:
        for what, ids in (
            ("branch", [op.branch for op in self.ops]),
            ("commit", [commit.id for commit in self.commits]),
            ("pack", [pack.id for pack in self.packs]),
        ):
            if len(set(ids)) != len(ids):
                raise VerificationError(Layer.PARSE, f"a push entry lists a {what} twice")
