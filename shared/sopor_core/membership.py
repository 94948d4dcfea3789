"""The membership log of an organization and its replay (SPEC section 8.2).

`MembershipLog` holds only entries that verified: `append` is the one way in. It answers for every
point of the log, since a push entry is judged by the state that it cites.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Generic, TypeVar

from sopor_core import canonical
from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.errors import ForkError, Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.identity import PublicIdentity
from sopor_core.ids import NO_ENTRY, AccountId, EntryHash, OrgId, ProjectId
from sopor_core.limits import MAX_ENTRY_BYTES
from sopor_core.push_entry import MAX_LABEL_BYTES, Citation, Signer
from sopor_core.signing import MEMBERSHIP, VerifyKey, labelled_hash, signed_message

WRAP_BYTES = 80
T = TypeVar("T")


class Role(StrEnum):
    """What a member may do."""

    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    VIEWER = "viewer"

    @property
    def may_write(self) -> bool:
        """Tells whether the role may push."""
        return self is not Role.VIEWER

    @property
    def may_administer(self) -> bool:
        """Tells whether the role may create projects."""
        return self in (Role.OWNER, Role.ADMIN)


class EntryType(StrEnum):
    """The kinds of membership entries."""

    GENESIS = "genesis"
    PROJECT_NEW = "project_new"


@dataclass(frozen=True)
class Genesis:
    """Founds an organization."""

    kind: str
    nonce: bytes
    owner: PublicIdentity

    def to_json(self) -> dict[str, Json]:
        """Returns the entry's body."""
        return {"kind": self.kind, "nonce": b64encode(self.nonce), "owner": self.owner.to_json()}

    @classmethod
    def from_json(cls, value: Json) -> Genesis:
        """Parses the body; raises VerificationError (``parse`` or ``account``)."""
        fields = Fields(value, "a genesis")
        kind = fields.text("kind", 16)
        if kind not in ("personal", "team"):
            raise VerificationError(Layer.PARSE, "an organization is personal or team")
        body = cls(kind, fields.data("nonce", 16), PublicIdentity.from_json(fields.value("owner")))
        fields.end()
        body.owner.check_founding_id()
        return body


@dataclass(frozen=True)
class ProjectNew:
    """Adds a project: its first epoch's secret, wrapped for each member, and its sealed name."""

    project: ProjectId
    commitment: bytes
    wraps: Mapping[AccountId, bytes]
    label: bytes
    epoch: int = 1

    def to_json(self) -> dict[str, Json]:
        """Returns the entry's body."""
        return {
            "project": self.project.b64,
            "epoch": self.epoch,
            "commitment": b64encode(self.commitment),
            "wraps": {account.b64: b64encode(wrap) for account, wrap in self.wraps.items()},
            "label": b64encode(self.label),
        }

    @classmethod
    def from_json(cls, value: Json) -> ProjectNew:
        """Parses the body; raises VerificationError (``parse``)."""
        fields = Fields(value, "a new project")
        wraps = Fields(fields.mapping("wraps"), "the wraps of a new project")
        body = cls(
            project=fields.id("project", ProjectId),
            epoch=fields.integer("epoch", 1, 1),
            commitment=fields.data("commitment", 32),
            wraps={
                AccountId.from_b64(name): wraps.data(name, WRAP_BYTES) for name in wraps.names()
            },
            label=fields.data("label", max_size=MAX_LABEL_BYTES),
        )
        fields.end()
        return body


Body = Genesis | ProjectNew
_BODIES: Mapping[EntryType, type[Genesis] | type[ProjectNew]] = {
    EntryType.GENESIS: Genesis,
    EntryType.PROJECT_NEW: ProjectNew,
}


