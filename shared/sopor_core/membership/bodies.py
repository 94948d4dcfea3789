"""The bodies of membership entries: their shapes, and nothing about whether they hold (SPEC 8.2).

Every body parses itself from canonical JSON and raises VerificationError, of layer ``parse`` unless
a key in it is refused (``signature``, ``account``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol, Self

from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.errors import InvalidValue, Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.identity import PublicIdentity, check_encryption_key
from sopor_core.ids import AccountId, Id, InviteId, OrgId, ProjectId
from sopor_core.license import License
from sopor_core.membership.roles import ORGANIZATION_ROLES, PROJECT_ROLES, Role, Scope
from sopor_core.names import normalize_login
from sopor_core.push_entry import MAX_LABEL_BYTES, Citation
from sopor_core.signing import VerifyKey

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
            "wraps": _wraps_json(self.wraps),
            "invites": _wraps_json(self.invites),
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


@dataclass(frozen=True)
class Genesis:
    """Founds an organization; ``nonce`` is the id of its home."""

    TYPE: ClassVar = EntryType.GENESIS
    kind: str
    nonce: bytes
    owner: PublicIdentity
    login: str
    first: Epoch
    label: bytes

    @property
    def home(self) -> Scope:
        """The scope of the organization's name."""
        return Scope(self.nonce)

    def to_json(self) -> dict[str, Json]:
        """Returns the entry's body."""
        return {
            "kind": self.kind,
            "nonce": b64encode(self.nonce),
            "owner": self.owner.to_json(),
            "login": self.login,
            "home": self.first.to_json(),
            "label": b64encode(self.label),
        }

    @classmethod
    def from_fields(cls, fields: Fields) -> Genesis:
        """Takes the members of the body."""
        kind = fields.text("kind", 16)
        if kind not in ("personal", "team"):
            raise VerificationError(Layer.PARSE, "an organization is personal or team")
        body = cls(
            kind,
            fields.data("nonce", 16),
            PublicIdentity.from_json(fields.value("owner")),
            _login(fields),
            Epoch.from_json(fields.value("home")),
            fields.data("label", max_size=MAX_LABEL_BYTES),
        )
        if kind == "personal":
            body.owner.check_founding_id()
        return body


@dataclass(frozen=True)
class Invite:
    """Opens an invitation: keys that follow from the code, and what it gives."""

    TYPE: ClassVar = EntryType.INVITE
    invite: InviteId
    key: VerifyKey
    encryption: bytes
    role: Role
    projects: Mapping[ProjectId, Role]
    expires: int
    wraps: Mapping[Scope, bytes]

    def to_json(self) -> dict[str, Json]:
        """Returns the entry's body."""
        return {
            "invite": self.invite.b64,
            "key": b64encode(self.key),
            "encryption": b64encode(self.encryption),
            "role": str(self.role),
            "projects": {project.b64: str(role) for project, role in self.projects.items()},
            "expires": self.expires,
            "wraps": _wraps_json(self.wraps),
        }

    @classmethod
    def from_fields(cls, fields: Fields) -> Invite:
        """Takes the members of the body."""
        projects = Fields(fields.mapping("projects"), "the projects of an invite")
        return cls(
            invite=fields.id("invite", InviteId),
            key=VerifyKey(fields.data("key", 32)),
            encryption=check_encryption_key(fields.data("encryption", 32)),
            role=_role(fields, "role", ORGANIZATION_ROLES),
            projects={
                ProjectId.from_b64(name): _role(projects, name, PROJECT_ROLES)
                for name in projects.names()
            },
            expires=fields.integer("expires"),
            wraps=fields.id_map("wraps", Scope, WRAP_BYTES),
        )


@dataclass(frozen=True)
class InviteCancel:
    """Ends an invitation, with new epochs of what it gave access to."""

    TYPE: ClassVar = EntryType.INVITE_CANCEL
    invite: InviteId
    epochs: Mapping[Scope, Epoch]

    def to_json(self) -> dict[str, Json]:
        """Returns the entry's body."""
        return {"invite": self.invite.b64, "epochs": _epochs_json(self.epochs)}

    @classmethod
    def from_fields(cls, fields: Fields) -> InviteCancel:
        """Takes the members of the body."""
        return cls(fields.id("invite", InviteId), _epochs(fields))


