"""Plays one vector of each file on the real code: returns if it is accepted, raises if refused."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Mapping
from functools import cache
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
from sopor.crypto.keys import EpochSecret, ProjectKeys
from sopor.crypto.labels import open_branch_label, open_project_label
from sopor.crypto.pack import Base, open_pack
from sopor.crypto.registration import unlock, unlock_by_recovery
from sopor.crypto.sealed_file import open_file
from sopor.crypto.wraps import WrapContext, unwrap
from sopor.crypto.written_keys import RecoveryKey, SecretKey
from sopor.model.commit import Commit
from sopor.model.document import DocumentId
from sopor.model.state import State
from sopor_core import canonical
from sopor_core.account import AccountRecord, ChallengeProof, Credentials, KdfParameters
from sopor_core.encoding import b64decode, b64encode
from sopor_core.identity import PublicIdentity
from sopor_core.ids import AccountId, BranchId, Cid, CommitId, Id, OrgId, PackId, ProjectId
from sopor_core.membership import MembershipEntry, MembershipLog
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


def push(vector: Vector) -> None:
    membership = MembershipLog.replay(
        OrgId(unhex(vector["org"])), [text.encode() for text in vector["membership"]]
    )
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


def membership(vector: Vector) -> None:
    log = MembershipLog(OrgId(unhex(vector["org"])))
    for number, text in enumerate(vector["entries"], 1):
        # Whatever is refused, the log stays as it was.
        before = log.head
        try:
            log.append(MembershipEntry.parse(text.encode()))
        except Exception:
            assert log.head == before
            assert number == len(vector["entries"]) or "swapped" in vector["name"]
            raise
        assert log.head.hash.hex() == vector["hashes"][number - 1] if "hashes" in vector else True
    assert {a.hex(): str(role) for a, role in log.members().items()} == vector["members"]
    assert [project.hex() for project in log.projects()] == vector["projects"]


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


PLAYERS: Mapping[str, Callable[[Vector], None]] = {
    "encoding": encoding,
    "canonical": canonical_form,
    "ids": ids,
    "commits": commits,
    "states": states,
    "labels": labels,
    "wraps": wraps,
    "packs": packs,
    "push": push,
    "membership": membership,
    "written-keys": written_keys,
    "derivations": derivations,
    "unlocking": unlocking,
    "proofs": proofs,
    "keystore": keystore,
}
