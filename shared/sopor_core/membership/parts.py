"""What the bodies of membership entries are made of (SPEC section 8.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol, Self

from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.errors import InvalidValue, Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.ids import AccountId, InviteId, ProjectId
from sopor_core.membership.roles import Role, Scope
from sopor_core.names import normalize_login
from sopor_core.push_entry import MAX_LABEL_BYTES, Citation

WRAP_BYTES = 80
PREVIOUS_BYTES = 12 + 32 + 16
_MAX_EPOCH = 2**32 - 1


class EntryType(StrEnum):
    """The kinds of membership entries."""

    GENESIS = "genesis"
    INVITE = "invite"
    INVITE_CANCEL = "invite_cancel"
    JOIN = "join"
    SET_ROLE = "set_role"
    REMOVE = "remove"
    PROJECT_NEW = "project_new"
    PROJECT_SET = "project_set"
    ORG_SET = "org_set"
    EPOCH = "epoch"
    ACCOUNT_REKEY = "account_rekey"
    PLAN = "plan"


class Status(StrEnum):
    """What may be done with a project."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    DELETED = "deleted"


class Body(Protocol):
    """What every body offers."""

    TYPE: ClassVar[EntryType]

    def to_json(self) -> dict[str, Json]:
        """Returns the entry's body."""

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Takes the members of the body."""


@dataclass(frozen=True)
class Epoch:
    """One epoch of a scope: its number, commitment and wraps, and what ties it to the one before.

    ``previous`` is empty and ``cut`` None in the first epoch; a home's epochs never have a cut.
    """

    number: int
    commitment: bytes
    wraps: Mapping[AccountId, bytes]
    invites: Mapping[InviteId, bytes]
    previous: bytes = b""
    cut: Citation | None = None

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON form."""
        result: dict[str, Json] = {
            "epoch": self.number,
            "commitment": b64encode(self.commitment),
            "wraps": wraps_json(self.wraps),
            "invites": wraps_json(self.invites),
        }
        if self.previous:
            result["previous"] = b64encode(self.previous)
        if self.cut is not None:
            result["cut"] = self.cut.to_json()
        return result

    @classmethod
    def from_json(cls, value: Json) -> Epoch:
        """Parses the JSON form; raises VerificationError (``parse``)."""
        fields = Fields(value, "an epoch")
        epoch = cls(
            number=fields.integer("epoch", 1, _MAX_EPOCH),
            commitment=fields.data("commitment", 32),
            wraps=fields.id_map("wraps", AccountId, WRAP_BYTES),
            invites=fields.id_map("invites", InviteId, WRAP_BYTES),
            previous=fields.data("previous", PREVIOUS_BYTES) if fields.has("previous") else b"",
            cut=Citation.from_json(fields.value("cut")) if fields.has("cut") else None,
        )
        fields.end()
        return epoch


@dataclass(frozen=True)
class Label:
    """A sealed name and the epoch whose key seals it."""

    epoch: int
    sealed: bytes

    def to_json(self) -> list[Json]:
        """Returns ``[epoch, bytes]``."""
        return [self.epoch, b64encode(self.sealed)]

    @classmethod
    def from_json(cls, value: Json) -> Label:
        """Parses ``[epoch, bytes]``; raises VerificationError (``parse``)."""
        if not isinstance(value, list) or len(value) != 2:
            raise VerificationError(Layer.PARSE, "a label is not [epoch, bytes]")
        fields = Fields({"epoch": value[0], "label": value[1]}, "a label")
        return cls(
            fields.integer("epoch", 1, _MAX_EPOCH),
            fields.data("label", max_size=MAX_LABEL_BYTES),
        )


def wraps_json(
    wraps: Mapping[ProjectId, bytes] | Mapping[AccountId, bytes] | Mapping[InviteId, bytes],
) -> dict[str, Json]:
    """Returns the JSON form of wraps."""
    return {key.b64: b64encode(wrap) for key, wrap in wraps.items()}


def epochs_json(epochs: Mapping[Scope, Epoch]) -> dict[str, Json]:
    """Returns the JSON form of the epochs of an entry."""
    return {scope.b64: epoch.to_json() for scope, epoch in epochs.items()}


def read_epochs(fields: Fields) -> dict[Scope, Epoch]:
    """Takes the member ``epochs``; raises VerificationError (``parse``)."""
    found = fields.mapping("epochs")
    return {Scope.from_b64(name): Epoch.from_json(value) for name, value in found.items()}


def read_role(fields: Fields, name: str, allowed: tuple[Role, ...]) -> Role:
    """Takes a role, which is one of those allowed; raises VerificationError (``parse``)."""
    text = fields.text(name, 16)
    if text not in allowed:
        raise VerificationError(Layer.PARSE, f"{text!r} is not a role here")
    return Role(text)


def read_status(fields: Fields) -> Status:
    """Takes a project's status; raises VerificationError (``parse``)."""
    text = fields.text("status", 16)
    if text not in set(Status):
        raise VerificationError(Layer.PARSE, f"{text!r} is not a status of a project")
    return Status(text)


def read_login(fields: Fields) -> str:
    """Takes a login name in its usual form; raises VerificationError (``parse``)."""
    text = fields.text("login", 128)
    try:
        usual = normalize_login(text)
    except InvalidValue as error:
        raise VerificationError(Layer.PARSE, error.message) from None
    if usual != text:
        raise VerificationError(Layer.PARSE, "a login name is not in its usual form")
    return text
