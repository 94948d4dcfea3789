"""What the server keeps of a membership log beside its head, and its bytes.

It is all that judging a push takes, so that a push reads one document whatever the log's length.
It follows from the log: whoever doubts it replays that. Stores keep the bytes as they are.

The bytes are JSON. Projects are named by their place in ``projects`` where members name them, so
that two hundred members with roles of their own in two hundred projects fit a document of 1 MiB.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sopor_core.encoding import b64decode, b64encode
from sopor_core.ids import AccountId, InviteId, ProjectId
from sopor_core.license import License
from sopor_core.membership import Cut, MembershipLog, Role, Seat, Status
from sopor_core.push_entry import Citation
from sopor_core.signing import VerifyKey
from sopor_core.wire.problems import Code
from sopor_server.errors import Refused
from sopor_server.ports.records import Organization

MAX_STATE_BYTES = 900_000
_VERSION = 1
_ROLES = {Role.OWNER: "o", Role.ADMIN: "a", Role.EDITOR: "e", Role.VIEWER: "v", Role.NONE: "n"}
_STATUSES = {Status.ACTIVE: "a", Status.ARCHIVED: "r"}
_ROLE = {letter: role for role, letter in _ROLES.items()}
_STATUS = {letter: status for status, letter in _STATUSES.items()}


@dataclass(frozen=True, slots=True)
class Member:
    """A present member: its roles, and the key that verifies its entries."""

    seat: Seat
    signing: VerifyKey


@dataclass(frozen=True, slots=True)
class ProjectState:
    """A project that is not deleted: its epoch, and the newest cut of its push log."""

    epoch: int
    due: bool
    status: Status
    cut: Cut | None


@dataclass(frozen=True, slots=True)
class State:
    """An organization after its newest entry; ``invites`` has when each open one expires.

    A project of the organization that is not in ``projects`` is deleted.
    """

    kind: str
    deleted: bool
    members: Mapping[AccountId, Member]
    invites: Mapping[InviteId, int]
    projects: Mapping[ProjectId, ProjectState]
    license: License | None

    @property
    def seats(self) -> int:
        """How many seats are taken: by members, and by open invites."""
        return len(self.members) + len(self.invites)

    @property
    def kept(self) -> frozenset[ProjectId]:
        """The projects whose packs must be kept: all, or none of a deleted organization."""
        return frozenset() if self.deleted else frozenset(self.projects)

    def role(self, account: AccountId, project: ProjectId) -> Role | None:
        """Returns the role in a project, None for who has no access to it."""
        member = self.members.get(account)
        role = member.seat.role_in(project) if member else Role.NONE
        return None if role is Role.NONE else role


def organization_of(log: MembershipLog) -> Organization:
    """Returns what is stored after the newest entry of a verified log.

    Raises:
        Refused: ``quota-exceeded``: no store could keep it in one piece.
    """
    state = state_of(log)
    data = encode(state)
    if len(data) > MAX_STATE_BYTES:
        raise Refused(
            Code.QUOTA_EXCEEDED,
            f"the organization would take {len(data)} bytes of the {MAX_STATE_BYTES} that the"
            " server keeps for its members, invites and projects",
            hint="cancel invites, or give members fewer roles of their own in projects",
        )
    return Organization(log.org, log.head, frozenset(state.members), state.kept, data)


def state_of(log: MembershipLog) -> State:
    """Returns the state after the newest entry of a verified log."""
    access = log.access
    members = {
        account: Member(seat, log.identity(account).signing)
        for account, seat in access.members.items()
    }
    invites = {invite: given.expires for invite, given in access.invites.items()}
    projects = {project: _project(log, project) for project in log.projects()}
    return State(log.kind, log.deleted, members, invites, projects, log.license)


def _project(log: MembershipLog, project: ProjectId) -> ProjectState:
    keys, cuts = log.keys(project), log.cuts(project)
    return ProjectState(keys.epoch, keys.due, keys.status, cuts[-1] if cuts else None)


def encode(state: State) -> bytes:
    """Returns the bytes that a store keeps."""
    places = {project: place for place, project in enumerate(state.projects)}
    content = {
        "v": _VERSION,
        "kind": state.kind,
        "deleted": state.deleted,
        "members": {
            account.b64: [
                b64encode(member.signing),
                _ROLES[member.seat.role],
                {
                    str(places[project]): _ROLES[role]
                    for project, role in member.seat.projects.items()
                },
            ]
            for account, member in state.members.items()
        },
        "invites": {invite.b64: expires for invite, expires in state.invites.items()},
        "projects": [
            [
                project.b64,
                found.epoch,
                found.due,
                _STATUSES[found.status],
                [found.cut.members, found.cut.push.to_json()] if found.cut else None,
            ]
            for project, found in state.projects.items()
        ],
        "license": state.license.to_json() if state.license else None,
    }
    return json.dumps(content, separators=(",", ":")).encode("ascii")


@lru_cache(maxsize=64)
def decode(data: bytes) -> State:
    """Undoes `encode`; what it returns never changes, and is shared by all who ask."""
    content = json.loads(data)
    if content["v"] != _VERSION:
        raise RuntimeError("the state of an organization was written by another version")
    ids = [ProjectId.from_b64(project) for project, *_ in content["projects"]]
    license_ = content["license"]
    return State(
        content["kind"],
        content["deleted"],
        {
            AccountId.from_b64(account): _decode_member(member, ids)
            for account, member in content["members"].items()
        },
        {InviteId.from_b64(invite): expires for invite, expires in content["invites"].items()},
        {
            project: _decode_project(fields)
            for project, (_, *fields) in zip(ids, content["projects"], strict=True)
        },
        None if license_ is None else License.from_json(license_),
    )


def of(org: Organization) -> State:
    """Returns the state that a stored organization carries."""
    return decode(org.state)


def _decode_member(member: list[Any], ids: list[ProjectId]) -> Member:
    key, role, projects = member
    other = {ids[int(place)]: _ROLE[letter] for place, letter in projects.items()}
    return Member(Seat(_ROLE[role], other), VerifyKey(b64decode(key)))


def _decode_project(fields: list[Any]) -> ProjectState:
    epoch, due, status, cut = fields
    if cut is not None:
        cut = Cut(cut[0], Citation.from_json(cut[1]))
    return ProjectState(epoch, due, _STATUS[status], cut)
