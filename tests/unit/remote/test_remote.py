"""Pushing, pulling and sessions against a server that says whatever a test wants."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256

import pytest

from sopor.errors import NotFound, PushRejected, ServerRefused, SessionExpired, exit_code
from sopor.remote import LogMoved, Remote
from sopor_core.encoding import b64encode
from sopor_core.errors import ForkError, RollbackError, VerificationError
from sopor_core.ids import (
    NO_ENTRY,
    AccountId,
    BranchId,
    CommitId,
    DeviceId,
    EntryHash,
    OpId,
    OrgId,
    PackId,
    ProjectId,
    StateRoot,
)
from sopor_core.limits import MAX_ENTRY_BYTES, MAX_INLINE_BYTES
from sopor_core.push_entry import BranchOp, Citation, ListedCommit, ListedPack, PushEntry
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.parts import MEDIA_TYPE, Part, PartKind, join_parts, split_parts
from sopor_core.wire.problems import MEDIA_TYPE as PROBLEM
from tests.support.scripted import Scripted, ScriptedServer
from tests.support.story import Keys
from tests.unit.remote.conftest import Clock

PROJECT = ProjectId(bytes(16))
HEAD = Citation(3, EntryHash(b"h" * 32))
MEMBERS = Citation(1, EntryHash(b"m" * 32))
PACK = b"a pack"


def pack_id(data: bytes) -> PackId:
    return PackId(sha256(data).digest())


def control(**more: object) -> Part:
    content = {"head": HEAD.to_json(), "members": MEMBERS.to_json(), "more": False, **more}
    return Part(PartKind.CONTROL, json.dumps(content).encode())


def parts(*some: Part, status: int = 200) -> Scripted:
    return Scripted(status, join_parts(some), MEDIA_TYPE)


def problem(status: int, code: str) -> Scripted:
    return Scripted(status, json.dumps({"code": code, "detail": "no"}).encode(), PROBLEM)


MEMBER = Part(PartKind.MEMBERSHIP_ENTRY, b"membership")
ENTRY = Part(PartKind.PUSH_ENTRY, b"entry")
SEALED = Part(PartKind.PACK, PACK)


def push_entry(*packs: bytes) -> PushEntry:
    commit = ListedCommit(CommitId.random(), (), StateRoot.random())
    return PushEntry(
        project=PROJECT,
        seq=1,
        prev=NO_ENTRY,
        op=OpId.random(),
        epoch=1,
        members=MEMBERS,
        actor=AccountId.random(),
        time=1,
        ops=(BranchOp(BranchId.random(), None, commit.id, b"label"),),
        commits=(commit,),
        packs=tuple(ListedPack(pack_id(pack), len(pack)) for pack in packs),
        signature=bytes(64),
    )


def test_a_pull_asks_after_the_pin_and_takes_the_answer_apart(
    server: ScriptedServer, remote: Remote
) -> None:
    server.script(parts(control(more=True, news="ignored"), MEMBER, ENTRY, SEALED, ENTRY))
    answer = remote.pull(PROJECT, HEAD, 7)
    assert answer is not None
    assert (answer.head, answer.members, answer.more) == (HEAD, MEMBERS, True)
    assert answer.membership_entries == (b"membership",)
    assert answer.entries == (b"entry", b"entry")
    assert answer.packs == {pack_id(PACK): PACK}
    asked = server.seen[0]
    assert asked.path == f"/v1/projects/{PROJECT.b64}/pull?after=3&hash={HEAD.hash.b64}&members=7"
    assert asked.headers["Authorization"] == "Bearer good-token"


def test_nothing_new_is_none(server: ScriptedServer, remote: Remote) -> None:
    server.script(Scripted(204))
    assert remote.pull(PROJECT, EMPTY_LOG) is None


def test_a_server_that_lost_or_changed_the_log_is_no_usual_refusal(
    server: ScriptedServer, remote: Remote
) -> None:
    server.script(problem(409, "log-shorter"), problem(409, "log-diverged"))
    with pytest.raises(RollbackError):
        remote.pull(PROJECT, HEAD)
    with pytest.raises(ForkError):
        remote.pull(PROJECT, HEAD)


@pytest.mark.parametrize(
    "answer",
    [
        parts(),
        parts(ENTRY),
        parts(MEMBER, control()),
        parts(control(), control()),
        parts(control(), SEALED, ENTRY),
        parts(control(), ENTRY, MEMBER),
        parts(control(), Part(PartKind.PUSH_ENTRY, bytes(MAX_ENTRY_BYTES + 1))),
        parts(control(head=[-1, HEAD.hash.b64])),
        parts(control(head=[1])),
        parts(control(more="yes")),
        parts(Part(PartKind.CONTROL, b"[]")),
        parts(Part(PartKind.CONTROL, b"{")),
        Scripted(200, join_parts([control()])[:-1], MEDIA_TYPE),
        Scripted(200, b"\x09\x00\x00\x00\x00", MEDIA_TYPE),
    ],
)
def test_an_answer_out_of_shape_is_refused(
    server: ScriptedServer, remote: Remote, answer: Scripted
) -> None:
    server.script(answer)
    with pytest.raises(VerificationError) as refused:
        remote.pull(PROJECT, EMPTY_LOG)
    assert refused.value.layer in ("wire", "parse", "canonical")


def test_a_login_page_in_between_is_told(server: ScriptedServer, remote: Remote) -> None:
    server.script(Scripted(200, b"<html>", "text/html"))
    with pytest.raises(ServerRefused, match="not as a sopor server"):
        remote.pull(PROJECT, EMPTY_LOG)


def test_a_push_is_one_request_with_its_packs(server: ScriptedServer, remote: Remote) -> None:
    entry = push_entry(PACK, b"another")
    server.script(Scripted(201))
    remote.push(PROJECT, entry, {pack_id(PACK): PACK, pack_id(b"another"): b"another"})
    (sent,) = server.seen
    assert (sent.method, sent.path) == ("POST", f"/v1/projects/{PROJECT.b64}/push")
    first, *packs = split_parts(sent.body)
    assert first == Part(PartKind.PUSH_ENTRY, entry.encoded)
    assert {part.data for part in packs} == {PACK, b"another"}
    assert {part.kind for part in packs} == {PartKind.PACK}


def test_packs_too_large_for_a_push_go_ahead_of_it(server: ScriptedServer, remote: Remote) -> None:
    large = bytes(MAX_INLINE_BYTES)
    entry = push_entry(large, PACK)
    server.script(problem(404, "no-direct"), Scripted(201), Scripted(201))
    remote.push(PROJECT, entry, {pack_id(large): large, pack_id(PACK): PACK})
    asked, put, push = server.seen
    assert (asked.method, asked.path, asked.body) == ("POST", put.path, b'{"size":8388608}')
    assert (put.method, put.body) == ("PUT", large)
    assert put.path == f"/v1/projects/{PROJECT.b64}/packs/{pack_id(large).b64}"
    assert [part.data for part in split_parts(push.body)] == [entry.encoded, PACK]


@pytest.mark.parametrize("code", ["log-moved", "membership-moved"])
def test_losing_a_race_brings_what_is_lacking(
    server: ScriptedServer, remote: Remote, code: str
) -> None:
    lost = control(problem={"code": code, "detail": "moved", "status": 409})
    server.script(parts(lost, MEMBER, ENTRY, SEALED, status=409))
    with pytest.raises(LogMoved) as moved:
        remote.push(PROJECT, push_entry(), {})
    assert moved.value.answer.entries == (b"entry",)
    assert moved.value.answer.membership_entries == (b"membership",)
    assert moved.value.membership_only is (code == "membership-moved")
    assert isinstance(moved.value, PushRejected)
    assert exit_code(moved.value) == 5


def test_another_conflict_is_a_refusal(server: ScriptedServer, remote: Remote) -> None:
    odd = control(problem={"code": "entry-refused", "detail": "no"})
    server.script(
        parts(odd, status=409), problem(409, "entry-refused"), parts(control(), status=409)
    )
    for _ in range(3):
        with pytest.raises(ServerRefused):
            remote.push(PROJECT, push_entry(), {})


def test_branches_and_reverts_have_their_own_addresses(
    server: ScriptedServer, remote: Remote
) -> None:
    entry = push_entry()
    server.script(Scripted(201), Scripted(201))
    remote.change_branches(PROJECT, entry)
    remote.revert(PROJECT, entry, {pack_id(PACK): PACK})
    assert [seen.path.rsplit("/", 1)[1] for seen in server.seen] == ["branches", "revert"]


def test_a_pack_is_fetched_whole_or_in_part(server: ScriptedServer, remote: Remote) -> None:
    pack = pack_id(PACK)
    server.script(Scripted(200, PACK), Scripted(206, PACK[2:5]), Scripted(200, PACK))
    assert remote.get_pack(PROJECT, pack, len(PACK)) == PACK
    assert remote.get_pack(PROJECT, pack, len(PACK), (2, 3)) == PACK[2:5]
    assert remote.get_pack(PROJECT, pack, len(PACK), (2, 3)) == PACK[2:5]
    assert server.seen[1].headers["Range"] == "bytes=2-4"


def test_a_pack_of_another_size_is_refused(server: ScriptedServer, remote: Remote) -> None:
    pack = pack_id(PACK)
    server.script(Scripted(200, PACK[:-1]), Scripted(200, PACK + b"x"), Scripted(206, PACK[:2]))
    for part in (None, None, (0, 3)):
        with pytest.raises(VerificationError):
            remote.get_pack(PROJECT, pack, len(PACK), part)
    server.script(problem(404, "not-found"))
    with pytest.raises(NotFound):
        remote.get_pack(PROJECT, pack, len(PACK))


def test_membership_entries_are_read_and_appended(server: ScriptedServer, remote: Remote) -> None:
    org, keys = OrgId.random(), Keys("ada@example.com")
    entry = keys.genesis()
    server.script(parts(MEMBER, MEMBER), parts(MEMBER), parts(), Scripted(201), parts(ENTRY))
    assert remote.organizations.entries(org, 4) == (b"membership",) * 3
    remote.organizations.append(org, entry)
    with pytest.raises(VerificationError):
        remote.organizations.entries(org)
    *asked, sent, _ = server.seen
    path = f"/v1/organizations/{org.b64}/entries"
    assert [each.path for each in asked] == [f"{path}?after={after}" for after in (4, 6, 7)]
    assert list(split_parts(sent.body)) == [Part(PartKind.MEMBERSHIP_ENTRY, entry.encoded)]


def test_a_membership_log_without_an_end_is_refused(
    server: ScriptedServer, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sopor.remote.organizations.MAX_LOG_BYTES", 15)
    server.script(parts(MEMBER), parts(MEMBER))
    with pytest.raises(VerificationError, match="than there can be"):
        remote.organizations.entries(OrgId.random())


def test_an_append_that_comes_late_brings_the_membership(
    server: ScriptedServer, remote: Remote
) -> None:
    keys = Keys("ada@example.com")
    entry = keys.genesis()
    lost = {"members": MEMBERS.to_json(), "problem": {"code": "membership-moved"}}
    first = Part(PartKind.CONTROL, json.dumps(lost).encode())
    server.script(parts(first, MEMBER, status=409))
    with pytest.raises(LogMoved) as moved:
        remote.organizations.append(OrgId.random(), entry)
    assert moved.value.answer.head == EMPTY_LOG
    assert moved.value.answer.membership_entries == (b"membership",)


def grant(token: str, seconds: int = 900) -> Scripted:
    body = json.dumps({"access_token": token, "expires_in": seconds}).encode()
    return Scripted(200, body, "application/json")


def test_a_token_about_to_expire_is_renewed_once(
    server: ScriptedServer, remote: Remote, clock: Clock
) -> None:
    clock.now += 900_000 - 60_000
    server.script(grant("new-token"), Scripted(204), Scripted(204))
    remote.pull(PROJECT, EMPTY_LOG)
    remote.pull(PROJECT, EMPTY_LOG)
    renewal, *pulls = server.seen
    assert renewal.path == "/v1/login/refresh"
    assert json.loads(renewal.body) == {
        "device": DeviceId(bytes(16)).b64,
        "refresh_token": "refresh",
    }
    assert "Authorization" not in renewal.headers
    assert [pull.headers["Authorization"] for pull in pulls] == ["Bearer new-token"] * 2


@pytest.mark.parametrize("code", ["unauthenticated", "session-expired"])
def test_a_token_that_the_server_does_not_take_is_renewed(
    server: ScriptedServer, remote: Remote, code: str
) -> None:
    server.script(problem(401, code), grant("new-token"), Scripted(204))
    assert remote.pull(PROJECT, EMPTY_LOG) is None
    assert server.seen[2].headers["Authorization"] == "Bearer new-token"


def test_a_session_that_is_over_says_what_to_do(server: ScriptedServer, remote: Remote) -> None:
    for code in ("session-expired", "login-failed", "device-revoked"):
        server.script(problem(401, "unauthenticated"), problem(401, code))
        with pytest.raises(SessionExpired) as refused:
            remote.pull(PROJECT, EMPTY_LOG)
        assert refused.value.hint == "run `sopor login`"
    server.script(problem(401, "device-revoked"))
    with pytest.raises(SessionExpired, match="revoked"):
        remote.pull(PROJECT, EMPTY_LOG)
    assert server.seen[-1].path.endswith("members=0")


@pytest.mark.parametrize(
    "answer",
    [
        grant("new-token", 0),
        grant("new-token", 10**9),
        grant("new\r\nX-Evil: 1"),
        grant("two words"),
        grant("t\u00f6ken"),
        Scripted(200, b"{}"),
        Scripted(200, b"[]"),
        Scripted(200, b"no"),
    ],
)
def test_an_odd_token_is_refused(
    server: ScriptedServer, remote: Remote, clock: Clock, answer: Scripted
) -> None:
    clock.now += 900_000
    server.script(answer)
    with pytest.raises(VerificationError):
        remote.pull(PROJECT, EMPTY_LOG)


def listing(**content: object) -> Scripted:
    return Scripted(200, json.dumps(content).encode(), "application/json")


def test_listings_are_typed(server: ScriptedServer, remote: Remote) -> None:
    org, device, head = OrgId.random(), DeviceId.random(), CommitId.random()
    item = {
        "project": PROJECT.b64,
        "organization": org.b64,
        "head": [4, EntryHash.random().b64],
        "seq": 4,
        "bytes": 9,
        "updated": 2,
        "status": "active",
    }
    server.script(listing(projects=[{**item, "unknown": True}], unknown=1))
    (project,) = remote.projects()
    assert (project.project, project.organization, project.seq) == (PROJECT, org, 4)
    this = {"id": device.b64, "name": "lap\x1btop", "created": 1, "last_used": 2, "current": True}
    server.script(listing(devices=[this]))
    (found,) = remote.devices()
    assert (found.id, found.name, found.current) == (device, "lap?top", True)
    assert found.to_json()["id"] == device.hex()
    branch = {"branch": BranchId(bytes(16)).b64, "head": head.b64, "label": b64encode(b"l")}
    server.script(listing(seq=3, branches=[{**branch, "epoch": 1}]))
    branches = remote.branches(PROJECT)
    assert (branches.seq, branches.branches[0].head, branches.branches[0].label) == (3, head, b"l")


def test_listings_out_of_shape_are_refused(server: ScriptedServer, remote: Remote) -> None:
    for odd in (listing(), listing(projects=[{"project": PROJECT.b64}]), Scripted(200, b"<")):
        server.script(odd)
        with pytest.raises(VerificationError, match="wire: the server's answer "):
            remote.projects()


def test_pushing_and_pulling_import_no_validator(server: ScriptedServer) -> None:
    script = f"""
import sys
from sopor.remote import Remote, ServerAddress, Session, Transport
from sopor.remote.session import MemoryTokens
from sopor_core.ids import DeviceId, ProjectId
from sopor_core.push_log import EMPTY_LOG
assert "requests" not in sys.modules
transport = Transport(ServerAddress.parse({server.url!r}))
tokens = MemoryTokens()
tokens.save("t", 2**50)
remote = Remote(transport, Session(transport, DeviceId(bytes(16)), "r", tokens))
assert remote.pull(ProjectId(bytes(16)), EMPTY_LOG) is None
assert "pydantic" not in sys.modules
"""
    server.script(Scripted(204))
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