@dataclass(frozen=True)
class MembershipEntry:
    """One entry of a membership log, of the right shape; nothing about it is verified yet."""

    org: OrgId | None
    seq: int
    prev: EntryHash
    actor: AccountId
    time: int
    body: Body
    signature: bytes = b""

    @property
    def type(self) -> EntryType:
        """The kind of the entry, which follows from its body."""
        return EntryType.GENESIS if isinstance(self.body, Genesis) else EntryType.PROJECT_NEW

    def unsigned_json(self) -> dict[str, Json]:
        """Returns the entry without its signature."""
        result: dict[str, Json] = {
            "v": 1,
            "seq": self.seq,
            "prev": self.prev.b64,
            "type": str(self.type),
            "actor": self.actor.b64,
            "time": self.time,
            "body": self.body.to_json(),
        }
        if self.org is not None:
            result["org"] = self.org.b64
        return result

    @cached_property
    def encoded(self) -> bytes:
        """The canonical bytes with the signature: what is stored and sent."""
        return canonical.encode({**self.unsigned_json(), "sig": b64encode(self.signature)})

    @cached_property
    def hash(self) -> EntryHash:
        """The entry hash; of the first entry, the organization's id."""
        return EntryHash(labelled_hash(MEMBERSHIP, self.encoded))

    @property
    def citation(self) -> Citation:
        """This entry's place in its log."""
        return Citation(self.seq, self.hash)

    def sign(self, signer: Signer) -> MembershipEntry:
        """Returns the entry with its signature."""
        return replace(
            self, signature=signer.sign(signed_message(MEMBERSHIP, self.unsigned_json()))
        )

    def verify_signature(self, key: VerifyKey) -> None:
        """Raises VerificationError (``signature``) unless this key signed the entry."""
        key.verify(self.signature, signed_message(MEMBERSHIP, self.unsigned_json()))

    @classmethod
    def parse(cls, data: bytes) -> MembershipEntry:
        """Parses canonical bytes; raises VerificationError (``canonical``, ``parse``)."""
        if len(data) > MAX_ENTRY_BYTES:
            raise VerificationError(Layer.PARSE, "a membership entry is larger than allowed")
        fields = Fields(canonical.decode(data), "a membership entry")
        fields.version()
        kind = fields.text("type", 32)
        if kind not in set(EntryType):
            raise VerificationError(
                Layer.PARSE,
                f"a membership entry has the unknown type {kind!r}",
                hint="upgrade sopor and try again",
            )
        entry = cls(
            org=fields.id("org", OrgId) if fields.has("org") else None,
            seq=fields.integer("seq", 1),
            prev=fields.id("prev", EntryHash),
            actor=fields.id("actor", AccountId),
            time=fields.integer("time"),
            body=_BODIES[EntryType(kind)].from_json(fields.value("body")),
            signature=fields.data("sig", 64),
        )
        fields.end()
        return entry


class _Timeline(Generic[T]):
    """A value that changes at some sequence numbers."""

    def __init__(self) -> None:
        self._seqs: list[int] = []
        self._values: list[T] = []

    def set(self, seq: int, value: T) -> None:
        self._seqs.append(seq)
        self._values.append(value)

    def at(self, seq: int) -> T | None:
        index = bisect_right(self._seqs, seq)
        return self._values[index - 1] if index else None


@dataclass(frozen=True)
class ProjectKeys:
    """What the log says of one epoch of a project's key."""

    epoch: int
    commitment: bytes
    wraps: Mapping[AccountId, bytes]


