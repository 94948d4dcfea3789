"""Plays one vector of each file on the real code: returns if it is accepted, raises if refused."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sopor.crypto.account import (
    AccountKeys,
    AccountSecret,
    LoginKeys,
    SigningKey,
    derive_login,
    recovery_keys,
)
from sopor.crypto.epochs import Unwrapper, open_epochs, unlock_scope
from sopor.crypto.invites import InviteCode, InviteKeys, InviteSecret, inviter_hash
from sopor.crypto.keys import EpochSecret, ProjectKeys
from sopor.crypto.labels import open_branch_label, open_organization_label, open_project_label
from sopor.crypto.pack import Base, open_pack
from sopor.crypto.presence import Desk, Note, open_note
from sopor.crypto.registration import unlock, unlock_by_recovery
from sopor.crypto.safety import safety_number
from sopor.crypto.sealed_file import open_file
from sopor.crypto.wraps import WrapContext, unwrap
from sopor.crypto.written_keys import RecoveryKey, SecretKey
from sopor.model.commit import Commit
from sopor.model.document import DocumentId
from sopor.model.state import State
from sopor_core import canonical
from sopor_core.account import AccountRecord, ChallengeProof, Credentials, KdfParameters
from sopor_core.encoding import b64decode, b64encode
from sopor_core.errors import VerificationError
from sopor_core.identity import PublicIdentity
from sopor_core.ids import (
    AccountId,
    BranchId,
    Cid,
    CommitId,
    DeviceId,
    Id,
    InviteId,
    OrgId,
    PackId,
    ProjectId,
)
from sopor_core.license import License
from sopor_core.membership import Epoch, MembershipEntry, MembershipLog, Recipient, Scope
from sopor_core.push_entry import ListedCommit, PushEntry
from sopor_core.push_log import EMPTY_LOG, LogPosition, check_entry
from sopor_core.signing import VerifyKey

Vector = dict[str, Any]
unhex = bytes.fromhex


def _keys(vector: Vector) -> ProjectKeys:
    epochs = {int(epoch): EpochSecret(unhex(text)) for epoch, text in vector["epochs"].items()}
    return ProjectKeys(ProjectId(unhex(vector["project"])), epochs)


def encoding(vector: Vector) -> None:
    data = b64decode(vector["text"])
    assert data.hex() == vector["hex"]
    assert b64encode(data) == vector["text"]


def canonical_form(vector: Vector) -> None:
    if "received" in vector:
        canonical.decode(vector["received"].encode())
        return
    if "double" in vector:
        [value] = struct.unpack(">d", unhex(vector["double"]))
    else:
        text = unhex(vector["json_hex"]) if "json_hex" in vector else vector["json"].encode()
        value = canonical.parse_json(text)
    encoded = canonical.encode(value)
    assert encoded.decode() == vector["canonical"]
    assert canonical.encode(canonical.decode(encoded)) == encoded


_ID_TYPES: Mapping[str, type[Id]] = {
    "document": Cid,
    "commit": CommitId,
    "branch": BranchId,
    "account": AccountId,
}


def ids(vector: Vector) -> None:
    kind = vector["kind"]
    if "text" in vector:
        _ID_TYPES[kind].from_b64(vector["text"])
        return
    found: bytes
    if kind == "account":
        signing, encryption = VerifyKey(unhex(vector["signing"])), unhex(vector["encryption"])
        found = PublicIdentity.founding(signing, encryption).account
    elif kind == "commitment":
        found = _keys(vector).commitment(vector["epoch"])
    elif kind == "branch":
        found = _keys(vector).content_ids.branch_id(vector["data"])
    elif kind == "commit":
        found = _keys(vector).content_ids.commit_id(vector["data"].encode())
    else:
        found = _keys(vector).content_ids.cid(vector["data"].encode())
    assert found.hex() == vector["id"]


def commits(vector: Vector) -> None:
    data = vector["text"].encode()
    commit = Commit.parse(data)
    assert commit.encoded == data
    assert _keys(vector).content_ids.commit_id(data).hex() == vector["id"]


def states(vector: Vector) -> None:
    hasher = _keys(vector).content_ids
    state, minimal = State(), []
    for delta, root in zip(vector["deltas"], vector["roots"], strict=True):
        changes = {DocumentId(name): Cid(unhex(c)) if c else None for name, c in delta.items()}
        minimal.append(state.is_minimal(changes))
        state = state.apply(changes)
        assert state.root(hasher).hex() == root
        again = State().apply(dict(state))
        assert again.root(hasher).hex() == root
    assert minimal[-1] == vector.get("minimal", True)
    assert all(minimal[:-1])
    if "node" in vector:
        bucket, node = vector["node"]
        assert hasher.node(bucket, state.items()).hex() == node


def labels(vector: Vector) -> None:
    keys, sealed = _keys(vector), unhex(vector["label"])
    if "branch" in vector:
        branch = BranchId(unhex(vector["branch"]))
        name = open_branch_label(keys, vector["epoch"], branch, sealed)
    elif "organization" in vector:
        name = open_organization_label(keys, vector["epoch"], sealed)
    else:
        name = open_project_label(keys, vector["epoch"], sealed)
    assert name == vector["text"]


def wraps(vector: Vector) -> None:
    context = WrapContext(
        OrgId(unhex(vector["org"])),
        ProjectId(unhex(vector["project"])),
        vector["epoch"],
        AccountId(unhex(vector["account"])),
    )
    private = X25519PrivateKey.from_private_bytes(unhex(vector["private"]))
    secret = unwrap(unhex(vector["wrap"]), private, context, unhex(vector["commitment"]))
    assert secret.reveal().hex() == vector["secret"]


def previous(vector: Vector) -> None:
    scope = Scope(unhex(vector["project"]))
    epochs = [
        Epoch(number, unhex(e["commitment"]), {}, {}, unhex(e.get("previous", "")))
        for number, e in enumerate(vector["epochs"], 1)
    ]
    found = open_epochs(EpochSecret(unhex(vector["secret"])), scope, epochs)
    assert [found[n].reveal().hex() for n in sorted(found)] == vector["secrets"]


def opening(vector: Vector) -> None:
    log = _replay(vector["org"], *vector["logs"][vector["log"]])
    scope, private = Scope(unhex(vector["scope"])), unhex(vector["private"])
    who: Recipient
    key: Unwrapper
    if "invite" in vector:
        who, key = InviteId(unhex(vector["invite"])), InviteKeys(log.org, InviteSecret(private))
        assert key.invite == who
    else:
        who, key = AccountId(unhex(vector["account"])), _PrivateKey(private)
    keys = unlock_scope(log, scope, who, key)
    numbers = range(1, keys.newest + 1)
    assert [keys.secret(number).reveal().hex() for number in numbers] == vector["secrets"]


class _PrivateKey:
    """Unwraps with a key that was given."""

    def __init__(self, raw: bytes) -> None:
        self._key = X25519PrivateKey.from_private_bytes(raw)

    def unwrap(self, wrapped: bytes, context: WrapContext, commitment: bytes) -> EpochSecret:
        return unwrap(wrapped, self._key, context, commitment)


def packs(vector: Vector) -> None:
    known = {
        Cid(unhex(key)): Base(base["data"].encode(), base["depth"])
        for key, base in vector["bases"].items()
    }
    keys, data = _keys(vector), b64decode(vector["pack"])
    pack = open_pack(keys, data, PackId(unhex(vector["id"])), vector["size"], known.__getitem__)
    objects = list(pack.objects())
    assert [
        {
            "kind": str(item.kind),
            "id": item.id.hex(),
            "frame": item.frame,
            "offset": item.offset,
            "length": len(item.data),
            "depth": item.depth,
            "sha256": hashlib.sha256(item.data).hexdigest(),
        }
        for item in objects
    ] == [{k: v for k, v in item.items() if k != "text"} for item in vector["objects"]]
    for item, expected in zip(objects, vector["objects"], strict=True):
        assert "text" not in expected or item.data.decode() == expected["text"]


@lru_cache(maxsize=4)
def _replay(org: str, *entries: str) -> MembershipLog:
    return MembershipLog.replay(OrgId(unhex(org)), [entry.encode() for entry in entries])


def push(vector: Vector) -> None:
    membership = _replay(vector["org"], *vector["membership"])
    heads: dict[BranchId, CommitId | None] = {}
    listed: dict[CommitId, ListedCommit] = {}
    head, cited = EMPTY_LOG, 0
    for number, text in enumerate([*vector["log"], vector["entry"]]):
        position = LogPosition(
            ProjectId(unhex(vector["project"])), head, cited, heads.get, listed.get
        )
        entry = PushEntry.parse(text.encode())
        assert entry.encoded == text.encode()
        try:
            check_entry(entry, position, membership)
        except Exception:
            assert number == len(vector["log"]), "the log itself is refused"
            raise
        head, cited = entry.citation, entry.members.seq
        heads.update({op.branch: op.new for op in entry.ops})
        listed.update({commit.id: commit for commit in entry.commits})
    assert head.hash.hex() == vector["hash"]


def writing(vector: Vector) -> None:
    push(vector | {"membership": [*vector["logs"][vector["team"]]]})


def membership(vector: Vector) -> None:
    start = vector["logs"][vector["log"]] if vector["log"] else []
    texts = [*start, *vector["entries"]]
    if "layer" in vector:
        _refused(_replay(vector["org"], *texts[:-1]), texts[-1])
        return
    log = MembershipLog.replay(OrgId(unhex(vector["org"])), [text.encode() for text in texts])
    assert log.head.hash.hex() == vector["hash"]
    assert _state(log) == vector["state"]
    assert all(MembershipEntry.parse(t.encode()).encoded == t.encode() for t in vector["entries"])


def _refused(log: MembershipLog, text: str) -> None:
    """Whatever is refused, the log stays as it was; so the next vector may have the same one."""
    before, state = log.head, _state(log) if log.head.seq else None
    try:
        log.append(MembershipEntry.parse(text.encode()))
    except VerificationError:
        assert log.head == before
        assert state is None or _state(log) == state
        raise
    _replay.cache_clear()


def _state(log: MembershipLog) -> Vector:
    access = log.access
    # Deleted ones as well, which no other part of Sopor asks for.
    projects = [scope for scope in log._keys if scope != log.home]
    return {
        "members": {account.hex(): _member(log, account) for account in access.members},
        "invites": {i.hex(): given.inviter.hex() for i, given in access.invites.items()},
        "projects": {project.hex(): str(log.status(project)) for project in projects},
        "scopes": {scope.hex(): _scope(log, scope) for scope in access.scopes},
        "cuts": {
            project.hex(): [[cut.members, cut.push.seq, cut.push.hash.hex()] for cut in cuts]
            for project in projects
            if (cuts := log.cuts(project))
        },
        "deleted": log.deleted,
        "license": log.license.to_json() if log.license else None,
    }


def _member(log: MembershipLog, account: AccountId) -> Vector:
    seat, identity = log.access.members[account], log.identity(account)
    return {
        "role": str(seat.role),
        "projects": {project.hex(): str(role) for project, role in seat.projects.items()},
        "signing": identity.signing.hex(),
        "encryption": identity.encryption.hex(),
    }


def _scope(log: MembershipLog, scope: Scope) -> Vector:
    keys = log.keys(scope)
    return {
        "epoch": keys.epoch,
        "accounts": sorted(account.hex() for account in keys.wraps),
        "invites": sorted(invite.hex() for invite in keys.invites),
        "due": keys.due,
        "label": [log.label(scope).epoch, log.label(scope).sealed.hex()],
    }


def invite_codes(vector: Vector) -> None:
    code = InviteCode.from_text(vector["text"])
    assert code.to_text() == vector["canonical"]
    assert code.org.hex() == vector["org"]
    assert code.secret.reveal().hex() == vector["secret"]
    assert code.expires == vector["expires"]
    signing, encryption = VerifyKey(unhex(vector["signing"])), unhex(vector["encryption"])
    assert code.inviter == inviter_hash(PublicIdentity.founding(signing, encryption))
    assert code.keys.token.hex() == vector["token"]
    assert code.keys.invite.hex() == vector["invite"]
    assert code.keys.key.hex() == vector["key"]
    assert code.keys.encryption.hex() == vector["invite_encryption"]


def safety_numbers(vector: Vector) -> None:
    one, other = (PublicIdentity.from_json(vector[name]) for name in ("one", "other"))
    assert safety_number(one, other) == vector["number"]


def licenses(vector: Vector) -> None:
    found = License.from_json(vector["license"])
    found.verify_signature(VerifyKey(unhex(vector["key"])))
    assert found.to_json() == vector["license"]


def written_keys(vector: Vector) -> None:
    kind = SecretKey if vector["kind"] == "secret" else RecoveryKey
    key = kind.from_text(vector["text"])
    assert key.reveal().hex() == vector["key"]
    assert key.to_text() == vector["canonical"]


@cache
def _login_keys(password: str, secret_key: str, login: str, kdf: str) -> LoginKeys:
    costs = KdfParameters.from_json(json.loads(kdf))
    return derive_login(password, SecretKey(unhex(secret_key)), login, costs)


def _derive(vector: Vector, kdf: Any) -> LoginKeys:
    return _login_keys(vector["password"], vector["secret_key"], vector["login"], json.dumps(kdf))


def derivations(vector: Vector) -> None:
    if "account_secret" in vector:
        identity = AccountKeys(AccountSecret(unhex(vector["account_secret"]))).identity
        assert identity.signing.hex() == vector["signing"]
        assert identity.encryption.hex() == vector["encryption"]
        assert identity.account.hex() == vector["account"]
        identity.check_founding_id()
        return
    if "recovery_key" in vector:
        keys = recovery_keys(RecoveryKey(unhex(vector["recovery_key"])))
    elif "password" in vector:
        keys = _derive(vector, vector["kdf"])
    else:
        KdfParameters.from_json(vector["kdf"])
        return
    assert keys.login.public.hex() == vector["login_key"]
    assert keys.wrap.reveal().hex() == vector["wrap_key"]


def unlocking(vector: Vector) -> None:
    record = AccountRecord.verified(vector["record"])
    credentials = Credentials.parse(vector["credentials"])
    login, seen = vector["login"], vector.get("seen", 0)
    if "recovery_key" in vector:
        recovery_key = RecoveryKey(unhex(vector["recovery_key"]))
        keys = unlock_by_recovery(recovery_key, record, credentials, login, seen)
    else:
        login_keys = _derive(vector, credentials.kdf.to_json())
        keys = unlock(login_keys, record, credentials, login, seen)
    assert keys.identity == record.identity
    assert keys.identity.account.hex() == vector["account"]


def proofs(vector: Vector) -> None:
    proof = ChallengeProof.parse(vector["proof"])
    proof.verify(VerifyKey(unhex(vector["key"])))
    assert proof.to_json() == vector["proof"]
    assert proof.sign(SigningKey(unhex(vector["seed"]))) == proof


def keystore(vector: Vector) -> None:
    content = open_file(vector["passphrase"], vector["text"].encode())
    assert content.hex() == vector["content"]


def presence(vector: Vector) -> None:
    log = _replay(vector["org"], *vector["logs"][vector["log"]])
    keys, account = _keys(vector), AccountId(unhex(vector["account"]))
    desk = Desk(keys.project, account, DeviceId(unhex(vector["device"])))
    note = open_note(keys, log, desk, unhex(vector["sealed"]), vector["now"])
    assert note == Note(vector["branch"], vector["device_name"], vector["since"], vector["time"])


PLAYERS: Mapping[str, Callable[[Vector], None]] = {
    "encoding": encoding,
    "canonical": canonical_form,
    "ids": ids,
    "commits": commits,
    "states": states,
    "labels": labels,
    "wraps": wraps,
    "previous": previous,
    "opening": opening,
    "packs": packs,
    "push": push,
    "writing": writing,
    "membership": membership,
    "refusals": membership,
    "invite-codes": invite_codes,
    "safety-numbers": safety_numbers,
    "licenses": licenses,
    "written-keys": written_keys,
    "derivations": derivations,
    "unlocking": unlocking,
    "proofs": proofs,
    "keystore": keystore,
    "presence": presence,
}