@dataclass(frozen=True)
class Join:
    """Uses an invitation: the new member's keys, proved with the invite's key."""

    TYPE: ClassVar = EntryType.JOIN
    invite: InviteId
    identity: PublicIdentity
    login: str
    wraps: Mapping[Scope, bytes]
    proof: bytes

    def to_json(self) -> dict[str, Json]:
        """Returns the entry's body."""
        return {
            "invite": self.invite.b64,
            "identity": self.identity.to_json(),
            "login": self.login,
            "wraps": _wraps_json(self.wraps),
            "proof": b64encode(self.proof),
        }

    @classmethod
    def from_fields(cls, fields: Fields) -> Join:
        """Takes the members of the body."""
        return cls(
            fields.id("invite", InviteId),
            PublicIdentity.from_json(fields.value("identity")),
            _login(fields),
            fields.id_map("wraps", Scope, WRAP_BYTES),
            fields.data("proof", 64),
        )


@dataclass(frozen=True)
class SetRole:
    """Changes a member's role in the organization, or in one project."""

    TYPE: ClassVar = EntryType.SET_ROLE
    account: AccountId
    role: Role
    project: ProjectId | None
    wraps: Mapping[Scope, bytes]
    epochs: Mapping[Scope, Epoch]

    def to_json(self) -> dict[str, Json]:
        """Returns the entry's body."""
        result: dict[str, Json] = {
            "account": self.account.b64,
            "role": str(self.role),
            "wraps": _wraps_json(self.wraps),
            "epochs": _epochs_json(self.epochs),
        }
        if self.project is not None:
            result["project"] = self.project.b64
        return result

    @classmethod
    def from_fields(cls, fields: Fields) -> SetRole:
        """Takes the members of the body."""
        project = fields.id("project", ProjectId) if fields.has("project") else None
        return cls(
            fields.id("account", AccountId),
            _role(fields, "role", PROJECT_ROLES if project else ORGANIZATION_ROLES),
            project,
            fields.id_map("wraps", Scope, WRAP_BYTES),
            _epochs(fields),
        )


@dataclass(frozen=True)
class Remove:
    """Ends a membership, with new epochs of everything that the member had access to."""

    TYPE: ClassVar = EntryType.REMOVE
    account: AccountId
    epochs: Mapping[Scope, Epoch]

    def to_json(self) -> dict[str, Json]:
        """Returns the entry's body."""
        return {"account": self.account.b64, "epochs": _epochs_json(self.epochs)}

    @classmethod
    def from_fields(cls, fields: Fields) -> Remove:
        """Takes the members of the body."""
        return cls(fields.id("account", AccountId), _epochs(fields))


@dataclass(frozen=True)
class ProjectNew:
    """Adds a project: its first epoch and its sealed name."""

    TYPE: ClassVar = EntryType.PROJECT_NEW
    project: ProjectId
    first: Epoch
    label: bytes

    def to_json(self) -> dict[str, Json]:
        """Returns the entry's body."""
        return {
            "project": self.project.b64,
            "first": self.first.to_json(),
            "label": b64encode(self.label),
        }

    @classmethod
    def from_fields(cls, fields: Fields) -> ProjectNew:
        """Takes the members of the body."""
        return cls(
            fields.id("project", ProjectId),
            Epoch.from_json(fields.value("first")),
            fields.data("label", max_size=MAX_LABEL_BYTES),
        )


@dataclass(frozen=True)
class ProjectSet:
    """Renames a project, or archives, revives or deletes it."""

    TYPE: ClassVar = EntryType.PROJECT_SET
    project: ProjectId
    status: Status | None = None
    label: Label | None = None

    def to_json(self) -> dict[str, Json]:
        """Returns the entry's body."""
        result: dict[str, Json] = {"project": self.project.b64}
        if self.status is not None:
            result["status"] = str(self.status)
        if self.label is not None:
            result["label"] = self.label.to_json()
        return result

    @classmethod
    def from_fields(cls, fields: Fields) -> ProjectSet:
        """Takes the members of the body."""
        project = fields.id("project", ProjectId)
        status = _status(fields) if fields.has("status") else None
        label = Label.from_json(fields.value("label")) if fields.has("label") else None
        if status is None and label is None:
            raise VerificationError(Layer.PARSE, "a change of a project changes nothing")
        return cls(project, status, label)


@dataclass(frozen=True)
class OrgSet:
    """Renames an organization, or deletes it."""

    TYPE: ClassVar = EntryType.ORG_SET
    label: Label | None
    deleted: bool = False

    def to_json(self) -> dict[str, Json]:
        """Returns the entry's body."""
        return {"deleted": True} if self.label is None else {"label": self.label.to_json()}

    @classmethod
    def from_fields(cls, fields: Fields) -> OrgSet:
        """Takes the members of the body."""
        if fields.has("label"):
            return cls(Label.from_json(fields.value("label")))
        if not fields.boolean("deleted"):
            raise VerificationError(Layer.PARSE, "a change of an organization changes nothing")
        return cls(None, deleted=True)


