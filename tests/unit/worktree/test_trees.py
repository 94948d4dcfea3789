"""Trees of files with one document each."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sopor.errors import InvalidInput
from sopor.formats.assign import assign
from sopor.formats.documents_json import DocumentsJson
from sopor.formats.documents_yaml import DocumentsYaml
from sopor.formats.trees import GIT_SYNC, SHARDED, tree_record
from sopor.model.document import DocumentId
from tests.unit.worktree.folder import (
    Project,
    State,
    bodies,
    edited,
    environment,
    folder,
    ids,
    jar,
    request,
    workspace,
)

W, F = workspace("wrk_00"), folder("fld_11", "wrk_00")
A, B = request("req_22a", "fld_11"), request("req_22b", "fld_11")
TREE = tree_record(".", SHARDED)


def place(project: Project, document_id: str) -> str:
    """Returns the one file of a document, looking at the names alone."""
    (found,) = [name for name in project.names() if name.endswith(f"/{document_id}.json")]
    return found


def put(project: Project, *documents: object) -> None:
    """Writes documents into the tree, as another tool would."""
    for path, held in assign([TREE, *documents]).items():  # type: ignore[list-item]
        file = project.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(DocumentsJson().write(held.record, held.documents))


@pytest.fixture
def committed(project: Project) -> State:
    put(project, W, F, A, B)
    return project.commit()


def test_a_tree_has_one_record(project: Project) -> None:
    put(project, W, F, A, B)

    scan = project.scan()

    assert scan.changes.keys() == {"wrk_00", "fld_11", "req_22a", "req_22b", TREE.id}
    assert scan.paths[A.id] == "Request/22/req_22a.json"
    assert scan.paths[TREE.id] == "./"


@pytest.mark.usefixtures("committed")
def test_one_changed_document_is_one_parsed_file(project: Project) -> None:
    assert not project.reopen().scan().changes
    assert project.files.files_parsed == 0

    new = edited(A, url="https://new")
    put(project, new)

    assert project.scan().changes == {A.id: new}
    assert project.files.files_parsed == 1
    project.commit()
    parsed = project.files.files_parsed
    assert not project.scan().changes
    assert project.files.files_parsed == parsed


@pytest.mark.usefixtures("committed")
def test_a_deleted_file_is_a_deleted_document(project: Project) -> None:
    project.path(place(project, "req_22a")).unlink()

    assert project.scan().changes == {A.id: None}
    project.commit()
    assert not project.scan().changes


@pytest.mark.usefixtures("committed")
def test_the_record_goes_with_the_last_file(project: Project) -> None:
    for name in project.names():
        project.path(name).unlink()

    assert project.scan().changes.keys() == {"wrk_00", "fld_11", "req_22a", "req_22b", TREE.id}
    assert set(project.scan().changes.values()) == {None}
    project.commit()
    assert not project.files.baseline()
    put(project, W)
    assert project.scan().changes.keys() == {"wrk_00", TREE.id}


def test_changes_are_written_into_their_files(project: Project, committed: State) -> None:
    new = request("req_33", "fld_11")
    target = {**committed, A.id: edited(A, url="https://new"), new.id: new}
    del target[B.id]

    written = project.check_out(target)

    assert written.written == ("Request/22/req_22a.json", "Request/33/req_33.json")
    assert written.removed == ("Request/22/req_22b.json",)
    assert not project.scan().changes
    assert bodies(project.state()) == bodies(target)


def test_a_new_document_without_a_parent_goes_into_the_tree(
    project: Project, committed: State
) -> None:
    new = workspace("wrk_99")

    project.check_out({**committed, new.id: new})

    assert place(project, "wrk_99") == "Workspace/99/wrk_99.json"
    assert not project.scan().changes


def test_switching_between_a_tree_and_a_file(project: Project, committed: State) -> None:
    for name in project.names():
        project.path(name).unlink()
    project.put("one.json", W, F, A, edited(B, url="https://new"))
    as_file = project.commit()
    assert TREE.id not in as_file

    project.check_out(committed)
    assert not project.path("one.json").exists()
    assert len(project.names()) == 4
    assert not project.scan().changes
    assert bodies(project.state()) == bodies(committed)

    project.check_out(as_file)
    assert project.names() == ["one.json"]
    assert not project.scan().changes


def test_local_documents_in_a_tree_stay(project: Project) -> None:
    secret, cookies = environment("env_44", "wrk_00", private=True), jar("jar_55", "wrk_00", "c")
    put(project, W, F, A, B, secret, cookies)
    state = project.commit()
    assert ids(state) == {"wrk_00", "fld_11", "req_22a", "req_22b"}

    project.check_out({**state, A.id: edited(A, url="https://new")})
    project.check_out({})

    assert project.names() == ["CookieJar/55/jar_55.json", "Environment/44/env_44.json"]
    assert not project.scan().changes
    project.check_out(state)
    assert len(project.names()) == 6
    assert not project.scan().changes


def test_a_clone_of_a_tree(make: Callable[[str], Project]) -> None:
    source, clone = make("source"), make("clone")
    put(source, W, F, A, B)
    state = source.commit()
    clone.store.update(source.store)

    clone.files.write_all(state.values())
    clone.move_baseline(state)

    assert not clone.scan().changes
    assert clone.files.files_parsed == 0
    assert clone.bytes() == source.bytes()


def test_a_document_in_a_file_of_its_own_outside_of_a_tree(project: Project) -> None:
    project.put_single("lonely.json", A)
    project.commit()
    new = edited(A, url="https://new")

    project.check_out({**project.state(), A.id: new})

    assert project.here("lonely.json") == {A.id: new}
    assert not project.scan().changes


GIT_TREE = tree_record(".insomnia", GIT_SYNC)


def test_the_tree_of_older_git_sync_is_a_working_copy(project: Project) -> None:
    for path, held in assign([GIT_TREE, W, F, A, B]).items():
        file = project.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(DocumentsYaml().write(held.record, held.documents))
    project.path(".git").mkdir()
    project.path(".git/x.yml").write_bytes(
        project.path(".insomnia/Request/req_22a.yml").read_bytes()
    )

    state = project.commit()
    assert state.keys() == {"wrk_00", "fld_11", "req_22a", "req_22b", GIT_TREE.id}
    assert project.reopen().scan().changes == {}
    assert project.files.files_parsed == 0

    new = edited(A, url="https://new")
    written = project.check_out(
        {**state, A.id: new, DocumentId("req_33"): request("req_33", "fld_11")}
    )

    assert written.written == (".insomnia/Request/req_22a.yml", ".insomnia/Request/req_33.yml")
    assert project.here(".insomnia/Request/req_22a.yml") == {A.id: new}
    assert not project.scan().changes


def test_no_other_hidden_folder_is_written_to(project: Project) -> None:
    with pytest.raises(InvalidInput, match="is not one that a project file can have"):
        project.check_out({W.id: W, TREE.id: tree_record(".github", GIT_SYNC)})
    assert project.names() == []
