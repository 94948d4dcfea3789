"""Organizations and projects over HTTP."""

from __future__ import annotations

from dataclasses import replace

from sopor.remote.answers import MAX_ANSWER_BYTES
from sopor_core.ids import EntryHash, OrgId, ProjectId
from sopor_core.membership import ProjectNew
from sopor_core.push_entry import Citation
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.deflated import split_answer
from sopor_core.wire.parts import Part, PartKind
from sopor_core.wire.routes import Operation
from tests.api.test_accounts import problem
from tests.support.story import Person, Pulled, first_epoch


def test_a_project_is_created_and_listed(alice: Person, bob: Person) -> None:
    project = alice.new_project()
    bob.new_project()
    (found,) = alice.send(Operation.PROJECTS).json()["projects"]
    updated = found.pop("updated")
    assert updated > 0
    assert found == {
        "project": project.id.b64,
        "organization": alice.org.b64,
        "head": EMPTY_LOG.to_json(),
        "seq": 0,
        "bytes": 0,
        "status": "active",
    }
    entry = alice.push(project, packs=[b"pack"])
    (found,) = alice.send(Operation.PROJECTS).json()["projects"]
    assert (found["seq"], found["bytes"]) == (1, len(entry.encoded) + 4)
    assert found["head"] == entry.citation.to_json()
    assert found["updated"] >= updated


def test_the_log_is_read_from_any_entry_on(alice: Person) -> None:
    for _ in range(3):
        alice.new_project()
    log = alice.membership()
    assert [entry.seq for entry in log] == [1, 2, 3, 4]
    for after in range(5):
        answer = alice.send(
            Operation.ORG_ENTRIES, {"org": alice.org.b64}, params={"after": str(after)}
        )
        assert answer.status_code == 200
        assert len(list(split_answer(answer.content, MAX_ANSWER_BYTES))) == 4 - after
    answer = alice.send(Operation.ORG_ENTRIES, {"org": alice.org.b64}, params={"after": "5"})
    problem(answer, 409, "log-shorter")


def test_the_loser_of_a_race_gets_what_it_lacks(alice: Person) -> None:
    late = alice.project_entry(alice.membership()[-1].citation)
    winner = alice.new_project()
    answer = alice.append(late)
    assert answer.status_code == 409
    found = Pulled.of(answer.content)
    assert found.control["problem"]["code"] == "membership-moved"
    assert found.control["members"] == winner.members.to_json()
    assert found.members == [alice.membership()[-1].encoded]


def test_the_same_entry_again_is_answered_again(alice: Person) -> None:
    entry = alice.project_entry(alice.membership()[-1].citation)
    assert [alice.append(entry).status_code for _ in range(2)] == [201, 201]
    alice.new_project()
    assert alice.append(entry).status_code == 201
    assert len(alice.membership()) == 3


def test_what_does_not_verify_is_refused(alice: Person, bob: Person) -> None:
    head = alice.membership()[-1].citation
    good = alice.project_entry(head)
    assert isinstance(good.body, ProjectNew)
    for entry, layer in (
        (replace(good, signature=bytes(64)), "signature"),
        (good.sign(bob.keys.signing), "signature"),
        (replace(good, org=OrgId.random()).sign(alice.keys.signing), "membership"),
        (
            replace(good, body=replace(good.body, first=first_epoch())).sign(alice.keys.signing),
            "membership",
        ),
    ):
        answer = alice.append(entry)
        assert problem(answer, 422, "entry-refused")["detail"].startswith(f"{layer}: ")
    answer = alice.append(alice.keys.genesis())
    assert problem(answer, 422, "entry-refused")["detail"].startswith("membership: ")
    forked = alice.project_entry(Citation(1, EntryHash.random()))
    problem(alice.append(forked), 409, "log-diverged")
    ahead = alice.project_entry(Citation(7, EntryHash.random()))
    problem(alice.append(ahead), 409, "log-shorter")
    assert len(alice.membership()) == 1


def test_a_project_id_is_taken_once(alice: Person, bob: Person) -> None:
    theirs = alice.new_project()
    entry = bob.project_entry(bob.membership()[-1].citation)
    assert isinstance(entry.body, ProjectNew)
    stolen = replace(entry, body=replace(entry.body, project=theirs.id)).sign(bob.keys.signing)
    problem(bob.append(stolen), 422, "entry-refused")
    assert len(bob.membership()) == 1
    alice.push(theirs)


def test_an_entry_comes_alone(alice: Person) -> None:
    entry = alice.project_entry(alice.membership()[-1].citation)
    part = Part(PartKind.MEMBERSHIP_ENTRY, entry.encoded)
    names = {"org": alice.org.b64}
    for parts in ([], [part, part], [Part(PartKind.PUSH_ENTRY, entry.encoded)]):
        problem(alice.send_parts(Operation.ORG_APPEND, names, parts), 400, "malformed")
    assert alice.append(entry).status_code == 201


def test_a_stranger_sees_nothing(alice: Person, bob: Person) -> None:
    project = alice.new_project()
    pack = b"alice's"
    entry = alice.push(project, packs=[pack])
    listed = entry.packs[0].id.b64
    other = bob.new_project()
    details = set()
    for known, unknown in (
        (alice.org.b64, OrgId.random().b64),
        (alice.org.b64, "nonsense"),
    ):
        for org in (known, unknown):
            answer = bob.send(Operation.ORG_ENTRIES, {"org": org})
            details.add(problem(answer, 404, "not-found")["detail"])
    assert len(details) <= 2
    for id_ in (project.id.b64, ProjectId.random().b64):
        names = {"project": id_}
        stolen = replace(project, id=ProjectId.from_b64(id_)).entry(
            bob.keys, project.commit(), packs=[pack]
        )
        for answer in (
            bob.send(Operation.BRANCHES, names),
            bob.send(Operation.PULL, names),
            bob.send(Operation.PACK_GET, {**names, "pack": listed}),
            bob.send(
                Operation.PACK_PUT,
                {**names, "pack": listed},
                data=pack,
                headers={"Content-Type": "application/octet-stream"},
            ),
            bob.push_entry(stolen, [pack]),
            bob.push_entry(stolen, [pack], Operation.REVERT),
            bob.push_entry(stolen, [pack], Operation.BRANCHES_CHANGE),
        ):
            details.add(problem(answer, 404, "not-found")["detail"])
    assert len(details) <= 3
    # A pack of somebody else cannot be had through a project of one's own either.
    names = {"project": other.id.b64}
    problem(bob.send(Operation.PACK_GET, {**names, "pack": listed}), 404, "not-found")
    borrowed = other.entry(bob.keys, other.commit(), packs=[pack])
    problem(bob.push_entry(borrowed), 422, "pack-missing")


def test_nobody_appends_in_another_name(alice: Person, bob: Person) -> None:
    entry = bob.project_entry(bob.membership()[-1].citation, actor=alice.keys.account)
    problem(bob.append(entry), 403, "forbidden")
