"""Pushing and pulling over HTTP."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

from sopor_core.ids import BranchId, CommitId, EntryHash, ProjectId
from sopor_core.limits import MAX_INLINE_BYTES
from sopor_core.push_entry import Citation, ListedPack
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.models import Branches
from sopor_core.wire.parts import Part, PartKind
from sopor_core.wire.routes import Operation
from tests.api.test_accounts import problem
from tests.contract.racing import in_processes
from tests.support.server import RunningServer, running_server, start_server
from tests.support.story import Person, Project, Pulled, move, pack_id


def test_a_push_is_pulled_by_the_other_device(alice: Person) -> None:
    project = alice.new_project()
    pack = secrets.token_bytes(500)
    entry = alice.push(project, packs=[pack])
    laptop = alice.login()
    pulled = laptop.pull(project, EMPTY_LOG)
    assert pulled.entries == [entry]
    assert pulled.packs == [pack]
    assert pulled.control == {
        "head": entry.citation.to_json(),
        "members": project.members.to_json(),
        "more": False,
    }
    assert len(pulled.members) == 2
    nothing = laptop.ask_pull(project, project.head, members=2)
    assert (nothing.status_code, nothing.content) == (204, b"")


def test_a_pull_may_leave_out_what_it_knows_nothing_of(alice: Person) -> None:
    project = alice.new_project()
    alice.push(project)
    answer = alice.send(Operation.PULL, {"project": project.id.b64})
    assert len(Pulled.of(answer.content).entries) == 1


def test_a_large_history_comes_in_pieces(alice: Person) -> None:
    project = alice.new_project()
    packs = [secrets.token_bytes(3_000_000) for _ in range(4)]
    entries = [alice.push(project, packs=[pack]) for pack in packs]
    first = alice.pull(project, EMPTY_LOG)
    assert first.control["more"] is True
    assert first.entries == entries[:2]
    second = alice.pull(project, entries[1].citation, members=2)
    assert second.control["more"] is False
    assert (second.entries, second.packs) == (entries[2:], packs[2:])


def test_large_packs_travel_by_themselves(alice: Person) -> None:
    project = alice.new_project()
    large, small = secrets.token_bytes(MAX_INLINE_BYTES + 1), b"small"
    names = {"project": project.id.b64, "pack": pack_id(large).b64}
    octets = {"Content-Type": "application/octet-stream"}
    for status in (201, 200):
        answer = alice.send(Operation.PACK_PUT, names, data=large, headers=octets)
        assert (answer.status_code, answer.content) == (status, b"")
    entry = project.entry(alice.keys, project.commit(), packs=[large, small])
    assert alice.push_entry(entry, [small]).status_code == 201
    assert alice.pull(project, EMPTY_LOG).packs == [small]
    assert alice.send(Operation.PACK_GET, names).content == large


def test_the_loser_of_a_race_goes_on_without_another_request(alice: Person) -> None:
    project = alice.new_project()
    base = alice.push(project)
    mine, theirs = project.commit(), project.commit()
    late = project.entry(alice.keys, mine)
    pack = b"their pack"
    won = alice.push(project, theirs, packs=[pack])
    answer = alice.push_entry(late)
    assert answer.status_code == 409
    lacks = Pulled.of(answer.content)
    assert lacks.control["problem"]["code"] == "log-moved"
    assert lacks.control["problem"]["request_id"] == answer.headers["X-Request-Id"]
    assert (lacks.control["head"], lacks.entries, lacks.packs) == (
        won.citation.to_json(),
        [won],
        [pack],
    )
    assert mine.parents == (base.commits[0].id,)
    alice.push(project, mine, project.commit(theirs.id, mine.id))


def test_only_the_membership_moved(alice: Person) -> None:
    project = alice.new_project()
    late = project.entry(alice.keys, project.commit())
    newer = alice.new_project()
    answer = alice.push_entry(late)
    assert answer.status_code == 409
    lacks = Pulled.of(answer.content)
    assert lacks.control["problem"]["code"] == "membership-moved"
    assert lacks.control["members"] == newer.members.to_json()
    assert (len(lacks.members), lacks.entries) == (1, [])
    project.members = newer.members
    alice.push(project)


def test_the_same_entry_is_answered_again(alice: Person) -> None:
    project = alice.new_project()
    entry = project.entry(alice.keys, project.commit(), packs=[b"pack"])
    for _ in range(2):
        answer = alice.push_entry(entry, [b"pack"])
        assert (answer.status_code, answer.content) == (201, b"")
    project.took(entry)
    alice.push(project)
    assert alice.push_entry(entry).status_code == 201
    assert len(alice.pull(project, EMPTY_LOG).entries) == 2


def test_histories_that_differ_are_told(alice: Person) -> None:
    project = alice.new_project()
    alice.push(project)
    fork = Citation(1, EntryHash.random())
    problem(alice.ask_pull(project, fork), 409, "log-diverged")
    problem(alice.ask_pull(project, Citation(2, EntryHash.random())), 409, "log-shorter")
    problem(alice.ask_pull(project, project.head, members=9), 409, "log-shorter")
    forked = project.entry(alice.keys, project.commit(), prev=fork.hash)
    problem(alice.push_entry(forked), 409, "log-diverged")
    ahead = project.entry(alice.keys, project.commit(), seq=9)
    problem(alice.push_entry(ahead), 409, "log-shorter")


def test_what_does_not_verify_is_refused(alice: Person, bob: Person) -> None:
    project = alice.new_project()
    alice.push(project)
    good = project.entry(alice.keys, project.commit())
    head = project.branches[project.main]
    for entry, layer in (
        (replace(good, signature=bytes(64)), "signature"),
        (good.sign(bob.keys.signing), "signature"),
        (replace(good, epoch=2).sign(alice.keys.signing), "epoch"),
        (project.entry(alice.keys, project.commit(CommitId.random())), "ops"),
        (
            project.entry(
                alice.keys, ops=(move(project.main, project.commit(), project.commit()),)
            ),
            "ops",
        ),
        (project.entry(alice.keys, replace(head, parents=(CommitId.random(),))), "ops"),
    ):
        answer = alice.push_entry(entry)
        assert problem(answer, 422, "entry-refused")["detail"].startswith(f"{layer}: ")
    elsewhere = alice.send_parts(
        Operation.PUSH,
        {"project": ProjectId.random().b64},
        [Part(PartKind.PUSH_ENTRY, good.encoded)],
    )
    assert problem(elsewhere, 422, "entry-refused")["detail"].startswith("chain: ")
    problem(alice.push_entry(replace(good, actor=bob.keys.account)), 403, "forbidden")
    assert alice.push_entry(good).status_code == 201


def test_bodies_of_another_shape_are_refused(alice: Person) -> None:
    project = alice.new_project()
    names = {"project": project.id.b64}
    entry = project.entry(alice.keys, project.commit(), packs=[b"pack"])
    good = Part(PartKind.PUSH_ENTRY, entry.encoded)
    pack = Part(PartKind.PACK, b"pack")
    for parts in (
        [],
        [pack],
        [pack, good],
        [good, good],
        [good, pack, Part(PartKind.CONTROL, b"{}")],
        [good, pack, pack],
    ):
        problem(alice.send_parts(Operation.PUSH, names, parts), 400, "malformed")
    for data, layer in (
        (b"", "canonical"),
        (b"[]", "parse"),
        (entry.encoded + b"\n", "canonical"),
        (entry.encoded.replace(b'"v":1', b'"v":2'), "parse"),
        (b'{"a":1,"a":2}', "canonical"),
        (b"[" * 100_000, "canonical"),
        (b"\xff", "canonical"),
    ):
        answer = alice.send_parts(Operation.PUSH, names, [Part(PartKind.PUSH_ENTRY, data)])
        assert problem(answer, 422, "entry-refused")["detail"].startswith(f"{layer}: ")
    media = {"Content-Type": "application/vnd.sopor.parts"}
    for body in (b"\3", b"\3\0\0\0\5abc", b"\x09\0\0\0\0", b"\3\xff\xff\xff\xff" + bytes(50)):
        answer = alice.send(Operation.PUSH, names, data=body, headers=media)
        problem(answer, 400, "malformed")
    assert alice.push_entry(entry, [b"pack"]).status_code == 201


def test_a_body_has_so_many_parts(alice: Person) -> None:
    project = alice.new_project()
    entry = project.entry(alice.keys, project.commit())
    parts = [Part(PartKind.PUSH_ENTRY, entry.encoded), *[Part(PartKind.PACK, b"")] * 100_000]
    answer = alice.send_parts(Operation.PUSH, {"project": project.id.b64}, parts)
    assert "parts" in problem(answer, 400, "malformed")["detail"]


def test_packs_are_as_listed(alice: Person) -> None:
    project = alice.new_project()
    entry = project.entry(alice.keys, project.commit(), packs=[b"pack"])
    problem(alice.push_entry(entry), 422, "pack-missing")
    problem(alice.push_entry(entry, [b"pac"]), 422, "pack-mismatch")
    problem(alice.push_entry(entry, [b"pack", b"more"]), 422, "pack-mismatch")
    lie = replace(entry, packs=(ListedPack(pack_id(b"pack"), 9),)).sign(alice.keys.signing)
    problem(alice.push_entry(lie, [b"pack"]), 422, "pack-mismatch")
    names = {"project": project.id.b64, "pack": pack_id(b"pack").b64}
    problem(alice.send(Operation.PACK_GET, names), 404, "not-found")


def test_branches_are_created_listed_and_deleted(alice: Person) -> None:
    project = alice.new_project()
    alice.push(project)
    head = project.branches[project.main]
    feature = BranchId.random()
    created = project.entry(alice.keys, ops=(move(feature, None, head, b"L" * 92),))
    assert alice.push_entry(created, operation=Operation.BRANCHES_CHANGE).status_code == 201
    project.took(created)
    names = {"project": project.id.b64}
    found = Branches.model_validate(alice.send(Operation.BRANCHES, names).json())
    assert found.seq == 2
    assert {branch.branch: branch.head for branch in found.branches} == {
        project.main.b64: head.id.b64,
        feature.b64: head.id.b64,
    }
    assert {branch.epoch for branch in found.branches} == {1}
    deleted = project.entry(alice.keys, ops=(move(feature, head, None),))
    assert alice.push_entry(deleted, operation=Operation.BRANCHES_CHANGE).status_code == 201
    project.took(deleted)
    assert len(alice.send(Operation.BRANCHES, names).json()["branches"]) == 1
    new = project.entry(alice.keys, project.commit())
    answer = alice.push_entry(new, operation=Operation.BRANCHES_CHANGE)
    assert "push" in problem(answer, 422, "entry-refused")["hint"]


def test_a_revert_restores_an_older_state(alice: Person) -> None:
    project = alice.new_project()
    old = alice.push(project).commits[0]
    alice.push(project)
    back = replace(project.commit(root=old.root), same=old.id)
    pack = b"the commit"
    entry = project.entry(alice.keys, back, packs=[pack])
    assert alice.push_entry(entry, [pack], Operation.REVERT).status_code == 201
    project.took(entry)
    lie = replace(project.commit(), same=old.id)
    answer = alice.push_entry(project.entry(alice.keys, lie), operation=Operation.REVERT)
    assert problem(answer, 422, "entry-refused")["detail"].startswith("ops: ")
    plain = project.entry(alice.keys, project.commit())
    answer = alice.push_entry(plain, operation=Operation.REVERT)
    problem(answer, 422, "entry-refused")


def test_a_limit_is_told_with_its_numbers(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", SOPOR_QUOTA_BYTES="5000") as small:
        alice = Person.register(small.url)
        project = alice.new_project()
        alice.push(project, packs=[bytes(2000)])
        pack = secrets.token_bytes(3000)
        entry = project.entry(alice.keys, project.commit(), packs=[pack])
        found = problem(alice.push_entry(entry, [pack]), 403, "quota-exceeded")
        assert "5000" in found["detail"]
        assert "SOPOR_QUOTA_BYTES" in found["hint"]
        names = {"project": project.id.b64, "pack": pack_id(pack).b64}
        octets = {"Content-Type": "application/octet-stream"}
        answer = alice.send(Operation.PACK_PUT, names, data=pack, headers=octets)
        problem(answer, 403, "quota-exceeded")


def push_many(url: str, person: Person, project: Project, count: int) -> list[CommitId]:
    """Pushes commits one by one, each until it lands, taking in what it lacks from the answers."""
    person = Person(url, person.keys, person.session)
    landed: list[CommitId] = []
    while len(landed) < count:
        entry = project.entry(person.keys, project.commit(), packs=[secrets.token_bytes(64)])
        pack = secrets.token_bytes(200)
        entry = replace(entry, packs=(ListedPack(pack_id(pack), 200),)).sign(person.keys.signing)
        answer = person.push_entry(entry, [pack])
        if answer.status_code == 201:
            project.took(entry)
            landed.append(entry.commits[0].id)
            continue
        assert answer.status_code == 409, answer.text
        lacks = Pulled.of(answer.content)
        assert lacks.control["problem"]["code"] == "log-moved"
        for lacking, its_pack in zip(lacks.entries, lacks.packs, strict=True):
            assert lacking.packs[0].id == pack_id(its_pack)
            project.took(lacking)
    return landed


def check_race(servers: list[RunningServer], alice: Person, project: Project) -> None:
    calls = [
        (push_many, servers[number % len(servers)].url, alice.login(), project, 12)
        for number in range(4)
    ]
    outcomes = in_processes(calls)
    assert all(isinstance(landed, list) for landed in outcomes), outcomes
    pulled = alice.pull(project, EMPTY_LOG)
    assert [entry.seq for entry in pulled.entries] == list(range(1, 49))
    assert sorted(entry.commits[0].id for entry in pulled.entries) == sorted(
        commit for landed in outcomes for commit in landed
    )


def test_four_processes_push_and_every_push_lands_once(
    server: RunningServer, alice: Person
) -> None:
    check_race([server], alice, alice.new_project())


def test_four_processes_push_through_two_servers_on_one_store(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as one:
        two = start_server(one.data)
        try:
            alice = Person.register(one.url)
            check_race([one, two], alice, alice.new_project())
        finally:
            assert two.stop() == 0
