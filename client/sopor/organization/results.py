"""What the library answers about organizations: frozen values, names opened, times as moments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from sopor.moments import Moment
from sopor.records import dataclass
from sopor_core.ids import AccountId, InviteId, OrgId, ProjectId


@dataclass(frozen=True, slots=True)
class OrganizationInfo:
    """An organization of the account; ``role`` is the account's own."""

    id: OrgId
    name: str
    kind: str
    role: str
    members: int
    invites: int
    projects: int
    entries: int


@dataclass(frozen=True, slots=True)
class MemberInfo:
    """A member; ``projects`` has the roles that differ in some projects, by the project's name.

    ``verified`` says that safety numbers were compared on this device and the keys did not change.
    """

    account: AccountId
    login: str
    role: str
    projects: Mapping[str, str]
    you: bool
    verified: bool


@dataclass(frozen=True, slots=True)
class InviteInfo:
    """An open invite."""

    id: InviteId
    role: str
    inviter: str
    expires: Moment
    expired: bool


@dataclass(frozen=True, slots=True)
class NewInvite:
    """A new invite; ``code`` goes to the invited person by another way than the server."""

    id: InviteId
    organization: OrgId
    name: str
    role: str
    expires: Moment
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OrganizationDetail:
    """Everything about an organization; ``due`` names what waits for a new key."""

    organization: OrganizationInfo
    members: tuple[MemberInfo, ...]
    invites: tuple[InviteInfo, ...]
    projects: tuple[SharedProject, ...]
    due: tuple[str, ...]
    plan: PlanInfo | None


@dataclass(frozen=True, slots=True)
class SharedProject:
    """A project of an organization; ``role`` is the account's own in it."""

    id: ProjectId
    name: str
    status: str
    epoch: int
    role: str


@dataclass(frozen=True, slots=True)
class PlanInfo:
    """What the license allows; 0 means without limit. ``storage`` is in bytes."""

    plan: str
    seats: int
    projects: int
    storage: int
    expires: Moment | None


@dataclass(frozen=True, slots=True)
class SafetyNumber:
    """What two people compare; ``verified`` says that they did so on this device."""

    login: str
    account: AccountId
    number: str
    verified: bool


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One verified entry of a log, told in words; ``hash`` is what others can compare."""

    seq: int
    time: Moment
    actor: str
    type: str
    text: str
    hash: str


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change of an organization did, as far as ``seq`` of its log.

    ``epochs`` counts the keys that were made anew; ``text`` tells it in words.
    """

    organization: OrgId
    seq: int
    text: str
    epochs: int = 0