class MembershipLog:
    """The verified membership log of one organization; grows by `append` alone."""

    def __init__(self, org: OrgId) -> None:
        """Starts an empty log of the organization with this id."""
        self.org = org
        self._hashes: list[EntryHash] = []
        self._roles: dict[AccountId, _Timeline[Role | None]] = {}
        self._identities: dict[AccountId, _Timeline[PublicIdentity]] = {}
        self._keys: dict[ProjectId, _Timeline[ProjectKeys]] = {}
        self._labels: dict[ProjectId, tuple[int, bytes]] = {}
        self.kind = ""

    @classmethod
    def replay(cls, org: OrgId, entries: list[bytes]) -> MembershipLog:
        """Verifies a whole log; raises VerificationError naming the first entry that fails."""
        log = cls(org)
        for data in entries:
            log.append(MembershipEntry.parse(data))
        return log

    @property
    def head(self) -> Citation:
        """The newest entry's place; (0, zeros) of an empty log."""
        return Citation(len(self._hashes), self._hashes[-1] if self._hashes else NO_ENTRY)

    def append(self, entry: MembershipEntry) -> None:
        """Verifies the entry against everything before it and takes it in.

        Raises:
            ForkError: the entry continues another history.
            VerificationError: layer ``chain``, ``membership``, ``role`` or ``signature``; the log
                stays as it was.
        """
        if entry.seq != self.head.seq + 1:
            raise VerificationError(
                Layer.CHAIN, f"membership entry {entry.seq} where {self.head.seq + 1} belongs"
            )
        if entry.prev != self.head.hash:
            raise ForkError(f"membership entry {entry.seq} continues another history")
        if isinstance(entry.body, Genesis):
            self._found(entry, entry.body)
        else:
            self._check_actor(entry)
            self._add_project(entry, entry.body)
        self._hashes.append(entry.hash)

    def _found(self, entry: MembershipEntry, body: Genesis) -> None:
        if entry.seq != 1 or entry.org is not None:
            raise VerificationError(Layer.MEMBERSHIP, "an organization is founded once")
        if bytes(entry.hash) != bytes(self.org):
            raise VerificationError(Layer.MEMBERSHIP, "the genesis is of another organization")
        if entry.actor != body.owner.account:
            raise VerificationError(Layer.MEMBERSHIP, "the genesis is not by its owner")
        entry.verify_signature(body.owner.signing)
        self.kind = body.kind
        self._identities.setdefault(entry.actor, _Timeline()).set(1, body.owner)
        self._roles.setdefault(entry.actor, _Timeline()).set(1, Role.OWNER)

    def _check_actor(self, entry: MembershipEntry) -> None:
        if entry.org != self.org or not self._hashes:
            raise VerificationError(Layer.MEMBERSHIP, "the entry is of another organization")
        role = self.role_at(entry.actor, self.head.seq)
        if role is None:
            raise VerificationError(Layer.ROLE, "the entry's actor is not a member")
        entry.verify_signature(self.signing_key(entry.actor, self.head.seq))
        if not role.may_administer:
            raise VerificationError(Layer.ROLE, f"the entry's actor is a {role}")

    def _add_project(self, entry: MembershipEntry, body: ProjectNew) -> None:
        if body.project in self._keys:
            raise VerificationError(Layer.MEMBERSHIP, "the project exists already")
        if set(body.wraps) != set(self.members()):
            raise VerificationError(
                Layer.MEMBERSHIP, "a new project's key is not wrapped to exactly the members"
            )
        keys = ProjectKeys(body.epoch, body.commitment, dict(body.wraps))
        self._keys.setdefault(body.project, _Timeline()).set(entry.seq, keys)
        self._labels[body.project] = (body.epoch, body.label)

    def check_citation(self, cited: Citation) -> None:
        """Raises unless the cited entry is in this log.

        Raises:
            VerificationError: layer ``membership``: the log is not known so far.
            ForkError: another entry stands there.
        """
        if not 1 <= cited.seq <= len(self._hashes):
            raise VerificationError(Layer.MEMBERSHIP, "an unknown membership state is cited")
        if self._hashes[cited.seq - 1] != cited.hash:
            raise ForkError(f"membership entry {cited.seq} is another one than is cited")

    def members(self) -> dict[AccountId, Role]:
        """Returns the present members and their roles."""
        now = self.head.seq
        roles = {account: self.role_at(account, now) for account in self._roles}
        return {account: role for account, role in roles.items() if role is not None}

    def role_at(self, account: AccountId, seq: int) -> Role | None:
        """Returns the role after entry ``seq``, or None for somebody who is no member then."""
        timeline = self._roles.get(account)
        return timeline.at(seq) if timeline else None

    def identity(self, account: AccountId) -> PublicIdentity:
        """Returns a present or former member's newest keys; raises VerificationError."""
        return self._identity_at(account, self.head.seq)

    def signing_key(self, account: AccountId, seq: int) -> VerifyKey:
        """Returns the key that signs for the account after entry ``seq``."""
        return self._identity_at(account, seq).signing

    def _identity_at(self, account: AccountId, seq: int) -> PublicIdentity:
        timeline = self._identities.get(account)
        identity = timeline.at(seq) if timeline else None
        if identity is None:
            raise VerificationError(Layer.MEMBERSHIP, "no keys of that account are known")
        return identity

    def projects(self) -> list[ProjectId]:
        """Returns the projects in the order in which they were added."""
        return list(self._keys)

    def keys(self, project: ProjectId) -> ProjectKeys:
        """Returns the present epoch of a project; raises VerificationError (``membership``)."""
        keys = self._keys[project].at(self.head.seq) if project in self._keys else None
        if keys is None:
            raise VerificationError(Layer.MEMBERSHIP, "the organization has no such project")
        return keys

    def epoch_at(self, project: ProjectId, seq: int) -> int:
        """Returns the epoch in force after entry ``seq``; raises VerificationError."""
        keys = self._keys[project].at(seq) if project in self._keys else None
        if keys is None:
            raise VerificationError(Layer.MEMBERSHIP, "the project is not of the organization")
        return keys.epoch

    def label(self, project: ProjectId) -> tuple[int, bytes]:
        """Returns the epoch and the sealed name of a project."""
        self.keys(project)
        return self._labels[project]
