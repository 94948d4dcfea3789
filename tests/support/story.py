"""People and projects for stories against a server, made of `sopor_core` and raw keys alone.

    alice = Person.register(server.url)
    project = alice.new_project()
    alice.push(project, project.commit())
    assert alice.pull(project, EMPTY_LOG).parts ...

Nothing here encrypts: packs are random bytes, which is all that a server sees of them.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sopor.remote.answers import MAX_ANSWER_BYTES
from sopor_core.account import (
    AccountRecord,
    Action,
    ChallengeProof,
    Credentials,
    KdfParameters,
)
from sopor_core.encoding import b64decode, b64encode
from sopor_core.identity import PublicIdentity
from sopor_core.ids import (
    AccountId,
    BranchId,
    CommitId,
    DeviceId,
    OpId,
    OrgId,
    PackId,
    ProjectId,
    ServerId,
    StateRoot,
)
from sopor_core.membership import Epoch, Genesis, MembershipEntry, ProjectNew
from sopor_core.push_entry import BranchOp, Citation, ListedCommit, ListedPack, PushEntry
from sopor_core.push_log import EMPTY_LOG
from sopor_core.signing import VerifyKey
from sopor_core.wire.deflated import split_answer
from sopor_core.wire.parts import MEDIA_TYPE, Part, PartKind, join_parts
from sopor_core.wire.routes import ROUTE, Operation

TIME = 1_700_000_000_000
DAY = 24 * 60 * 60 * 1000


class Key:
    """An Ed25519 key that signs."""

    def __init__(self, seed: bytes | None = None) -> None:
        self.seed = seed or secrets.token_bytes(32)
        self._private = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = VerifyKey(self._private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)

    def __reduce__(self) -> tuple[type[Key], tuple[bytes]]:
        return Key, (self.seed,)


@dataclass(eq=False)
class Keys:
    """All keys of an account; what they would wrap is random here."""

    login: str
    signing: Key = field(default_factory=Key)
    encryption: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    login_key: Key = field(default_factory=Key)
    recovery_key: Key = field(default_factory=Key)
    account_id: AccountId | None = None
    """The id of an account that had other keys first."""

    @property
    def identity(self) -> PublicIdentity:
        founding = PublicIdentity.founding(self.signing.public, self.encryption)
        return replace(founding, account=self.account_id) if self.account_id else founding

    @property
    def account(self) -> AccountId:
        return self.identity.account

    def record(self) -> AccountRecord:
        return AccountRecord(self.identity, self.login, TIME).sign(self.signing)

    def credentials(self, n: int = 1) -> Credentials:
        return Credentials(
            account=self.account,
            n=n,
            kdf=KdfParameters(),
            login_key=self.login_key.public,
            secret=secrets.token_bytes(60),
            recovery_key=self.recovery_key.public,
            recovery_secret=secrets.token_bytes(60),
        ).sign(self.signing)

    def genesis(self, kind: str = "personal") -> MembershipEntry:
        label = secrets.token_bytes(92)
        nonce = secrets.token_bytes(16)
        body = Genesis(kind, nonce, self.identity, self.login, first_epoch(self.account), label)
        return MembershipEntry(None, 1, EMPTY_LOG.hash, self.account, TIME, body).sign(self.signing)


def first_epoch(*accounts: AccountId) -> Epoch:
    """Makes the first epoch of a scope for some accounts."""
    wraps = {account: secrets.token_bytes(80) for account in accounts}
    return Epoch(1, secrets.token_bytes(32), wraps, {})


@dataclass
class Project:
    """A project as one device knows it."""

    id: ProjectId
    org: OrgId
    members: Citation
    head: Citation = EMPTY_LOG
    branches: dict[BranchId, ListedCommit] = field(default_factory=dict)
    main: BranchId = field(default_factory=BranchId.random)

    def commit(self, *parents: CommitId, root: StateRoot | None = None) -> ListedCommit:
        """Makes a commit on top of the main branch, or of the given parents."""
        if not parents and self.main in self.branches:
            parents = (self.branches[self.main].id,)
        return ListedCommit(CommitId.random(), parents, root or StateRoot.random())

    def entry(
        self,
        keys: Keys,
        *commits: ListedCommit,
        packs: Iterable[bytes] = (),
        branch: BranchId | None = None,
        **changes: Any,
    ) -> PushEntry:
        """Makes the signed entry that moves a branch to the last commit.

        ``changes`` replace fields before it is signed.
        """
        branch = branch or self.main
        old = self.branches.get(branch)
        entry = PushEntry(
            project=self.id,
            seq=self.head.seq + 1,
            prev=self.head.hash,
            op=OpId.random(),
            epoch=1,
            members=self.members,
            actor=keys.account,
            time=TIME,
            ops=(move(branch, old, commits[-1]),) if commits else (),
            commits=commits,
            packs=tuple(ListedPack(pack_id(pack), len(pack)) for pack in packs),
        )
        return replace(entry, **changes).sign(keys.signing)

    def took(self, entry: PushEntry) -> None:
        """Notes that an entry landed."""
        self.head = entry.citation
        listed = {commit.id: commit for commit in entry.commits}
        for op in entry.ops:
            if op.new is None:
                self.branches.pop(op.branch)
            elif op.new in listed:
                self.branches[op.branch] = listed[op.new]
            else:
                known = {commit.id: commit for commit in self.branches.values()}
                self.branches[op.branch] = known[op.new]


def move(
    branch: BranchId, old: ListedCommit | None, new: ListedCommit | None, label: bytes | None = None
) -> BranchOp:
    """Makes the operation that moves a branch; a new branch gets a label."""
    if old is None and label is None:
        label = secrets.token_bytes(92)
    return BranchOp(branch, old.id if old else None, new.id if new else None, label)


def pack_id(pack: bytes) -> PackId:
    """Returns the id of a pack."""
    return PackId(sha256(pack).digest())


@dataclass(frozen=True)
class Pulled:
    """A pull's answer, taken apart."""

    control: dict[str, Any]
    members: list[bytes]
    entries: list[PushEntry]
    packs: list[bytes]

    @classmethod
    def of(cls, body: bytes) -> Pulled:
        first, *parts = split_answer(body, MAX_ANSWER_BYTES)
        assert first.kind is PartKind.CONTROL
        by_kind = {kind: [part.data for part in parts if part.kind is kind] for kind in PartKind}
        return cls(
            json.loads(first.data),
            by_kind[PartKind.MEMBERSHIP_ENTRY],
            [PushEntry.parse(data) for data in by_kind[PartKind.PUSH_ENTRY]],
            by_kind[PartKind.PACK],
        )


