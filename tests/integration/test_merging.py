"""Merges in a working copy from the first conflict to the last choice, without a server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sopor.errors import NotFound, SoporError, StateConflict
from sopor.repository import Repository
from sopor_core.errors import InvalidValue
from tests.support.world import Device, request, v4_export, workspace

FILE, OTHER = "project.json", "other.json"
Resources = dict[str, dict[str, Any]]


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path / "home", tmp_path)


@pytest.fixture
def repository(device: Device) -> Iterator[Repository]:
    """A project with a folder, four requests and a second workspace in a file of its own."""
    folder = {"_id": "fld_1", "_type": "request_group", "parentId": "wrk_1", "name": "Folder"}
    second = {**workspace("Other"), "_id": "wrk_2"}
    files = {
        FILE: v4_export(workspace(), folder, *map(request, range(3))),
        OTHER: v4_export(second, request(7, parentId="wrk_2")),
    }
    with device.start("shop", files) as repository:
        repository.commit("Start")
        yield repository


def edit(repository: Repository, change: Callable[[Resources], None], file: str = FILE) -> None:
    """Changes resources of a working file, by their ids."""
    path = repository.root / file
    export = json.loads(path.read_bytes())
    resources = {resource["_id"]: resource for resource in export["resources"]}
    change(resources)
    export["resources"] = list(resources.values())
    path.write_text(json.dumps(export, indent=2))


def look(repository: Repository, file: str = FILE) -> Resources:
    export = json.loads((repository.root / file).read_bytes())
    return {resource["_id"]: resource for resource in export["resources"]}


def diverge(
    repository: Repository,
    ours: Callable[[Resources], None],
    theirs: Callable[[Resources], None],
    files: tuple[str, str] = (FILE, FILE),
) -> None:
    """Commits one change on main and one on the branch ``side``."""
    repository.switch("side", create=True)
    edit(repository, theirs, files[1])
    repository.commit("Theirs")
    repository.switch("main")
    edit(repository, ours, files[0])
    repository.commit("Ours")


def put(resource: dict[str, Any]) -> Callable[[Resources], None]:
    return lambda resources: resources.update({resource["_id"]: resource})


def fields(document: str, **values: object) -> Callable[[Resources], None]:
    return lambda resources: resources[document].update(values)


def without(*documents: str) -> Callable[[Resources], None]:
    def change(resources: Resources) -> None:
        for document in documents:
            del resources[document]

    return change


# ------------------------------------------------------------------------------- file records


def test_both_add_documents_without_a_parent_and_nothing_is_left_to_commit(
    repository: Repository,
) -> None:
    def ours(resources: Resources) -> None:
        for number in (31, 33):
            resources.update({f"req_{number}": request(number, parentId="gone")})

    diverge(repository, ours, put(request(32, parentId="gone")))
    assert repository.merge("side").kind == "merged"
    assert {"req_31", "req_32", "req_33"} <= look(repository).keys()
    assert repository.status().clean
    assert not repository.diff("HEAD")


def test_a_file_is_deleted_while_the_other_one_adds_a_request_to_it(
    repository: Repository,
) -> None:
    repository.switch("side", create=True)
    edit(repository, put(request(8, parentId="wrk_2")), OTHER)
    repository.commit("Add a request")
    repository.switch("main")
    (repository.root / OTHER).unlink()
    repository.commit("Delete the file")
    outcome = repository.merge("side")
    assert outcome.kind == "merged"
    assert outcome.notes == ("kept wrk_2, as req_8 lies in it",)
    assert look(repository, OTHER).keys() == {"wrk_2", "req_8"}
    assert sorted(path.name for path in repository.root.glob("*.json")) == [OTHER, FILE]
    assert repository.status().clean


def test_both_rename_a_file_and_it_has_one_name_after_it(repository: Repository) -> None:
    repository.switch("side", create=True)
    (repository.root / OTHER).rename(repository.root / "theirs.json")
    repository.commit("Theirs")
    repository.switch("main")
    (repository.root / OTHER).rename(repository.root / "ours.json")
    edit(repository, fields("req_7", name="Edited"), "ours.json")
    repository.commit("Ours")
    assert repository.merge("side").kind == "merged"
    (name,) = {path.name for path in repository.root.glob("*.json")} - {FILE}
    assert name in {"ours.json", "theirs.json"}
    assert look(repository, name)["req_7"]["name"] == "Edited"
    assert repository.status().clean


# --------------------------------------------------------------------------- choices and the tree


def test_a_choice_that_deletes_a_folder_keeps_it_for_what_lies_in_it(
    repository: Repository,
) -> None:
    diverge(
        repository,
        lambda r: (fields("fld_1", name="Kept")(r), put(request(5, parentId="fld_1"))(r))[0],
        without("fld_1"),
    )
    outcome = repository.merge("side")
    assert [conflict.id for conflict in outcome.conflicts] == ["fld_1"]
    (info,) = repository.resolve(["fld_1"], "theirs")
    assert info.resolved
    assert info.notes == ("kept fld_1, as req_5 lies in it",)
    repository.merge_continue()
    assert look(repository)["req_5"]["parentId"] == "fld_1"
    assert look(repository)["fld_1"]["name"] == "Kept"
    assert repository.status().clean


def test_a_choice_that_moves_a_request_into_a_deleted_folder_brings_that_back(
    repository: Repository,
) -> None:
    def ours(resources: Resources) -> None:
        put({**resources["fld_1"], "_id": "fld_2"})(resources)
        fields("req_1", parentId="fld_2")(resources)
        without("fld_1")(resources)

    diverge(repository, ours, fields("req_1", parentId="fld_1"))
    outcome = repository.merge("side")
    assert [(c.id, c.fields) for c in outcome.conflicts] == [("req_1", ("parentId",))]
    assert "fld_1" not in look(repository)
    (info,) = repository.resolve(["req_1"], "theirs")
    assert info.notes == ("kept fld_1, as req_1 lies in it",)
    assert look(repository)["req_1"]["parentId"] == "fld_1"
    assert look(repository)["fld_1"]["name"] == "Folder"
    repository.merge_continue()
    assert repository.status().clean


def test_choices_that_move_two_folders_into_each_other_make_no_cycle(
    repository: Repository,
) -> None:
    folder = look(repository)["fld_1"]
    for name in ("fld_2", "fld_3"):
        edit(repository, put({**folder, "_id": name}))
    repository.commit("Folders")
    diverge(
        repository,
        lambda r: (fields("fld_1", parentId="fld_2")(r), fields("fld_2", parentId="fld_3")(r))[0],
        lambda r: (fields("fld_1", parentId="fld_3")(r), fields("fld_2", parentId="fld_1")(r))[0],
    )
    assert len(repository.merge("side").conflicts) == 2
    repository.resolve(["fld_2"], "theirs")
    repository.resolve(["fld_1"], "ours")
    parents = {name: item["parentId"] for name, item in look(repository).items()}
    for start in ("fld_1", "fld_2", "fld_3"):
        seen = []
        at = start
        while at in parents and at not in seen:
            seen.append(at)
            at = parents[at]
        assert at is None, f"{start} lies in a cycle: {seen}"
    repository.merge_continue()
    assert repository.status().clean


# ------------------------------------------------------------------- both, a value, later, never


@pytest.fixture
def conflicting(repository: Repository) -> Repository:
    """A merge that stopped at three places of one request, and at another request as a whole."""
    first = {"description": "One.\n", "name": "List pets", "url": "https://a"}
    edit(repository, fields("req_0", **first))
    repository.commit("Before")
    ours = {"description": "One.\nOurs.\n", "name": "Ours", "url": "https://ours"}
    theirs = {"description": "One.\nTheirs.\n", "name": "Theirs", "url": "https://theirs"}
    diverge(
        repository,
        lambda r: (fields("req_0", **ours)(r), fields("req_1", name="Edited")(r))[0],
        lambda r: (fields("req_0", **theirs)(r), without("req_1")(r))[0],
    )
    assert repository.merge("side").kind == "conflicts"
    return repository


def test_each_field_is_settled_in_its_own_way(conflicting: Repository, device: Device) -> None:
    conflicting.resolve(["req_0"], "both", "description")
    conflicting.close()
    with device.open("shop") as later:
        merge = later.merge_status()
        assert merge is not None
        assert [c.fields for c in merge.conflicts] == [("name", "url"), ("",)]
        later.resolve(["req_0"], "both", "name")
        with pytest.raises(InvalidValue, match="can't be as on both sides"):
            later.resolve(["req_0"], "both", "url")
        with pytest.raises(NotFound, match="no conflict at 'name'"):
            later.resolve_with("req_0", "again", "name")
        infos = later.resolve_with("req_0", "https://mine", "url")
        assert [info.resolved for info in infos] == [True, False]
        later.resolve([], "both")
        later.merge_continue()
        found = look(later)
        assert found["req_0"]["description"] == "One.\nOurs.\nTheirs.\n"
        assert found["req_0"]["name"] == "Ours / Theirs"
        assert found["req_0"]["url"] == "https://mine"
        assert found["req_1"]["name"] == "Edited"
        assert later.status().clean


def test_everything_is_not_restored_during_a_merge(conflicting: Repository) -> None:
    """The merge would be committed without what it brought, and nothing would say so."""
    before = look(conflicting)
    with pytest.raises(StateConflict, match="a merge is under way"):
        conflicting.restore(["."])
    assert look(conflicting) == before


def test_giving_up_restores_the_very_bytes(device: Device) -> None:
    text = (
        "type: collection.insomnia.rest/5.0\nname: Shop   # our shop\nmeta:\n  id: wrk_1\n"
        "collection:\n  # the first one\n  - url: 'https://a'\n    name:   Pets  # by name\n"
        "    meta: {id: req_1}\n    method: GET\n"
    )
    with device.start("odd", {"odd.yaml": text.encode()}) as repository:
        path = repository.root / "odd.yaml"
        repository.commit("Start")
        repository.switch("side", create=True)
        path.write_text(text.replace("https://a", "https://b").replace("Pets", "Animals"))
        repository.commit("Theirs")
        repository.switch("main")
        path.write_text(text.replace("https://a", "https://c"))
        repository.commit("Ours")
        before = path.read_bytes()
        assert repository.merge("side").kind == "conflicts"
        assert path.read_bytes() != before
        repository.merge_abort()
        assert path.read_bytes() == before
        assert repository.status().clean
        assert not (repository.root / ".sopor" / "merge-files.json").exists()


def test_giving_up_keeps_what_was_edited_in_a_private_environment(device: Device) -> None:
    private: dict[str, Any] = {"_id": "env_1", "_type": "environment", "parentId": "wrk_1"}
    private |= {"name": "Mine", "isPrivate": True, "data": {"token": "old"}}
    files = {FILE: v4_export(workspace(), request(0), private)}
    with device.start("private", files) as repository:
        repository.commit("Start")
        diverge(repository, fields("req_0", url="https://a"), fields("req_0", url="https://b"))
        assert repository.merge("side").kind == "conflicts"
        edit(repository, fields("env_1", data={"token": "new"}))
        repository.merge_abort()
        assert look(repository)["env_1"]["data"] == {"token": "new"}
        assert look(repository)["req_0"]["url"] == "https://a"
        assert repository.status().clean


@pytest.mark.parametrize("action", ["switch", "merge"])
def test_an_error_half_way_leaves_everything_as_it_was(repository: Repository, action: str) -> None:
    """A folder stands where a file of the other branch belongs."""
    repository.switch("side", create=True)
    edit(repository, fields("req_0", url="https://side"))
    extra = v4_export({**workspace("Third"), "_id": "wrk_3"})
    (repository.root / "zoo.json").write_bytes(extra)
    repository.commit("Side")
    repository.switch("main")
    edit(repository, fields("req_1", url="https://main"))
    repository.commit("Main")
    before, head = look(repository), repository.log()[0].id
    (repository.root / "zoo.json").mkdir()
    with pytest.raises(SoporError):
        getattr(repository, action)("side")
    assert look(repository) == before
    assert repository.log()[0].id == head
    status = repository.status()
    assert status.clean
    assert status.branch == "main"
    assert not status.warnings
    (repository.root / "zoo.json").rmdir()
    getattr(repository, action)("side")
    assert look(repository)["req_0"]["url"] == "https://side"
    assert (repository.root / "zoo.json").is_file()
    assert repository.status().clean
    assert repository.fsck().clean


# ------------------------------------------------------------------------ again, and criss-cross


def test_merging_a_branch_that_went_on_brings_no_old_conflict_back(
    conflicting: Repository,
) -> None:
    conflicting.resolve([], "ours")
    conflicting.merge_continue()
    assert conflicting.merge("side").kind == "up-to-date"
    conflicting.switch("side")
    edit(conflicting, fields("req_2", url="https://later"))
    conflicting.commit("Later")
    conflicting.switch("main")
    assert conflicting.merge("side").kind == "merged"
    assert look(conflicting)["req_0"]["name"] == "Ours"
    assert look(conflicting)["req_2"]["url"] == "https://later"


def test_a_criss_cross_history_merges(repository: Repository) -> None:
    """Both branches took each other's first commit; what they settled stays settled."""
    diverge(repository, fields("req_0", name="Main"), fields("req_1", name="Side"))
    main, side = (repository.resolve_revision(name).hex() for name in ("main", "side"))
    repository.merge(side)
    edit(repository, fields("req_0", url="https://main"))
    repository.commit("Main again")
    repository.switch("side")
    repository.merge(main)
    edit(repository, fields("req_1", url="https://side"))
    repository.commit("Side again")
    repository.switch("main")
    assert repository.merge("side").kind == "merged"
    found = look(repository)
    assert (found["req_0"]["name"], found["req_0"]["url"]) == ("Main", "https://main")
    assert (found["req_1"]["name"], found["req_1"]["url"]) == ("Side", "https://side")
    repository.switch("side")
    assert repository.merge("main").kind == "fast-forward"
    assert repository.fsck().clean


