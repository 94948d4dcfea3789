"""The rare JSON answers of the server, typed; nothing about them is verified (SPEC section 10).

Members that this version does not know are ignored. `sopor_core.wire.models` says the same of these
answers, but importing pydantic takes longer than a whole command.
"""

from __future__ import annotations

from collections.abc import Iterator

from sopor.records import dataclass
from sopor.remote.sign_on import SignOnSettings
from sopor_core import canonical
from sopor_core.account import AccountRecord, Credentials
from sopor_core.canonical import Json
from sopor_core.errors import InvalidValue, Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.ids import BranchId, CommitId, DeviceId, OrgId, ProjectId, ServerId
from sopor_core.push_entry import Citation
from sopor_core.sign_on import check_issuer_url

_WHAT = "the server's answer"
_MAX_SHOWN = 200
_MAX_LABEL_BYTES = 64 * 1024


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


def fields_of(body: bytes) -> Fields:
    """Parses a JSON object; raises VerificationError (``wire``) for another shape."""
    try:
        return Fields(canonical.parse_json(body), _WHAT, Layer.WIRE)
    except VerificationError as error:
        # The parser's own text may repeat the body, which may hold a token.
        raise VerificationError(Layer.WIRE, f"{_WHAT} has a bad 'body'") from error


def _objects(fields: Fields, name: str) -> Iterator[Fields]:
    for item in fields.items(name):
        yield Fields(item, f"{_WHAT} in {name!r}", Layer.WIRE)


def printable(text: str) -> str:
    """Returns a text of the server fit for a terminal, which obeys control characters."""
    return "".join(c if c.isprintable() else "?" for c in text[:_MAX_SHOWN])


def parse_meta(body: bytes) -> ServerMeta:
    """Parses ``GET /v1/meta``; raises VerificationError."""
    meta = fields_of(body)
    return ServerMeta(
        meta.id("server", ServerId),
        printable(meta.text("version")),
        meta.integer("protocol_min"),
        meta.integer("protocol_max"),
        meta.integer("max_inline_bytes"),
        meta.integer("max_pack_bytes"),
        meta.integer("time"),
        _sign_on(meta),
    )


def _sign_on(meta: Fields) -> SignOnSettings | None:
    value = meta.value("sign_on") if meta.has("sign_on") else None
    if value is None:
        return None
    found = Fields(value, f"{_WHAT} in 'sign_on'", Layer.WIRE)
    client, scopes = (
        _word(found.value("client_id")),
        [_word(word) for word in found.items("scopes")],
    )
    secret = found.value("client_secret") if found.has("client_secret") else None
    port = found.integer("port")
    if port > 65535 or "openid" not in scopes:
        raise VerificationError(Layer.WIRE, "the server names a bad way to sign on")
    try:
        issuer = check_issuer_url(found.text("issuer"))
    except InvalidValue as error:
        raise VerificationError(Layer.WIRE, error.message) from None
    known = _word(secret) if secret else None
    required = found.text("mode") == "required"
    return SignOnSettings(issuer, client, known, tuple(scopes), port, required)


def _word(value: Json) -> str:
    """Returns a printable word that goes into an address; raises VerificationError."""
    if isinstance(value, str) and value.isascii() and value.isprintable() and 0 < len(value) < 512:
        return value
    raise VerificationError(Layer.WIRE, "the server names a bad client of its issuer")


def account_of(answer: Fields) -> RemoteAccount:
    """Takes an account out of an answer; raises VerificationError."""
    return RemoteAccount(
        AccountRecord.verified(answer.mapping("record")),
        Credentials.parse(answer.mapping("credentials")),
        answer.ids("organizations", OrgId),
    )


def parse_account(body: bytes) -> RemoteAccount:
    """Parses ``GET /v1/account``; raises VerificationError."""
    return account_of(fields_of(body))


def parse_devices(body: bytes) -> list[RemoteDevice]:
    """Parses ``GET /v1/devices``; raises VerificationError."""
    return [
        RemoteDevice(
            device.id("id", DeviceId),
            printable(device.text("name")),
            device.integer("created"),
            device.integer("last_used"),
            device.boolean("current"),
        )
        for device in _objects(fields_of(body), "devices")
    ]


def parse_projects(body: bytes) -> list[RemoteProject]:
    """Parses ``GET /v1/projects``; raises VerificationError."""
    return [
        RemoteProject(
            item.id("project", ProjectId),
            item.id("organization", OrgId),
            item.integer("seq"),
            item.integer("bytes"),
            item.integer("updated"),
        )
        for item in _objects(fields_of(body), "projects")
    ]


def parse_organizations(body: bytes) -> list[RemoteOrganization]:
    """Parses ``GET /v1/organizations``; raises VerificationError."""
    return [
        RemoteOrganization(
            item.id("organization", OrgId),
            printable(item.text("kind")),
            Citation.from_json(item.value("head")),
            item.boolean("deleted"),
        )
        for item in _objects(fields_of(body), "organizations")
    ]


def parse_heads(body: bytes) -> tuple[Citation, dict[ProjectId, Citation]]:
    """Parses ``GET /v1/organizations/{org}/heads``; raises VerificationError."""
    answer = fields_of(body)
    projects = {
        ProjectId.from_b64(name): Citation.from_json(head)
        for name, head in answer.mapping("projects").items()
    }
    return Citation.from_json(answer.value("members")), projects


def parse_branches(body: bytes) -> RemoteBranches:
    """Parses ``GET /v1/projects/{project}/branches``; raises VerificationError."""
    answer = fields_of(body)
    branches = tuple(
        RemoteBranch(
            item.id("branch", BranchId),
            item.id("head", CommitId),
            item.data("label", max_size=_MAX_LABEL_BYTES),
            item.integer("epoch"),
        )
        for item in _objects(answer, "branches")
    )
    return RemoteBranches(answer.integer("seq"), branches)
