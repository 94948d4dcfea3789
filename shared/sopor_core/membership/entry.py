"""The entry of a membership log: its fields, its signed bytes, its hash (SPEC section 8)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from sopor_core import canonical
from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.errors import Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.ids import AccountId, EntryHash, OrgId
from sopor_core.limits import MAX_MEMBERSHIP_ENTRY_BYTES
from sopor_core.membership.bodies import parse_body
from sopor_core.membership.parts import Body, EntryType
from sopor_core.push_entry import Citation, Signer
from sopor_core.signing import (
    MEMBERSHIP,
    VerifyKey,
    labelled_hash,
    signed_message,
    without_signature,
)


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
        return self.body.TYPE

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
    def signed(self) -> bytes:
        """What the signature is over."""
        return signed_message(MEMBERSHIP, self.unsigned_json())

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
        return replace(self, signature=signer.sign(self.signed))

    def verify_signature(self, key: VerifyKey) -> None:
        """Raises VerificationError (``signature``) unless this key signed the entry."""
        key.verify(self.signature, self.signed)

    @classmethod
    def parse(cls, data: bytes) -> MembershipEntry:
        """Parses canonical bytes; raises VerificationError (``canonical``, ``parse``)."""
        if len(data) > MAX_MEMBERSHIP_ENTRY_BYTES:
            raise VerificationError(Layer.PARSE, "a membership entry is larger than allowed")
        value = canonical.decode(data)
        fields = Fields(value, "a membership entry")
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
            body=parse_body(EntryType(kind), fields.value("body")),
            signature=fields.data("sig", 64),
        )
        fields.end()
        # What was read is what would be written: making it again took most of a replay's time.
        entry.__dict__["encoded"] = data
        entry.__dict__["signed"] = signed_message(MEMBERSHIP, without_signature(value))
        return entry