@dataclass(frozen=True)
class NewEpochs:
    """Starts new epochs, of scopes that are due or at will."""

    TYPE: ClassVar = EntryType.EPOCH
    epochs: Mapping[Scope, Epoch]

    def to_json(self) -> dict[str, Json]:
        """Returns the entry's body."""
        return {"epochs": _epochs_json(self.epochs)}

    @classmethod
    def from_fields(cls, fields: Fields) -> NewEpochs:
        """Takes the members of the body."""
        epochs = _epochs(fields)
        if not epochs:
            raise VerificationError(Layer.PARSE, "an entry of epochs has none")
        return cls(epochs)


@dataclass(frozen=True)
class AccountRekey:
    """Replaces a member's keys; the entry is signed by the old one, ``proof`` by the new one."""

    TYPE: ClassVar = EntryType.ACCOUNT_REKEY
    identity: PublicIdentity
    wraps: Mapping[Scope, bytes]
    proof: bytes

    def to_json(self) -> dict[str, Json]:
        """Returns the entry's body."""
        return {
            "identity": self.identity.to_json(),
            "wraps": _wraps_json(self.wraps),
            "proof": b64encode(self.proof),
        }

    @classmethod
    def from_fields(cls, fields: Fields) -> AccountRekey:
        """Takes the members of the body."""
        return cls(
            PublicIdentity.from_json(fields.value("identity")),
            fields.id_map("wraps", Scope, WRAP_BYTES),
            fields.data("proof", 64),
        )


@dataclass(frozen=True)
class Plan:
    """Installs a license."""

    TYPE: ClassVar = EntryType.PLAN
    license: License

    def to_json(self) -> dict[str, Json]:
        """Returns the entry's body."""
        return {"license": self.license.to_json()}

    @classmethod
    def from_fields(cls, fields: Fields) -> Plan:
        """Takes the members of the body."""
        return cls(License.from_json(fields.value("license")))


BODIES: Mapping[EntryType, type[Body]] = {
    kind.TYPE: kind
    for kind in (
        Genesis,
        Invite,
        InviteCancel,
        Join,
        SetRole,
        Remove,
        ProjectNew,
        ProjectSet,
        OrgSet,
        NewEpochs,
        AccountRekey,
        Plan,
    )
}


def parse_body(kind: EntryType, value: Json) -> Body:
    """Parses the body of an entry of a kind; raises VerificationError."""
    fields = Fields(value, f"a body of {kind}")
    body = BODIES[kind].from_fields(fields)
    fields.end()
    return body


def join_message(
    org: OrgId, invite: InviteId, prev: Id, identity: PublicIdentity, login: str
) -> dict[str, Json]:
    """Returns what the invite's key signs in a join."""
    return {
        "org": org.b64,
        "invite": invite.b64,
        "prev": prev.b64,
        "identity": identity.to_json(),
        "login": login,
    }


def rekey_message(org: OrgId, prev: Id, identity: PublicIdentity) -> dict[str, Json]:
    """Returns what the new signing key signs in a rekey."""
    return {"org": org.b64, "prev": prev.b64, "identity": identity.to_json()}


def _wraps_json(
    wraps: Mapping[ProjectId, bytes] | Mapping[AccountId, bytes] | Mapping[InviteId, bytes],
) -> dict[str, Json]:
    return {key.b64: b64encode(wrap) for key, wrap in wraps.items()}


def _epochs_json(epochs: Mapping[Scope, Epoch]) -> dict[str, Json]:
    return {scope.b64: epoch.to_json() for scope, epoch in epochs.items()}


def _epochs(fields: Fields) -> dict[Scope, Epoch]:
    found = fields.mapping("epochs")
    return {Scope.from_b64(name): Epoch.from_json(value) for name, value in found.items()}


def _role(fields: Fields, name: str, allowed: tuple[Role, ...]) -> Role:
    text = fields.text(name, 16)
    if text not in allowed:
        raise VerificationError(Layer.PARSE, f"{text!r} is not a role here")
    return Role(text)


def _status(fields: Fields) -> Status:
    text = fields.text("status", 16)
    if text not in set(Status):
        raise VerificationError(Layer.PARSE, f"{text!r} is not a status of a project")
    return Status(text)


def _login(fields: Fields) -> str:
    text = fields.text("login", 128)
    try:
        usual = normalize_login(text)
    except InvalidValue as error:
        raise VerificationError(Layer.PARSE, error.message) from None
    if usual != text:
        raise VerificationError(Layer.PARSE, "a login name is not in its usual form")
    return text
