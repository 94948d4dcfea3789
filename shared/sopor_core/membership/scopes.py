"""Bodies about an organization and its projects: names, status, keys, the plan (SPEC 8.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.errors import Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.identity import PublicIdentity
from sopor_core.ids import ProjectId
from sopor_core.license import License
from sopor_core.membership.parts import (
    EntryType,
    Epoch,
    Label,
    Status,
    epochs_json,
    read_epochs,
    read_login,
    read_status,
)
from sopor_core.membership.roles import Scope
from sopor_core.push_entry import MAX_LABEL_BYTES


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
            read_login(fields),
            Epoch.from_json(fields.value("home")),
            fields.data("label", max_size=MAX_LABEL_BYTES),
        )
        if kind == "personal":
            body.owner.check_founding_id()
        return body


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
        status = read_status(fields) if fields.has("status") else None
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
        return {"epochs": epochs_json(self.epochs)}

    @classmethod
    def from_fields(cls, fields: Fields) -> NewEpochs:
        """Takes the members of the body."""
        epochs = read_epochs(fields)
        if not epochs:
            raise VerificationError(Layer.PARSE, "an entry of epochs has none")
        return cls(epochs)


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
