"""The rare JSON answers of the server, typed; nothing about them is verified (SPEC section 10).

Parsing imports pydantic, which takes longer than a push; so nothing on the way of a push or a pull
is parsed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sopor.remote.sign_on import SignOnSettings
from sopor_core.account import AccountRecord, Credentials
from sopor_core.canonical import Json
from sopor_core.encoding import b64decode
from sopor_core.errors import InvalidValue, Layer, VerificationError
from sopor_core.ids import BranchId, CommitId, DeviceId, OrgId, ProjectId, ServerId
from sopor_core.push_entry import Citation
from sopor_core.sign_on import check_issuer_url

if TYPE_CHECKING:
    from pydantic import BaseModel

    from sopor_core.wire import models

    M = TypeVar("M", bound=BaseModel)
_MAX_SHOWN = 200


@dataclass(frozen=True, slots=True)
class ServerMeta:
    """What a server tells of itself; ``time`` is its clock in milliseconds since 1970."""

    server: ServerId
    version: str
    protocol_min: int
    protocol_max: int
    max_inline_bytes: int
    max_pack_bytes: int
    time: int
    sign_on: SignOnSettings | None = None


@dataclass(frozen=True, slots=True)
class RemoteAccount:
    """An account as the server keeps it; the record's own signature is verified."""

    record: AccountRecord
    credentials: Credentials
    organizations: tuple[OrgId, ...]


@dataclass(frozen=True, slots=True)
class RemoteDevice:
    """One login of the account; times are milliseconds since 1970."""

    id: DeviceId
    name: str
    created: int
    last_used: int
    current: bool

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON form."""
        return {
            "id": self.id.hex(),
            "name": self.name,
            "created": self.created,
            "last_used": self.last_used,
            "current": self.current,
        }


@dataclass(frozen=True, slots=True)
class RemoteProject:
    """A project as the server knows it; ``seq`` is the head of its log."""

    project: ProjectId
    organization: OrgId
    seq: int
    bytes: int
    updated: int


@dataclass(frozen=True, slots=True)
class RemoteOrganization:
    """An organization as the server knows it; ``head`` is where its log ends there."""

    organization: OrgId
    kind: str
    head: Citation
    deleted: bool


@dataclass(frozen=True, slots=True)
class RemoteBranch:
    """A branch as the server tells it; ``label`` is sealed under epoch ``epoch``."""

    branch: BranchId
    head: CommitId
    label: bytes
    epoch: int


@dataclass(frozen=True, slots=True)
class RemoteBranches:
    """The branches of a project at entry ``seq`` of its log."""

    seq: int
    branches: tuple[RemoteBranch, ...]


def parse_model(model: type[M], body: bytes) -> M:
    """Parses a JSON body; raises VerificationError (``wire``) for another shape."""
    from pydantic import ValidationError

    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        # The validator's own text would repeat the body, which may hold a token.
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "body"
        raise VerificationError(
            Layer.WIRE, f"the server's answer has a bad {where[:_MAX_SHOWN]!r}"
        ) from None


def printable(text: str) -> str:
    """Returns a text of the server fit for a terminal, which obeys control characters."""
    return "".join(c if c.isprintable() else "?" for c in text[:_MAX_SHOWN])


def parse_meta(body: bytes) -> ServerMeta:
    """Parses ``GET /v1/meta``; raises VerificationError."""
    from sopor_core.wire import models

    meta = parse_model(models.Meta, body)
    return ServerMeta(
        ServerId.from_b64(meta.server),
        printable(meta.version),
        meta.protocol_min,
        meta.protocol_max,
        meta.max_inline_bytes,
        meta.max_pack_bytes,
        meta.time,
        _sign_on(meta.sign_on) if meta.sign_on else None,
    )


def _sign_on(found: models.SignOn) -> SignOnSettings:
    scopes = tuple(found.scopes)
    words = (found.client_id, *scopes)
    if not all(word.isascii() and word.isprintable() and 0 < len(word) < 512 for word in words):
        raise VerificationError(Layer.WIRE, "the server names a bad client of its issuer")
    if not 0 <= found.port <= 65535 or "openid" not in scopes:
        raise VerificationError(Layer.WIRE, "the server names a bad way to sign on")
    try:
        issuer = check_issuer_url(found.issuer)
    except InvalidValue as error:
        raise VerificationError(Layer.WIRE, error.message) from None
    required = found.mode == "required"
    return SignOnSettings(
        issuer, found.client_id, found.client_secret or None, scopes, found.port, required
    )


def parse_account(body: bytes) -> RemoteAccount:
    """Parses ``GET /v1/account``; raises VerificationError."""
    from sopor_core.wire import models

    answer = parse_model(models.AccountAnswer, body)
    return RemoteAccount(
        AccountRecord.verified(answer.record),
        Credentials.parse(answer.credentials),
        tuple(map(OrgId.from_b64, answer.organizations)),
    )


def parse_devices(body: bytes) -> list[RemoteDevice]:
    """Parses ``GET /v1/devices``; raises VerificationError."""
    from sopor_core.wire import models

    return [
        RemoteDevice(
            DeviceId.from_b64(device.id),
            printable(device.name),
            device.created,
            device.last_used,
            device.current,
        )
        for device in parse_model(models.Devices, body).devices
    ]


def parse_projects(body: bytes) -> list[RemoteProject]:
    """Parses ``GET /v1/projects``; raises VerificationError."""
    from sopor_core.wire import models

    return [
        RemoteProject(
            ProjectId.from_b64(item.project),
            OrgId.from_b64(item.organization),
            item.seq,
            item.bytes,
            item.updated,
        )
        for item in parse_model(models.Projects, body).projects
    ]


def parse_organizations(body: bytes) -> list[RemoteOrganization]:
    """Parses ``GET /v1/organizations``; raises VerificationError."""
    from sopor_core.wire import models

    return [
        RemoteOrganization(
            OrgId.from_b64(item.organization),
            printable(item.kind),
            Citation.from_json(list(item.head)),
            item.deleted,
        )
        for item in parse_model(models.Organizations, body).organizations
    ]


def parse_heads(body: bytes) -> tuple[Citation, dict[ProjectId, Citation]]:
    """Parses ``GET /v1/organizations/{org}/heads``; raises VerificationError."""
    from sopor_core.wire import models

    answer = parse_model(models.Heads, body)
    projects = {
        ProjectId.from_b64(name): Citation.from_json(list(head))
        for name, head in answer.projects.items()
    }
    return Citation.from_json(list(answer.members)), projects


def parse_branches(body: bytes) -> RemoteBranches:
    """Parses ``GET /v1/projects/{project}/branches``; raises VerificationError."""
    from sopor_core.wire import models

    answer = parse_model(models.Branches, body)
    branches = tuple(
        RemoteBranch(
            BranchId.from_b64(item.branch),
            CommitId.from_b64(item.head),
            b64decode(item.label),
            item.epoch,
        )
        for item in answer.branches
    )
    return RemoteBranches(answer.seq, branches)
