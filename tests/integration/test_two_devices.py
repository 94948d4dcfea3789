"""Two devices of one person keep a project in sync: the main job, as stories."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sopor.errors import MergeConflicts, PushRejected, StateConflict
from sopor.repository import Repository
from tests.support.world import World, request, v4_export, workspace, write_files

FILE = "project.json"


def edit(repository: Repository, document: str, **fields: object) -> None:
    """Changes fields of a document in the working file, as Insomnia would."""
    path = repository.root / FILE
    export = json.loads(path.read_bytes())
    for resource in export["resources"]:
        if resource["_id"] == document:
            resource.update(fields)
    path.write_text(json.dumps(export, indent=2))


def look(repository: Repository, document: str) -> dict[str, object]:
    """Reads a document out of the working file."""
    export = json.loads((repository.root / FILE).read_bytes())
    found: dict[str, object] = next(r for r in export["resources"] if r["_id"] == document)
    return found


@pytest.fixture
def pair(world: World) -> tuple[Repository, Repository]:
    """A project of three requests on two devices, both up to date."""
    laptop, desktop = world.device("ada"), world.device("ada")
    first = laptop.start("shop", {FILE: v4_export(workspace(), *map(request, range(3)))})
    first.commit("Start")
    first.push()
    return first, desktop.clone("shop")


def test_a_clone_holds_what_was_pushed(pair: tuple[Repository, Repository]) -> None:
    first, second = pair
    assert second.status().clean
    assert [c.id for c in second.log()] == [c.id for c in first.log()]
    assert look(second, "req_1") == look(first, "req_1")


def test_changes_go_both_ways(pair: tuple[Repository, Repository]) -> None:
    first, second = pair
    edit(first, "req_0", url="https://example.com/new")
    first.commit("Move it")
    first.push()
    assert second.pull().merge.kind == "fast-forward"
    assert look(second, "req_0")["url"] == "https://example.com/new"
    edit(second, "req_1", name="Renamed")
    second.commit("Rename it")
    second.push()
    first.pull()
    assert look(first, "req_1")["name"] == "Renamed"
    assert first.status().clean
    assert second.status().clean


def test_the_second_push_is_rejected_until_it_has_pulled(
    pair: tuple[Repository, Repository],
) -> None:
    first, second = pair
    edit(first, "req_0", name="Ours")
    edit(second, "req_1", name="Theirs")
    first.commit("One")
    second.commit("Two")
    first.push()
    with pytest.raises(PushRejected, match="main moved since your last pull") as rejected:
        second.push()
    assert "sopor pull" in str(rejected.value.hint)
    assert second.pull().merge.kind == "merged"
    second.push()
    first.pull()
    assert look(first, "req_1")["name"] == "Theirs"
    assert look(second, "req_0")["name"] == "Ours"
    assert first.log()[0].id == second.log()[0].id


def test_different_fields_of_one_document_merge(pair: tuple[Repository, Repository]) -> None:
    first, second = pair
    edit(first, "req_0", name="A better name")
    edit(second, "req_0", url="https://example.com/better")
    first.commit("Name")
    second.commit("URL")
    first.sync()
    second.sync()
    first.sync()
    merged = look(first, "req_0")
    assert (merged["name"], merged["url"]) == ("A better name", "https://example.com/better")
    assert look(second, "req_0") == merged


def test_a_conflict_is_kept_until_it_is_settled(pair: tuple[Repository, Repository]) -> None:
    first, second = pair
    edit(first, "req_0", url="https://example.com/first")
    edit(second, "req_0", url="https://example.com/second")
    first.commit("First")
    second.commit("Second")
    first.sync()
    with pytest.raises(MergeConflicts):
        second.sync()
    merge = second.status().merge
    assert merge is not None
    assert [(c.id, c.fields) for c in merge.conflicts] == [("req_0", ("url",))]
    with pytest.raises(MergeConflicts, match="still in conflict"):
        second.commit("Too early")
    with pytest.raises(StateConflict, match="a merge is under way"):
        second.pull()
    second.resolve(["req_0"], "theirs")
    assert look(second, "req_0")["url"] == "https://example.com/first"
    second.merge_continue()
    second.push()
    first.pull()
    assert len(first.log()[0].parents) == 2
    assert look(first, "req_0")["url"] == "https://example.com/first"


def test_a_merge_that_is_given_up_leaves_no_trace(pair: tuple[Repository, Repository]) -> None:
    first, second = pair
    edit(first, "req_0", url="https://example.com/first")
    edit(second, "req_0", url="https://example.com/second")
    first.commit("First")
    second.commit("Second")
    first.push()
    before = (second.root / FILE).read_bytes()
    assert second.pull().merge.kind == "conflicts"
    second.merge_abort()
    assert (second.root / FILE).read_bytes() == before
    assert second.status().clean


def test_a_branch_travels_and_merges(pair: tuple[Repository, Repository]) -> None:
    first, second = pair
    first.switch("feature", create=True)
    edit(first, "req_2", method="POST")
    first.commit("Post it")
    first.push()
    second.fetch()
    assert [b.name for b in second.branches(remote=True)] == ["main", "feature"]
    second.switch("feature")
    assert look(second, "req_2")["method"] == "POST"
    second.switch("main")
    assert look(second, "req_2")["method"] == "GET"
    assert second.merge("feature").kind == "fast-forward"
    second.push()
    first.switch("main")
    first.pull()
    assert look(first, "req_2")["method"] == "POST"


def test_the_project_goes_back_to_an_older_commit(pair: tuple[Repository, Repository]) -> None:
    first, second = pair
    start = first.log()[0].id
    edit(first, "req_0", name="Wrong")
    first.commit("Oops")
    edit(first, "req_1", name="Also wrong")
    first.commit("Oops again")
    first.push()
    first.revert_to(start.hex())
    first.push()
    second.pull()
    assert look(second, "req_0")["name"] == "Request 0"
    assert len(second.log()) == 4
    assert first.fsck().clean
    assert second.fsck().clean


def test_one_commit_in_the_middle_is_undone(pair: tuple[Repository, Repository]) -> None:
    first, _ = pair
    edit(first, "req_0", name="Wrong")
    wrong = first.commit("Oops").commit.id
    edit(first, "req_0", url="https://example.com/right")
    first.commit("Right")
    assert first.revert(wrong.hex()).kind == "merged"
    assert look(first, "req_0")["name"] == "Request 0"
    assert look(first, "req_0")["url"] == "https://example.com/right"


def test_no_document_comes_to_be_stored_against_itself(world: World) -> None:
    """Both versions of a document are next versions of each other, on different branches."""
    laptop, desktop = world.device("ada"), world.device("ada")
    first = laptop.start("shop", {FILE: v4_export(workspace(), request(0))})
    first.commit("Start")
    first.push()
    second = desktop.clone("shop")
    first.switch("side", create=True)
    for name in ("One", "Other"):
        edit(first, "req_0", name=name)
        first.commit(name)
    edit(second, "req_0", name="Other")
    second.commit("The same elsewhere")
    second.push()
    first.switch("main")
    first.pull()
    edit(first, "req_0", name="One")
    first.commit("And back")
    first.push()
    first.close()
    with laptop.open("shop") as again:
        assert again.fsck().clean
        again.switch("side")
        assert look(again, "req_0")["name"] == "Other"
    second.pull()
    assert look(second, "req_0")["name"] == "One"
    assert second.fsck().clean


def test_documents_are_restored_from_a_commit(pair: tuple[Repository, Repository]) -> None:
    first, _ = pair
    edit(first, "req_0", name="Edited")
    edit(first, "req_1", name="Edited too")
    first.restore(["req_0"])
    assert look(first, "req_0")["name"] == "Request 0"
    assert look(first, "req_1")["name"] == "Edited too"
    first.commit("Keep one")
    first.restore(["req_1"], "HEAD~1")
    assert look(first, "req_1")["name"] == "Request 1"
    assert [c.id for c in first.status().changes] == ["req_1"]


def test_chosen_documents_are_committed(pair: tuple[Repository, Repository]) -> None:
    first, _ = pair
    edit(first, "req_0", name="Now")
    edit(first, "req_1", name="Later")
    assert [c.id for c in first.commit("Now", ["req_0"]).changes] == ["req_0"]
    assert [c.id for c in first.status().changes] == ["req_1"]


def test_edits_are_carried_over_a_switch_unless_they_are_in_the_way(
    pair: tuple[Repository, Repository],
) -> None:
    first, _ = pair
    first.switch("other", create=True)
    edit(first, "req_1", name="Other")
    first.commit("Other")
    edit(first, "req_0", name="Not committed")
    first.switch("main")
    assert look(first, "req_0")["name"] == "Not committed"
    edit(first, "req_1", name="In the way")
    with pytest.raises(StateConflict, match="uncommitted changes are in the way: req_1"):
        first.switch("other")
    assert look(first, "req_1")["name"] == "In the way"
    assert first.status().branch == "main"


def test_private_documents_stay_on_their_machine(world: World) -> None:
    laptop, desktop = world.device("ada"), world.device("ada")
    private = {
        "_id": "env_private",
        "_type": "environment",
        "parentId": "env_base",
        "name": "Mine",
        "isPrivate": True,
        "data": {"token": "secret"},
    }
    base = {
        "_id": "env_base",
        "_type": "environment",
        "parentId": "wrk_1",
        "name": "Base",
        "data": {},
    }
    jar = {"_id": "jar_1", "_type": "cookie_jar", "parentId": "wrk_1", "name": "Jar", "cookies": []}
    files = {FILE: v4_export(workspace(), request(1), base, private, jar)}
    first = laptop.start("private", files)
    first.commit("Start")
    first.push()
    second = desktop.clone("private")
    ids = {r["_id"] for r in json.loads((second.root / FILE).read_bytes())["resources"]}
    assert ids == {"wrk_1", "req_1", "env_base"}
    edit(second, "req_1", name="Changed")
    second.commit("Change")
    second.push()
    first.pull()
    assert look(first, "env_private")["data"] == {"token": "secret"}
    assert look(first, "jar_1")["name"] == "Jar"
    assert look(first, "req_1")["name"] == "Changed"


def test_files_are_added_and_removed(pair: tuple[Repository, Repository]) -> None:
    first, second = pair
    other = {"_id": "wrk_2", "_type": "workspace", "parentId": None, "name": "Other"}
    write_files(first.root, {"folder/other.json": v4_export(other)})
    first.commit("Add a file")
    first.push()
    second.pull()
    assert (second.root / "folder/other.json").is_file()
    (second.root / "folder/other.json").unlink()
    second.commit("Remove it")
    second.push()
    first.pull()
    assert not (first.root / "folder/other.json").exists()


def test_everything_but_push_and_pull_works_offline(tmp_path: Path) -> None:
    write_files(tmp_path / "p", {FILE: v4_export(workspace(), request(1))})
    with Repository.init(tmp_path / "p", home=tmp_path / "home") as repository:
        repository.commit("One")
        repository.switch("side", create=True)
        edit(repository, "req_1", name="Side")
        repository.commit("Two")
        repository.switch("main")
        repository.merge("side")
        repository.revert_to("HEAD~1")
        assert [c.subject for c in repository.log()] == ['Revert to "One"', "Two", "One"]
        assert repository.fsck().clean
    assert not (tmp_path / "home").exists()
