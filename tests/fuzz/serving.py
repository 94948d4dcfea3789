"""A target for everything that a client may send: whole requests, to a server in this process.

What the server answers has to be what `functions/openapi.json` says, and is never a failure. Input
is lines: what fills the path, the query and perhaps a header, the access token; then the body. An
equals sign stands for the genuine value, which no fuzzer finds.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from time import time_ns
from urllib.parse import quote

from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from sopor_core.account import Action, ChallengeProof
from sopor_core.encoding import b64decode, b64encode
from sopor_core.ids import AccountId, DeviceId, OrgId, PackId, ProjectId, ServerId
from sopor_core.membership import MembershipEntry, ProjectNew
from sopor_core.wire.parts import Part, PartKind, join_parts
from sopor_core.wire.routes import ROUTE, ROUTES, Operation
from sopor_server.app.endpoints import ENDPOINTS
from sopor_server.auth import Caller, issue_access_token
from sopor_server.bootstrap import build
from sopor_server.config import Config
from tests.fuzz.target import Target, text_of
from tests.support.documented import check_answer
from tests.support.story import TIME, Keys, Project, first_epoch, new_device, registration

_PLENTY = 1_000_000_000
_GENUINE = "="
_LINES = 3
_HEADERS = {
    "r": "Range",
    "n": "If-None-Match",
    "l": "Last-Event-ID",
    "p": "Sopor-Protocol",
    "c": "Content-Type",
    "e": "Content-Encoding",
}
_PACK = b"SOPK" + bytes(60)


class Served:
    """A server with one account, a project of it, and one push with a pack."""

    def __init__(self, data: Path) -> None:
        config = Config(data=data, login_rate=_PLENTY, request_rate=_PLENTY, log="off")
        self.application = build(config)
        self.keys = Keys("ada@example.com")
        self.registration = registration(self.keys)
        answer = self.send(Operation.ACCOUNT_CREATE, body=json.dumps(self.registration).encode())
        session = json.loads(answer.get_data())
        self.refresh_token: str = session["refresh_token"]
        self.caller = Caller(self.keys.account, DeviceId.from_b64(session["device"]))
        genesis = MembershipEntry.parse(b64decode(self.registration["genesis"]))
        label, epoch = secrets.token_bytes(92), first_epoch(self.keys.account)
        body = ProjectNew(project=ProjectId.random(), first=epoch, label=label)
        self.added = MembershipEntry(
            OrgId(genesis.hash), 2, genesis.hash, self.keys.account, TIME, body
        ).sign(self.keys.signing)
        self.project = Project(body.project, OrgId(genesis.hash), self.added.citation)
        self.push = self.project.entry(self.keys, self.project.commit(), packs=[_PACK])
        self.names = {
            "org": self.project.org.b64,
            "project": body.project.b64,
            "pack": PackId(sha256(_PACK).digest()).b64,
            "device": DeviceId.random().b64,
        }
        for operation, parts in (
            (Operation.ORG_APPEND, [Part(PartKind.MEMBERSHIP_ENTRY, self.added.encoded)]),
            (Operation.PUSH, self.pushed()),
        ):
            answer = self.send(operation, token=self.token(), body=join_parts(parts))
            assert answer.status_code == 201, answer.get_data()

    def pushed(self) -> list[Part]:
        """Returns the parts of the push."""
        return [Part(PartKind.PUSH_ENTRY, self.push.encoded), Part(PartKind.PACK, _PACK)]

    def token(self) -> str:
        """Returns a new access token."""
        server, now = self.application.context.server, time_ns() // 1_000_000
        return issue_access_token(server, self.caller, now)

    def send(
        self,
        operation: Operation,
        name: str = _GENUINE,
        query: str = "",
        headers: dict[str, str] | None = None,
        token: str = "",
        body: bytes = b"",
    ) -> Response:
        """Sends a request to a route; ``name`` fills the last place of its path."""
        route, given = ROUTE[operation], dict(headers or {})
        if media_type := ENDPOINTS[operation].media_type:
            given.setdefault("Content-Type", media_type)
        if token:
            given["Authorization"] = f"Bearer {token}"
        names = self._filled(route.path, name) if "{" in route.path else {}
        builder = EnvironBuilder(
            path=route.url(**names),
            method=route.method,
            query_string=query,
            headers=Headers(given),
            data=body,
        )
        return self.application(Request(builder.get_environ()))

    def _filled(self, path: str, name: str) -> dict[str, str]:
        last = path.rpartition("{")[2].partition("}")[0]
        return self.names | (
            {} if name == _GENUINE else {last: quote(name.replace("/", "") or "x")}
        )

    def proof(self, action: Action) -> dict[str, object]:
        """Returns the answer to a new challenge, as a genuine client sends it."""
        asked = json.dumps({"login": self.keys.login, "action": str(action)}).encode()
        told = json.loads(self.send(Operation.LOGIN_CHALLENGE, body=asked).get_data())
        proof = ChallengeProof(
            AccountId.from_b64(told["account"]),
            action,
            b64decode(told["challenge"]),
            ServerId.from_b64(told["server"]),
        )
        return dict(proof.sign(self.keys.login_key).to_json())


@cache
def served() -> Served:
    """Starts the one server of this process."""
    return Served(Path(mkdtemp(prefix="sopor-fuzz-")))


def answer_request(data: bytes) -> bool:
    """Sends the request that the input is, and holds the answer to what is documented."""
    if not data:
        return False
    server, operation = served(), ROUTES[data[0] % len(ROUTES)].operation
    lines = data[1:].split(b"\n", _LINES)
    name, query, token, content = [*lines, b"", b"", b"", b""][: _LINES + 1]
    asked, _, header = text_of(query).partition("#")
    headers = {}
    if header[:1] in _HEADERS:
        value = header[1:].encode("latin-1", "replace").decode("latin-1")
        headers[_HEADERS[header[0]]] = "".join(c for c in value if c not in "\r\n")
    shown = "".join(c for c in token.decode("latin-1") if c not in "\r\n")
    response = server.send(
        operation,
        text_of(name),
        asked,
        headers,
        server.token() if shown == _GENUINE else shown,
        content,
    )
    body = response.get_data()
    return check_answer(operation, response.status_code, response.mimetype or "", body) is None


def _bodies(server: Served) -> dict[Operation, bytes]:
    """Returns a body for each route that takes one."""
    credentials = server.keys.credentials(2).to_json()
    login = {"proof": server.proof(Action.LOGIN), "device": new_device()}
    change = {"credentials": credentials, "proof": server.proof(Action.CREDENTIALS)}
    keys = {**change, "record": server.keys.record().to_json(), "approval": b64encode(bytes(64))}
    refresh = {"device": server.caller.device.b64, "refresh_token": server.refresh_token}
    texts: dict[Operation, object] = {
        Operation.ACCOUNT_CREATE: server.registration,
        Operation.LOGIN_CHALLENGE: {"login": server.keys.login, "action": "login"},
        Operation.LOGIN: login,
        Operation.LOGIN_REFRESH: refresh,
        Operation.CREDENTIALS_CHANGE: change,
        Operation.KEYS_CHANGE: keys,
        Operation.PACK_ADDRESS: {"size": len(_PACK)},
    }
    pushed = join_parts(server.pushed())
    genesis = Part(PartKind.MEMBERSHIP_ENTRY, server.keys.genesis("team").encoded)
    added = Part(PartKind.MEMBERSHIP_ENTRY, server.added.encoded)
    return {operation: json.dumps(text).encode() for operation, text in texts.items()} | {
        Operation.ORG_CREATE: join_parts([genesis]),
        Operation.ORG_APPEND: join_parts([added]),
        Operation.PUSH: pushed,
        Operation.BRANCHES_CHANGE: pushed,
        Operation.REVERT: pushed,
        Operation.PACK_PUT: _PACK,
        Operation.PRESENCE_PUT: bytes(544),
    }


_QUERIES = {
    Operation.ORG_ENTRIES: ("after=1", "invite=AAAA"),
    Operation.ORG_APPEND: ("invite=AAAA",),
    Operation.PULL: ("after=0&hash=" + "A" * 43 + "&members=0", "after=1&members=2"),
    Operation.PACK_GET: ("#rbytes=0-9", "#rbytes=5-"),
    Operation.EVENTS: ("presence=1", '#nW/"x"', "#lx.1.2"),
    Operation.META: ("#p9",),
}


def requests() -> Iterator[bytes]:
    """Yields a genuine request to each route, some with a query or a header."""
    server = served()
    bodies = _bodies(server)
    for number, route in enumerate(ROUTES):
        body = bodies.get(route.operation, b"")
        for query in ("", *_QUERIES.get(route.operation, ())):
            yield bytes([number]) + f"=\n{query}\n=\n".encode() + body


def serving() -> dict[str, Target]:
    """Returns the target by name."""
    return {"requests": Target(answer_request, list(requests()))}
