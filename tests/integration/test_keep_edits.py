"""What is edited and not committed stays so while other commits come into the same documents."""

from __future__ import annotations

import json
import shutil
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sopor.errors import EditsInTheWay, MergeConflicts, StateConflict, StorageFault
from sopor.repository import Repository
from sopor.worktree.disk import Disk
from tests.integration.crashing import run
from tests.support.world import Device, World, request, v4_export, workspace

FILE, OTHER = "project.json", "folder/other.json"
FOLDER: dict[str, Any] = {
    "_id": "fld_1",
    "_type": "request_group",
    "parentId": "wrk_1",
    "name": "Folder",
}


def resources(repository: Repository, file: str = FILE) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((repository.root / file).read_bytes())["resources"]
    return found


def write(repository: Repository, found: list[dict[str, Any]], file: str = FILE) -> None:
    (repository.root / file).write_bytes(v4_export(*found))


def edit(repository: Repository, document: str, **fields: object) -> None:
    for file in (FILE, OTHER):
        found = resources(repository, file)
        for resource in found:
            if resource["_id"] == document:
                resource.update(fields)
                write(repository, found, file)


def look(repository: Repository, document: str) -> dict[str, Any]:
    both = [*resources(repository), *resources(repository, OTHER)]
    return next(resource for resource in both if resource["_id"] == document)


def changed(repository: Repository) -> list[str]:
    return sorted(change.id for change in repository.status().changes)


def files() -> dict[str, bytes]:
    other = {**workspace("Other"), "_id": "wrk_2"}
    return {
        FILE: v4_export(workspace(), FOLDER, *map(request, range(3))),
        OTHER: v4_export(other, *(request(number, parentId="wrk_2") for number in (4, 5))),
    }


@pytest.fixture
def shop(tmp_path: Path) -> Device:
    """A project on no server: ``ahead`` is a commit after main, ``side`` one beside it.

    Both rename requests 1 and 5; ``side`` adds request 9 as well.
    """
    device = Device(tmp_path / "home", tmp_path)
    with device.start("template", files()) as repository:
        repository.commit("Start")
        for branch in ("ahead", "side"):
            repository.switch(branch, create=True, at="main")
            edit(repository, "req_1", name=branch)
            edit(repository, "req_5", name=branch)
            if branch == "side":
                write(repository, [*resources(repository), request(9, parentId="fld_1")])
            repository.commit(branch)
            repository.switch("main")
            if branch == "ahead":
                repository.create_branch("start")
        edit(repository, "req_0", name="main")
        repository.commit("Main")
        repository.switch("start")
    return device


BRANCHES = [("start", "ahead", "fast-forward"), ("main", "side", "merged")]


@pytest.mark.parametrize(("branch", "comes", "kind"), BRANCHES)
def test_edits_of_documents_that_change_are_merged_and_stay_uncommitted(
    shop: Device, branch: str, comes: str, kind: str
) -> None:
    with shop.open("template") as repository:
        repository.switch(branch)
        edit(repository, "req_1", url="https://mine")
        edit(repository, "req_4", name="mine")
        with pytest.raises(StateConflict, match="in the way: req_1"):
            repository.merge(comes)
        outcome = repository.merge(comes, keep_edits=True)
        assert (outcome.kind, outcome.notes) == (
            kind,
            ("kept what is not committed in 1 document",),
        )
        assert (look(repository, "req_1")["name"], look(repository, "req_1")["url"]) == (
            comes,
            "https://mine",
        )
        assert look(repository, "req_5")["name"] == comes
        assert changed(repository) == ["req_1", "req_4"]
        fields = {diff.change.id: [f.path for f in diff.fields] for diff in repository.diff()}
        assert fields == {"req_1": ["url"], "req_4": ["name"]}
        assert sorted(change.id for change in repository.commit("Mine").changes) == [
            "req_1",
            "req_4",
        ]
        assert repository.status().clean
        assert repository.fsck().clean


@pytest.mark.parametrize(("branch", "comes", "kind"), BRANCHES)
def test_where_both_changed_one_field_nothing_is_changed(
    shop: Device, branch: str, comes: str, kind: str
) -> None:
    with shop.open("template") as repository:
        repository.switch(branch)
        edit(repository, "req_1", name="mine", url="https://mine")
        edit(repository, "req_5", url="https://mine")
        before = [(repository.root / file).read_bytes() for file in (FILE, OTHER)]
        head = repository.status().head
        with pytest.raises(EditsInTheWay) as refused:
            repository.merge(comes, keep_edits=True)
        assert refused.value.documents == ("req_1",)
        assert "mine (req_1): name" in refused.value.message
        assert "req_5" not in refused.value.message
        assert [(repository.root / file).read_bytes() for file in (FILE, OTHER)] == before
        assert repository.status().head == head
        assert changed(repository) == ["req_1", "req_5"]


def test_an_edit_inside_a_folder_that_goes_keeps_the_folder(shop: Device) -> None:
    with shop.open("template") as repository:
        repository.switch("gone", create=True)
        write(repository, [item for item in resources(repository) if item["_id"] != "fld_1"])
        repository.commit("Without the folder")
        repository.switch("start")
        write(repository, [*resources(repository), request(7, parentId="fld_1")])
        repository.merge("gone", keep_edits=True)
        assert look(repository, "fld_1") == FOLDER
        assert look(repository, "req_7")["parentId"] == "fld_1"
        changes = {str(change.id): change.kind.value for change in repository.status().changes}
        assert changes.pop("req_7") == changes.pop("fld_1") == "added"
        assert not changes


