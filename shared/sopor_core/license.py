"""Licenses: what an organization may use, signed by who runs the server (SPEC section 8.4)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.fields import Fields
from sopor_core.ids import OrgId
from sopor_core.push_entry import Signer
from sopor_core.signing import LICENSE, VerifyKey, signed_message

MAX_PLAN_BYTES = 64


@dataclass(frozen=True)
class License:
    """The limits of one organization; 0 means without limit.

    ``storage`` is in bytes, ``expires`` in milliseconds, None for never.
    """

    org: OrgId
    plan: str
    seats: int
    projects: int
    storage: int
    expires: int | None
    signature: bytes = b""

    def unsigned_json(self) -> dict[str, Json]:
        """Returns what is signed."""
        return {
            "v": 1,
            "org": self.org.b64,
            "plan": self.plan,
            "seats": self.seats,
            "projects": self.projects,
            "bytes": self.storage,
            "expires": self.expires,
        }

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON form with the signature."""
        return {**self.unsigned_json(), "sig": b64encode(self.signature)}

    @classmethod
    def from_json(cls, value: Json) -> License:
        """Parses the JSON form; raises VerificationError (``parse``)."""
        fields = Fields(value, "a license")
        fields.version()
        expires = fields.value("expires")
        found = cls(
            org=fields.id("org", OrgId),
            plan=fields.text("plan", MAX_PLAN_BYTES),
            seats=fields.integer("seats"),
            projects=fields.integer("projects"),
            storage=fields.integer("bytes"),
            expires=None if expires is None else Fields({"t": expires}, "a license").integer("t"),
            signature=fields.data("sig", 64),
        )
        fields.end()
        return found

    def sign(self, signer: Signer) -> License:
        """Returns the license with its signature."""
        return replace(self, signature=signer.sign(signed_message(LICENSE, self.unsigned_json())))

    def verify_signature(self, key: VerifyKey) -> None:
        """Raises VerificationError (``signature``) unless this key signed the license."""
        key.verify(self.signature, signed_message(LICENSE, self.unsigned_json()))
