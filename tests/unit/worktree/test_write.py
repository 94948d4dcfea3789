"""How changes get into the files, and what stays as it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sopor.errors import InvalidInput, StateConflict
from sopor.formats import FormatError
from sopor.formats.record import make_record, record_id
from sopor.formats.v4_json import V4Json
from sopor.model.document import Document, DocumentId, Json
from tests.unit.worktree.folder import (
    Project,
    State,
    bodies,
    edited,
    environment,
    folder,
    ids,
    request,
    workspace,
)

W, A, B = workspace(), request("req_a"), request("req_b")
W2, C = workspace("wrk_2"), request("req_c", "wrk_2")


@pytest.fixture
def two_files(project: Project) -> State:
    """Commits two files with one workspace each."""
    project.put("one.json", W, A, B)
    project.put("two.yaml", W2, C)
    return project.commit()


def record(path: str, *documents: Document) -> Document:
    container: dict[str, Json] = {"container": {"_type": "export", "__export_format": 4}}
    return make_record(path, V4Json.name, documents, container)


@pytest.mark.usefixtures("two_files")
def test_a_changed_document_goes_into_its_file_and_no_other_file_is_written(
    project: Project,
) -> None:
    before = project.bytes()
    new = edited(A, url="https://new")

    written = project.write({A.id: new})

    assert (written.written, written.removed, written.warnings) == (("one.json",), (), ())
    assert written.paths == {A.id: "one.json"}
    assert project.here("one.json")["req_a"] == new
    assert project.here("one.json").keys() == {"wrk_1", "req_a", "req_b"}
    assert project.bytes() == {**before, "one.json": project.path("one.json").read_bytes()}


@pytest.mark.usefixtures("two_files")
def test_after_a_checkout_nothing_differs_and_nothing_is_parsed_again(project: Project) -> None:
    target = {**project.state(), A.id: edited(A, url="https://new")}

    project.check_out(target)
    parsed = project.files.files_parsed

    assert not project.scan().changes
    assert not project.files.dirty_paths
    assert project.files.files_parsed == parsed
    assert bodies(project.state()) == bodies(target)


@pytest.mark.usefixtures("two_files")
def test_until_the_baseline_moves_what_was_written_counts_as_changed(project: Project) -> None:
    new = edited(A, url="https://new")

    project.write({A.id: new, B.id: None})

    assert project.scan().changes == {A.id: new, B.id: None}


@pytest.mark.usefixtures("two_files")
def test_edits_that_were_not_committed_survive(project: Project) -> None:
    mine = edited(B, url="https://mine")
    project.put("one.json", W, A, mine, request("req_new"))
    project.scan()

    target = {**project.state(), A.id: edited(A, url="https://theirs")}
    project.check_out(target)

    assert project.here("one.json")["req_a"].body["url"] == "https://theirs"
    assert project.scan().changes == {B.id: mine, "req_new": request("req_new")}


@pytest.mark.usefixtures("two_files")
def test_a_workspace_that_was_not_committed_stays_in_its_file(project: Project) -> None:
    mine = workspace("wrk_mine")
    project.put("one.json", W, A, B, mine, request("req_mine", "wrk_mine"))

    target = project.state()
    target[record_id("one.json")] = edited(
        target[record_id("one.json")], container={"__export_format": 4}
    )
    target[A.id] = edited(A, url="https://theirs")
    project.check_out(target)

    assert project.names() == ["one.json", "two.yaml"]
    assert {"wrk_mine", "req_mine", "req_a"} <= project.here("one.json").keys()
    assert ids(project.scan().changes) == {"wrk_mine", "req_mine"}


@pytest.mark.usefixtures("two_files")
def test_a_document_that_was_edited_since_the_scan_is_not_overwritten(project: Project) -> None:
    project.scan()
    project.put("one.json", W, edited(A, url="https://mine"), B)
    before = project.bytes()

    with pytest.raises(StateConflict, match=r"the request 'the req_a' .* was edited meanwhile"):
        project.write({A.id: edited(A, url="https://theirs")})

    assert project.bytes() == before
    project.scan()
    project.write({B.id: edited(B, url="https://theirs")})
    assert project.here("one.json")["req_a"].body["url"] == "https://mine"


@pytest.mark.usefixtures("two_files")
def test_a_file_saved_by_another_program_during_the_write_is_not_overwritten(
    project: Project,
) -> None:
    def save_meanwhile(source: str, target: str) -> None:
        project.put("two.yaml", W2, edited(C, url="https://mine"))
        Path(source).replace(target)

    project.replace = save_meanwhile
    changes: dict[DocumentId, Document | None] = {
        A.id: edited(A, url="https://theirs"),
        W2.id: edited(W2, description="theirs"),
    }
    with pytest.raises(StateConflict, match=r"two\.yaml was saved by another program"):
        project.write(changes)

    project.replace = os.replace
    project.write(changes)

    assert project.here("two.yaml")["req_c"].body["url"] == "https://mine"
    assert project.here("two.yaml")["wrk_2"].body["description"] == "theirs"
    assert project.here("one.json")["req_a"].body["url"] == "https://theirs"


def test_new_files_go_where_their_records_say(project: Project) -> None:
    documents = [record("deep/down/one.json", W, A), W, A, record("two.json", W2), W2]

    written = project.check_out({document.id: document for document in documents})

    assert written.written == ("deep/down/one.json", "two.json")
    assert project.here("deep/down/one.json").keys() == {"wrk_1", "req_a"}
    assert not project.scan().changes
    assert project.files.path_of(record_id("two.json")) == "two.json"


def test_documents_without_a_record_get_a_file(project: Project) -> None:
    project.check_out({W.id: edited(W, name="Pet Store"), A.id: A})

    assert project.names() == ["pet-store.yaml"]
    assert project.here("pet-store.yaml").keys() == {"wrk_1", "req_a"}


def test_a_new_document_goes_to_the_file_of_its_parent(project: Project) -> None:
    project.put("one.json", W, folder("fld_1"))
    project.put("two.json", W2)
    state = project.commit()

    deep, new = request("req_deep", "fld_new"), folder("fld_new", "fld_1")
    project.check_out({**state, deep.id: deep, new.id: new})

    assert project.here("one.json").keys() == {"wrk_1", "fld_1", "fld_new", "req_deep"}
    assert project.files.path_of(deep.id) == "one.json"
    assert not project.scan().changes


@pytest.mark.usefixtures("two_files")
def test_a_file_whose_record_is_dropped_is_removed_with_its_empty_folders(
    project: Project,
) -> None:
    before = project.state()
    project.put("deep/down/three.json", workspace("wrk_3"))
    project.put("deep/four.json", workspace("wrk_4"))
    after = project.commit()

    written = project.check_out(before)

    assert written.removed == ("deep/down/three.json", "deep/four.json")
    assert project.names() == ["one.json", "two.yaml"]
    assert not project.path("deep").exists()
    assert not project.scan().changes
    project.check_out(after)
    assert project.names() == ["deep/down/three.json", "deep/four.json", "one.json", "two.yaml"]
    assert not project.scan().changes


@pytest.mark.usefixtures("two_files")
def test_a_folder_with_other_files_in_it_stays(project: Project) -> None:
    before = project.state()
    project.put("deep/three.json", workspace("wrk_3"))
    project.path("deep/notes.txt").write_text("mine")
    project.commit()

    project.check_out(before)

    assert project.names() == ["deep/notes.txt", "one.json", "two.yaml"]


@pytest.mark.usefixtures("two_files")
def test_a_file_that_is_dropped_stays_for_what_was_not_committed(project: Project) -> None:
    before = project.state()
    project.put("three.json", workspace("wrk_3"), request("req_3", "wrk_3"))
    project.commit()
    mine = request("req_mine", "wrk_3")
    project.put("three.json", workspace("wrk_3"), request("req_3", "wrk_3"), mine)

    project.check_out(before)

    assert project.here("three.json") == {"req_mine": mine}
    assert ids(project.scan().changes) == {"req_mine"}


@pytest.mark.usefixtures("two_files")
def test_documents_move_between_files_with_all_that_is_below_them(project: Project) -> None:
    state = project.state()
    inner = folder("fld_in", "fld_out")
    out = folder("fld_out")
    deep = request("req_deep", "fld_in")
    project.put("one.json", W, A, B, out, inner, deep)
    state = project.commit()

    moved = edited(out, parentId="wrk_2")
    written = project.check_out({**state, out.id: moved})

    assert written.written == ("one.json", "two.yaml")
    assert project.here("two.yaml").keys() == {"wrk_2", "req_c", "fld_out", "fld_in", "req_deep"}
    assert project.here("one.json").keys() == {"wrk_1", "req_a", "req_b"}
    assert not project.scan().changes
    assert project.files.path_of(deep.id) == "two.yaml"


@pytest.mark.usefixtures("two_files")
def test_an_edit_below_a_folder_that_moves_goes_with_it(project: Project) -> None:
    out, deep = folder("fld_out"), request("req_deep", "fld_out")
    project.put("one.json", W, A, B, out, deep)
    state = project.commit()
    mine = edited(deep, url="https://mine")
    project.put("one.json", W, A, B, out, mine)

    project.check_out({**state, out.id: edited(out, parentId="wrk_2")})

    assert project.here("two.yaml")["req_deep"] == mine
    assert project.scan().changes == {deep.id: mine}


@pytest.mark.usefixtures("two_files")
def test_a_file_is_renamed_by_its_records(project: Project) -> None:
    state = project.state()
    old, new = record_id("one.json"), record("sub/renamed.json", W, A, B)
    target = {name: document for name, document in state.items() if name != old}
    target[new.id] = new

    written = project.check_out(target)

    assert (written.written, written.removed) == (("sub/renamed.json",), ("one.json",))
    assert project.names() == ["sub/renamed.json", "two.yaml"]
    assert not project.scan().changes
    assert project.files.path_of(A.id) == "sub/renamed.json"


@pytest.mark.usefixtures("two_files")
def test_a_change_follows_a_file_that_the_user_renamed(project: Project) -> None:
    project.path("one.json").rename(project.path("mine.json"))
    project.scan()

    project.write({A.id: edited(A, url="https://theirs")})

    assert project.names() == ["mine.json", "two.yaml"]
    assert project.here("mine.json")["req_a"].body["url"] == "https://theirs"
    assert project.here("mine.json").keys() == {"wrk_1", "req_a", "req_b"}


@pytest.mark.usefixtures("two_files")
def test_a_missing_file_comes_back_with_the_change_that_goes_to_it(project: Project) -> None:
    project.path("one.json").unlink()
    project.scan()

    written = project.write({A.id: edited(A, url="https://theirs")})

    assert project.here("one.json").keys() == {"wrk_1", "req_a", "req_b"}
    assert written.warnings == ("one.json was missing: 2 documents of it have been written again",)
    assert project.scan().changes.keys() == {"req_a"}


@pytest.mark.usefixtures("two_files")
def test_a_missing_file_stays_missing_when_the_change_drops_from_it(project: Project) -> None:
    project.path("one.json").unlink()
    project.scan()

    written = project.write({A.id: None})

    assert (written.written, project.names()) == ((), ["two.yaml"])


@pytest.mark.usefixtures("two_files")
def test_restoring_what_the_user_deleted(project: Project) -> None:
    before = project.bytes()
    state = project.state()
    project.path("one.json").unlink()
    changes = project.scan().changes

    project.write({name: state[name] for name in changes})

    assert not project.scan().changes
    assert before.keys() == project.bytes().keys()


@pytest.mark.usefixtures("two_files")
def test_a_foreign_file_in_the_way_is_never_overwritten(project: Project) -> None:
    project.path("three.json").write_text('{"name": "package"}')
    three = workspace("wrk_3")
    new = record("three.json", three)

    with pytest.raises(StateConflict, match=r"three\.json is in the way"):
        project.check_out({**project.state(), three.id: three, new.id: new})

    assert project.path("three.json").read_text() == '{"name": "package"}'


@pytest.mark.usefixtures("two_files")
def test_a_new_file_at_the_path_of_an_incoming_one_keeps_its_documents(project: Project) -> None:
    mine = workspace("wrk_mine")
    project.put("three.json", mine, request("req_mine", "wrk_mine"))
    three = workspace("wrk_3")
    new = record("three.json", three)

    project.check_out({**project.state(), three.id: three, new.id: new})

    assert project.here("three.json").keys() == {"wrk_mine", "req_mine", "wrk_3"}
    assert ids(project.scan().changes) == {"wrk_mine", "req_mine"}


def test_a_format_that_cannot_hold_a_change_is_refused_before_anything_is_written(
    project: Project,
) -> None:
    project.put("one.json", W2, C)
    project.commit()
    before = project.bytes()
    newer = edited(record("two.json", W), format="insomnia.v9.json")

    with pytest.raises(FormatError, match=r"insomnia\.v9\.json is not known"):
        project.write({C.id: edited(C, url="new"), W.id: W, newer.id: newer})

    assert project.bytes() == before


@pytest.mark.usefixtures("two_files")
def test_the_mode_of_a_file_is_kept(project: Project) -> None:
    project.path("one.json").chmod(0o640)
    project.scan()

    project.write({A.id: edited(A, url="https://new")})

    assert project.path("one.json").stat().st_mode & 0o777 == 0o640


def test_a_new_file_has_the_mode_that_the_umask_leaves(project: Project) -> None:
    old = os.umask(0o027)
    try:
        project.check_out({W.id: W, record("one.json", W).id: record("one.json", W)})
    finally:
        os.umask(old)

    assert project.path("one.json").stat().st_mode & 0o777 == 0o640


@pytest.mark.usefixtures("two_files")
def test_no_temporary_file_is_left_and_those_of_killed_commands_are_removed(
    project: Project,
) -> None:
    (project.root / ".sopor-0123456789abcdef.tmp").write_text("half a file")

    project.write({A.id: edited(A, url="https://new")})

    assert project.names() == ["one.json", "two.yaml"]
    assert not list((project.root / ".sopor").glob("*.tmp"))


@pytest.mark.usefixtures("two_files")
def test_nothing_to_change_writes_nothing(project: Project) -> None:
    before = {name: project.path(name).stat() for name in project.names()}

    written = project.write({A.id: A, request("req_gone").id: None})

    assert (written.written, written.removed) == ((), ())
    assert {name: project.path(name).stat() for name in project.names()} == before


def test_a_clone_writes_all_files(make: Callable[[str], Project]) -> None:
    source, clone = make("source"), make("clone")
    source.put("one.json", W, A, environment("env_1"))
    source.put("sub/two.yaml", W2, C)
    source.put_v5("v5.yaml", workspace("wrk_3"), request("req_3", "wrk_3"))
    state = source.commit()
    clone.store.update(source.store)

    written = clone.files.write_all(state.values())
    clone.move_baseline(state)

    assert written.written == ("one.json", "sub/two.yaml", "v5.yaml")
    assert not clone.scan().changes
    assert bodies(clone.state()) == bodies(state)
    assert clone.files.files_parsed == 0


def test_a_clone_leaves_other_files_alone_and_refuses_different_ones(
    make: Callable[[str], Project],
) -> None:
    source, clone = make("source"), make("clone")
    source.put("one.json", W, A)
    source.put("two.json", W2, C)
    state = source.commit()
    clone.put("one.json", W, A)
    clone.put("two.json", W2, edited(C, url="https://mine"))
    clone.path("notes.txt").write_text("mine")
    before = clone.bytes()

    with pytest.raises(StateConflict, match=r"there already: two\.json"):
        clone.files.write_all(state.values())
    assert clone.bytes() == before

    written = clone.files.write_all(state.values(), overwrite=True)
    assert written.written == ("two.json",)
    assert clone.bytes().keys() == before.keys()
    assert bodies(clone.here("two.json")) == bodies({W2.id: W2, C.id: C})


def test_a_clone_replaces_a_foreign_file_only_when_told(make: Callable[[str], Project]) -> None:
    source, clone = make("source"), make("clone")
    source.put("one.json", W, A)
    state = source.commit()
    clone.path("one.json").write_text("{}")

    with pytest.raises(StateConflict, match=r"one\.json is in the way"):
        clone.files.write_all(state.values())
    clone.files.write_all(state.values(), overwrite=True)

    assert clone.here("one.json").keys() == {"wrk_1", "req_a"}


@pytest.mark.parametrize(
    "path",
    [
        "/etc/cron.d/evil.json",
        "../evil.json",
        "sub/../../evil.json",
        "./evil.json",
        "sub//evil.json",
        ".sopor/evil.json",
        ".SOPOR/evil.json",
        "sub/.sopor/evil.json",
        ".git/evil.json",
        ".\u200dgit/evil.json",
        "\u200d.git/evil.json",
        ".vscode/tasks.json",
        "node_modules/evil.json",
        "Node_Modules/evil.json",
        ".evil.json",
        "evil.sh",
        "evil",
        "C:\\evil.json",
        "sub\\evil.json",
        "nul\x00byte.json",
        "line\nfeed.json",
        "escape\x1b.json",
        "half\ud800.json",
        "cafe\u0301.json",
    ],
)
def test_paths_that_lead_elsewhere_are_refused(project: Project, path: str) -> None:
    identity = DocumentId("sopor_file_evil")
    body: dict[str, Json] = {
        "_id": identity,
        "_type": "sopor_file",
        "path": path,
        "format": V4Json.name,
        "roots": ["wrk_1"],
    }
    evil = {W.id: W, identity: Document(identity, "sopor_file", body)}
    outside = sorted(project.root.parent.iterdir())

    with pytest.raises(InvalidInput, match="path"):
        project.files.write(evil, project.rest)
    with pytest.raises(InvalidInput, match="path"):
        project.files.write_all(evil.values())

    assert project.names() == []
    assert sorted(project.root.parent.iterdir()) == outside


@pytest.mark.parametrize("path", ["con.json", "aux.yml", "a b/ü.json", "ab:c.json", "-x.json"])
def test_unusual_paths_are_fine(project: Project, path: str) -> None:
    made = record(path, W)

    project.check_out({W.id: W, made.id: made})

    assert project.names() == [path]
    assert not project.scan().changes


@pytest.mark.usefixtures("two_files")
def test_two_incoming_files_that_are_one_on_some_disks_are_refused(project: Project) -> None:
    three, four = workspace("wrk_3"), workspace("wrk_4")
    records = [record("API.json", three), record("api.json", four)]
    before = project.bytes()

    with pytest.raises(InvalidInput, match=r"API\.json and api\.json are one file on some disks"):
        project.write({item.id: item for item in (three, four, *records)})

    assert project.bytes() == before