# ------------------------------------------------------------------------- one document's history


def test_blame_tells_the_commit_of_each_field_across_a_merge(repository: Repository) -> None:
    headers = [{"name": "Accept", "value": "a"}, {"name": "X", "value": "1"}]
    edit(repository, fields("req_0", headers=headers))
    repository.commit("Headers")
    changed = [headers[0], {"name": "X", "value": "2"}]
    diverge(
        repository, fields("req_0", url="https://ours"), fields("req_0", headers=changed, name="N")
    )
    repository.merge("side", "Merge it")
    told = {field.path: field.commit.subject for field in repository.blame("req_0").fields}
    assert told["method"] == "Start"
    assert told["headers[Accept].value"] == "Headers"
    assert told["headers[X].value"] == told["name"] == "Theirs"
    assert told["url"] == "Ours"
    before = {f.path: f.commit.subject for f in repository.blame("req_0", "HEAD~1").fields}
    assert before["headers[X].value"] == "Headers"
    steps = repository.document_log("req_0", "side")
    assert [(step.commit.subject, [f.path for f in step.fields]) for step in steps] == [
        ("Theirs", ["headers[X].value", "name"]),
        ("Headers", ["headers[Accept]", "headers[X]"]),
        ("Start", [""]),
    ]
    with pytest.raises(NotFound):
        repository.blame("req_99")


def test_blame_goes_into_the_text_of_a_design_document(repository: Repository) -> None:
    text = "openapi: 3.0.3\ninfo:\n  title: Pets\n  version: 1.0.0\n"
    spec = {"_id": "spc_1", "_type": "api_spec", "parentId": "wrk_1", "fileName": "Pets"}
    edit(repository, put({**spec, "contents": text}))
    repository.commit("Spec")
    edit(repository, fields("spc_1", contents=text.replace("1.0.0", "1.1.0")))
    repository.commit("Version")
    told = {field.path: field.commit.subject for field in repository.blame("spc_1").fields}
    assert told["contents.info.title"] == "Spec"
    assert told["contents.info.version"] == "Version"