def test_what_was_deleted_and_not_committed_stays_deleted(shop: Device) -> None:
    with shop.open("template") as repository:
        kept = [item for item in resources(repository) if item["_id"] not in {"req_0", "req_2"}]
        write(repository, kept)
        repository.merge("ahead", keep_edits=True)
        changes = {str(change.id): change.kind.value for change in repository.status().changes}
        assert changes == {"req_0": "deleted", "req_2": "deleted"}
        assert look(repository, "req_1")["name"] == "ahead"


def test_a_file_deleted_and_not_committed_stays_so_unless_it_is_changed(shop: Device) -> None:
    with shop.open("template") as repository:
        (repository.root / OTHER).unlink()
        with pytest.raises(EditsInTheWay) as refused:
            repository.merge("ahead", keep_edits=True)
        assert refused.value.documents == ("req_5",)
        (repository.root / FILE).unlink()
        repository.restore([OTHER])
        with pytest.raises(EditsInTheWay):
            repository.merge("ahead", keep_edits=True)
        assert not (repository.root / FILE).exists()


def test_the_same_edit_on_both_sides_is_none_any_more(shop: Device) -> None:
    with shop.open("template") as repository:
        edit(repository, "req_1", name="ahead")
        edit(repository, "req_5", name="ahead")
        repository.merge("ahead", keep_edits=True)
        assert repository.status().clean


def test_a_merge_with_conflicts_still_wants_a_clean_working_copy(shop: Device) -> None:
    with shop.open("template") as repository:
        repository.switch("ahead")
        edit(repository, "req_4", name="mine")
        with pytest.raises(StateConflict, match="there are uncommitted changes"):
            repository.merge("side", keep_edits=True)
        assert repository.merge_status() is None
        assert changed(repository) == ["req_4"]


@pytest.mark.parametrize(("branch", "comes", "kind"), BRANCHES)
def test_killed_at_any_moment_no_edit_is_lost(
    shop: Device, branch: str, comes: str, kind: str
) -> None:
    with shop.open("template") as repository:
        repository.switch(branch)
        edit(repository, "req_1", url="https://mine")
        edit(repository, "req_4", name="mine")
    for moment in count(1, 5):
        folder = f"copy-{moment}"
        shutil.copytree(shop.folder / "template", shop.folder / folder)
        calls = run(shop, folder, "merge_keeping_edits", (comes,), moment)
        with shop.open(folder) as repository:
            assert changed(repository) == ["req_1", "req_4"]
            repository.merge(comes, keep_edits=True)
            assert look(repository, "req_1")["name"] == comes
            made = repository.commit("Mine")
            assert sorted(change.id for change in made.changes) == ["req_1", "req_4"]
            assert repository.document("req_1").body["url"] == "https://mine"
            assert repository.status().clean
            assert repository.fsck().clean
        if calls is not None:
            assert moment > 40
            return


@pytest.mark.parametrize(("branch", "comes", "kind"), BRANCHES)
def test_a_disk_that_fails_half_way_leaves_the_edits(
    shop: Device, branch: str, comes: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.open("template") as repository:
        repository.switch(branch)
        edit(repository, "req_1", url="https://mine")
        edit(repository, "req_4", name="mine")
        before = {file: resources(repository, file) for file in (FILE, OTHER)}
        head, put, puts = repository.status().head, Disk.put, count()

        def fail(disk: Disk, staged: Any) -> Any:
            if next(puts) == 1:
                raise StorageFault("the disk fails")
            return put(disk, staged)

        monkeypatch.setattr(Disk, "put", fail)
        with pytest.raises(StorageFault, match="the disk fails"):
            repository.merge(comes, keep_edits=True)
        assert next(puts) > 2
        assert {file: resources(repository, file) for file in (FILE, OTHER)} == before
        assert repository.status().head == head
        assert repository.merge(comes, keep_edits=True).kind == kind


def test_a_file_saved_while_it_is_merged_is_not_overwritten(
    shop: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.open("template") as repository:
        edit(repository, "req_1", url="https://mine")
        flush, flushes = Disk.flush, count()

        def save_meanwhile(disk: Disk, staged: Any) -> None:
            flush(disk, staged)
            if next(flushes) == 0:
                edit(repository, "req_2", name="saved meanwhile")

        monkeypatch.setattr(Disk, "flush", save_meanwhile)
        with pytest.raises(StateConflict, match="saved by another program meanwhile"):
            repository.merge("ahead", keep_edits=True)
        assert look(repository, "req_2")["name"] == "saved meanwhile"
        assert repository.merge("ahead", keep_edits=True).kind == "fast-forward"
        assert look(repository, "req_2")["name"] == "saved meanwhile"
        assert look(repository, "req_1")["url"] == "https://mine"
        assert changed(repository) == ["req_1", "req_2"]


def test_a_pull_keeps_edits_if_it_is_asked_to(world: World) -> None:
    laptop, desktop = world.device("ada"), world.device("ada")
    with laptop.start("shop", files()) as first:
        first.commit("Start")
        first.push()
        with desktop.clone("shop") as second:
            edit(first, "req_1", name="theirs")
            first.commit("Theirs")
            first.push()
            edit(second, "req_1", url="https://mine")
            with pytest.raises(EditsInTheWay):
                second.pull()
            assert second.pull(keep_edits=True).merge.kind == "fast-forward"
            assert look(second, "req_1")["name"] == "theirs"
            assert changed(second) == ["req_1"]
            edit(second, "req_1", name="mine")
            second.commit("Mine")
            edit(first, "req_1", name="theirs again")
            first.commit("Again")
            first.push()
            second.fetch()
            from sopor.repository.syncing import integrate

            with pytest.raises(MergeConflicts) as refused:
                integrate(second.context, keep_edits=True, start=False)
            assert refused.value.documents == ("req_1",)
            assert second.merge_status() is None
