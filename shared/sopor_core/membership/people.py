"""Bodies about people: who is invited, joins, gets a role, leaves, changes keys (SPEC 8.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.fields import Fields
from sopor_core.identity import PublicIdentity, check_encryption_key
from sopor_core.ids import AccountId, Id, InviteId, OrgId, ProjectId
from sopor_core.membership.parts import (
    WRAP_BYTES,
    EntryType,
    Epoch,
    epochs_json,
    read_epochs,
    read_login,
    read_role,
    wraps_json,
)
from sopor_core.membership.roles import ORGANIZATION_ROLES, PROJECT_ROLES, Role, Scope
from sopor_core.signing import VerifyKey


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
            "wraps": wraps_json(self.wraps),
        }

    @classmethod
    def from_fields(cls, fields: Fields) -> Invite:
        """Takes the members of the body."""
        projects = Fields(fields.mapping("projects"), "the projects of an invite")
        return cls(
            invite=fields.id("invite", InviteId),
            key=VerifyKey(fields.data("key", 32)),
            encryption=check_encryption_key(fields.data("encryption", 32)),
            role=read_role(fields, "role", ORGANIZATION_ROLES),
            projects={
                ProjectId.from_b64(name): read_role(projects, name, PROJECT_ROLES)
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
        return {"invite": self.invite.b64, "epochs": epochs_json(self.epochs)}

    @classmethod
    def from_fields(cls, fields: Fields) -> InviteCancel:
        """Takes the members of the body."""
        return cls(fields.id("invite", InviteId), read_epochs(fields))


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
            "wraps": wraps_json(self.wraps),
            "proof": b64encode(self.proof),
        }

    @classmethod
    def from_fields(cls, fields: Fields) -> Join:
        """Takes the members of the body."""
        return cls(
            fields.id("invite", InviteId),
            PublicIdentity.from_json(fields.value("identity")),
            read_login(fields),
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
            "wraps": wraps_json(self.wraps),
            "epochs": epochs_json(self.epochs),
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
            read_role(fields, "role", PROJECT_ROLES if project else ORGANIZATION_ROLES),
            project,
            fields.id_map("wraps", Scope, WRAP_BYTES),
            read_epochs(fields),
        )


@dataclass(frozen=True)
class Remove:
    """Ends a membership, with new epochs of everything that the member had access to."""

    TYPE: ClassVar = EntryType.REMOVE
    account: AccountId
    epochs: Mapping[Scope, Epoch]

    def to_json(self) -> dict[str, Json]:
        """Returns the entry's body."""
        return {"account": self.account.b64, "epochs": epochs_json(self.epochs)}

    @classmethod
    def from_fields(cls, fields: Fields) -> Remove:
        """Takes the members of the body."""
        return cls(fields.id("account", AccountId), read_epochs(fields))


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
            "wraps": wraps_json(self.wraps),
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