class Person:
    """Somebody with keys, and one device with a session on one server."""

    def __init__(self, url: str, keys: Keys, session: dict[str, Any]) -> None:
        self.url = url
        self.keys = keys
        self.session = session
        self.http = requests.Session()

    @classmethod
    def register(cls, url: str, keys: Keys | None = None) -> Person:
        """Registers an account under a new login name."""
        keys = keys or Keys(f"{secrets.token_hex(6)}@example.com")
        answer = send(url, Operation.ACCOUNT_CREATE, json=registration(keys))
        assert answer.status_code == 201, answer.text
        return cls(url, keys, answer.json())

    def login(self, action: Action = Action.LOGIN) -> Person:
        """Logs in as a further device."""
        body = {"proof": self.prove(action).to_json(), "device": new_device()}
        answer = send(self.url, Operation.LOGIN, json=body)
        assert answer.status_code == 200, answer.text
        return Person(self.url, self.keys, answer.json())

    def prove(self, action: Action, key: Key | None = None) -> ChallengeProof:
        """Asks for a challenge and answers it."""
        body = {"login": self.keys.login, "action": str(action)}
        challenge = send(self.url, Operation.LOGIN_CHALLENGE, json=body).json()
        if key is None:
            recover = action is Action.RECOVER
            key = self.keys.recovery_key if recover else self.keys.login_key
        return ChallengeProof(
            AccountId.from_b64(challenge["account"]),
            action,
            b64decode(challenge["challenge"]),
            ServerId.from_b64(challenge["server"]),
        ).sign(key)

    @property
    def device(self) -> DeviceId:
        return DeviceId.from_b64(self.session["device"])

    @property
    def org(self) -> OrgId:
        return OrgId.from_b64(self.session["organizations"][0])

    def send(
        self, operation: Operation, names: dict[str, str] | None = None, **arguments: Any
    ) -> requests.Response:
        """Sends an authenticated request."""
        headers = {
            "Authorization": f"Bearer {self.session['access_token']}",
            **arguments.pop("headers", {}),
        }
        return send(self.url, operation, names, http=self.http, headers=headers, **arguments)

    def send_parts(
        self, operation: Operation, names: dict[str, str], parts: Iterable[Part], **arguments: Any
    ) -> requests.Response:
        """Sends a body of parts."""
        headers = {"Content-Type": MEDIA_TYPE}
        return self.send(operation, names, data=join_parts(parts), headers=headers, **arguments)

    def membership(self) -> list[MembershipEntry]:
        """Returns the membership log of the personal organization."""
        answer = self.send(Operation.ORG_ENTRIES, {"org": self.org.b64})
        assert answer.status_code == 200, answer.text
        return [
            MembershipEntry.parse(part.data)
            for part in split_answer(answer.content, MAX_ANSWER_BYTES)
        ]

    def project_entry(self, previous: Citation, **changes: Any) -> MembershipEntry:
        """Makes the signed entry that adds a project to the personal organization."""
        body = ProjectNew(
            project=ProjectId.random(),
            first=first_epoch(self.keys.account),
            label=secrets.token_bytes(92),
        )
        entry = MembershipEntry(
            self.org, previous.seq + 1, previous.hash, self.keys.account, TIME, body
        )
        return replace(entry, **changes).sign(self.keys.signing)

    def append(self, entry: MembershipEntry) -> requests.Response:
        """Sends a membership entry."""
        part = Part(PartKind.MEMBERSHIP_ENTRY, entry.encoded)
        return self.send_parts(Operation.ORG_APPEND, {"org": self.org.b64}, [part])

    def new_project(self) -> Project:
        """Creates a project in the personal organization."""
        entry = self.project_entry(self.membership()[-1].citation)
        answer = self.append(entry)
        assert answer.status_code == 201, answer.text
        assert isinstance(entry.body, ProjectNew)
        return Project(entry.body.project, self.org, entry.citation)

    def push_entry(
        self,
        entry: PushEntry,
        packs: Sequence[bytes] = (),
        operation: Operation = Operation.PUSH,
    ) -> requests.Response:
        """Sends an entry with packs."""
        parts = [Part(PartKind.PUSH_ENTRY, entry.encoded)]
        parts += [Part(PartKind.PACK, pack) for pack in packs]
        return self.send_parts(operation, {"project": entry.project.b64}, parts)

    def push(
        self, project: Project, *commits: ListedCommit, packs: Sequence[bytes] = ()
    ) -> PushEntry:
        """Pushes commits (a new one where none are given), which must succeed."""
        entry = project.entry(self.keys, *(commits or (project.commit(),)), packs=packs)
        answer = self.push_entry(entry, packs)
        assert answer.status_code == 201, answer.text
        project.took(entry)
        return entry

    def ask_pull(self, project: Project, place: Citation, members: int = 0) -> requests.Response:
        """Asks for what follows a place."""
        query = {"after": place.seq, "hash": place.hash.b64, "members": members}
        return self.send(Operation.PULL, {"project": project.id.b64}, params=query)

    def pull(self, project: Project, place: Citation, members: int = 0) -> Pulled:
        """Returns what follows a place, which must be something."""
        answer = self.ask_pull(project, place, members)
        assert answer.status_code == 200, answer.text
        return Pulled.of(answer.content)


def new_device(name: str = "a laptop") -> dict[str, str]:
    """Makes the description of a new device."""
    return {"id": DeviceId.random().b64, "name": name}


def registration(keys: Keys, **changes: Any) -> dict[str, Any]:
    """Makes the body that registers an account."""
    return {
        "record": keys.record().to_json(),
        "credentials": keys.credentials().to_json(),
        "genesis": b64encode(keys.genesis().encoded),
        "device": new_device(),
        **changes,
    }


def send(
    url: str,
    operation: Operation,
    names: dict[str, str] | None = None,
    http: requests.Session | None = None,
    **arguments: Any,
) -> requests.Response:
    """Sends a request without a session of its own."""
    route = ROUTE[operation]
    requester = http or requests
    return requester.request(
        route.method, url + route.url(**(names or {})), timeout=60, **arguments
    )
