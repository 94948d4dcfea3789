"""The JSON bodies of requests and answers as pydantic models (SPEC section 10).

Requests refuse unknown members; answers ignore them, so that an older client can talk to a newer
server. Signed records travel as plain objects and are parsed by `sopor_core.account`. Ids and
bytes are base64url text here and become typed at the border of each side.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from sopor_core.limits import MAX_PACK_BYTES


class RequestModel(BaseModel):
    """A body that a client sends: unknown members are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AnswerModel(BaseModel):
    """A body that the server sends: unknown members are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


SignedObject = dict[str, Any]


IdToken = Annotated[str, Field(max_length=16 * 1024)]
"""An ID token of the issuer that the server names (SPEC section 9.1), as it came."""


class NewDevice(RequestModel):
    """The device that a session belongs to; the client chooses its id."""

    id: str = Field(max_length=22)
    name: str = Field(min_length=1, max_length=100)


class AccountCreate(RequestModel):
    """``POST /v1/accounts``; ``genesis`` is the base64url of the personal membership genesis.

    ``challenge`` is the one that the nonce of the ID token is made of.
    """

    record: SignedObject
    credentials: SignedObject
    genesis: str = Field(max_length=4096)
    device: NewDevice
    id_token: IdToken | None = None
    challenge: str | None = Field(default=None, max_length=43)


class ChallengeRequest(RequestModel):
    """``POST /v1/login/challenge``."""

    login: str = Field(min_length=1, max_length=128)
    action: str = Field(max_length=32)


class Kdf(AnswerModel):
    """The costs of password hashing; the client checks them against its own floor."""

    alg: str
    m: int
    t: int
    p: int


class Challenge(AnswerModel):
    """The answer to a challenge request; for unknown logins a stable made-up one."""

    account: str
    kdf: Kdf
    challenge: str
    server: str


class LoginRequest(RequestModel):
    """``POST /v1/login``; ``proof`` is a signed challenge proof for ``login`` or ``recover``."""

    proof: SignedObject
    device: NewDevice
    id_token: IdToken | None = None


class Session(AnswerModel):
    """The answer to a new account or a login."""

    record: SignedObject
    credentials: SignedObject
    organizations: list[str]
    device: str
    access_token: str
    expires_in: int
    refresh_token: str


class RefreshRequest(RequestModel):
    """``POST /v1/login/refresh``."""

    device: str = Field(max_length=22)
    refresh_token: str = Field(max_length=64)
    id_token: IdToken | None = None


class AccessToken(AnswerModel):
    """A new access token and its lifetime in seconds."""

    access_token: str
    expires_in: int


class AccountAnswer(AnswerModel):
    """``GET /v1/account``."""

    record: SignedObject
    credentials: SignedObject
    organizations: list[str]


class CredentialsChange(RequestModel):
    """``PUT /v1/account/credentials``; the proof answers a ``credentials`` challenge."""

    credentials: SignedObject
    proof: SignedObject


class KeysChange(RequestModel):
    """``PUT /v1/account/keys``; ``approval`` is the base64url signature by the key so far."""

    record: SignedObject
    approval: str = Field(max_length=86)
    credentials: SignedObject
    proof: SignedObject


class Device(AnswerModel):
    """One login of the account."""

    id: str
    name: str
    created: int
    last_used: int
    current: bool


class Devices(AnswerModel):
    """``GET /v1/devices``."""

    devices: list[Device]


class ProjectSummary(AnswerModel):
    """A project as the server knows it: no name; ``status`` is ``active`` or ``archived``."""

    project: str
    organization: str
    head: tuple[int, str]
    seq: int
    bytes: int
    updated: int
    status: str


class Projects(AnswerModel):
    """``GET /v1/projects``."""

    projects: list[ProjectSummary]


class OrganizationSummary(AnswerModel):
    """An organization as the server knows it: no name."""

    organization: str
    kind: str
    head: tuple[int, str]
    deleted: bool


class Organizations(AnswerModel):
    """``GET /v1/organizations``."""

    organizations: list[OrganizationSummary]


class Heads(AnswerModel):
    """``GET /v1/organizations/{org}/heads``: of its log, and of the push logs of its projects."""

    members: tuple[int, str]
    projects: dict[str, tuple[int, str]]


class BranchSummary(AnswerModel):
    """A branch as the server knows it; ``label`` is sealed under epoch ``epoch``."""

    branch: str
    head: str
    label: str
    epoch: int


class Branches(AnswerModel):
    """``GET /v1/projects/{project}/branches``."""

    seq: int
    branches: list[BranchSummary]


class PackOffer(RequestModel):
    """``POST /v1/projects/{project}/packs/{pack}``."""

    size: int = Field(ge=1, le=MAX_PACK_BYTES)


class PackAddress(AnswerModel):
    """Where a pack may be put without the server in between; ``expires`` is in milliseconds."""

    url: str = Field(repr=False)
    method: str
    headers: dict[str, str] = Field(repr=False)
    expires: int


class PullControl(AnswerModel):
    """The control part of a pull answer, and of a 409 to a push together with ``problem``."""

    head: tuple[int, str]
    members: tuple[int, str]
    more: bool
    problem: dict[str, Any] | None = None


class NewsEvent(AnswerModel):
    """What a project brings: ``parts`` are the base64url of what a pull would answer.

    ``seq`` and ``members`` are the newest push and membership entry in them.
    """

    event: str = "news"
    project: str
    seq: int
    members: int
    parts: str


class Events(AnswerModel):
    """The answer to a poll of ``GET /v1/events``; ``wait`` is in seconds."""

    cursor: str
    events: list[NewsEvent]
    more: bool
    wait: int


class PresenceNote(AnswerModel):
    """Somebody who is present; ``sealed`` is base64url, ``expires`` in milliseconds."""

    account: str
    device: str
    sealed: str
    expires: int


class Presences(AnswerModel):
    """``GET /v1/projects/{project}/presence``."""

    presence: list[PresenceNote]


class EventsOffer(AnswerModel):
    """How the server tells events; streams are at ``url``, else at ``port`` of its host.

    ``quiet`` seconds of silence end a stream, 0 never.
    """

    modes: list[str]
    url: str | None = None
    port: int | None = None
    quiet: int = 0


class SignOn(AnswerModel):
    """Where and how to sign on; ``client_secret`` is known to everybody, ``port`` 0 means any."""

    mode: str
    issuer: str
    client_id: str
    client_secret: str | None = None
    scopes: list[str]
    port: int = 0


class Meta(AnswerModel):
    """``GET /v1/meta``; ``sign_on`` is absent or null where there is no single sign-on.

    ``events`` is absent where a server of an earlier version knows none.
    """

    server: str
    version: str
    protocol_min: int
    protocol_max: int
    max_inline_bytes: int
    max_pack_bytes: int
    time: int
    sign_on: SignOn | None = None
    events: EventsOffer | None = None


class Health(AnswerModel):
    """``GET /v1/health``."""

    status: str


class Problem(AnswerModel):
    """An RFC 9457 problem document."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    hint: str | None = None
    request_id: str | None = None
    heads: dict[str, tuple[int, str]] | None = None
