"""A disk that ignores case, as those of macOS do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sopor.formats.record import record_id
from sopor.model.document import Document
from sopor.worktree.disk import Disk
from tests.unit.worktree.folder import Project, bodies, edited, ids, request, workspace

W, A = workspace(), request("req_a")


@pytest.fixture(autouse=True)
def ignore_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every name lead to the file that has it in any case."""
    lstat, unlink = os.lstat, os.unlink

    def found(path: Any) -> Any:
        place = Path(path)
        names = os.listdir(place.parent) if place.parent.is_dir() else []  # noqa: PTH208
        same = [name for name in names if name.lower() == place.name.lower()]
        return str(place.with_name(same[0])) if same else path

    monkeypatch.setattr(os, "lstat", lambda path, **more: lstat(found(path), **more))
    monkeypatch.setattr(os, "unlink", lambda path, **more: unlink(found(path), **more))
    monkeypatch.setattr(
        Disk,
        "same_file",
        lambda disk, one, other: found(disk.place(one)) == found(disk.place(other)),
    )


def replace_ignoring_case(source: str, target: str) -> None:
    for name in os.listdir(Path(target).parent):  # noqa: PTH208
        if name.lower() == Path(target).name.lower():
            Path(target).with_name(name).unlink()
    Path(source).rename(target)


def renamed(old: Document, path: str) -> Document:
    return Document(record_id(path), old.type, {**old.body, "_id": record_id(path), "path": path})


def test_a_file_that_the_user_renamed_in_case_alone(project: Project) -> None:
    project.put("API.json", W, A)
    project.commit()

    project.path("API.json").rename(project.path("api.json"))

    assert project.scan().changes.keys() == {record_id("API.json"), record_id("api.json")}
    project.commit()
    assert not project.scan().changes


def test_a_checkout_that_renames_a_file_in_case_alone(project: Project) -> None:
    project.put("API.json", W, A)
    state = project.commit()
    project.replace = replace_ignoring_case
    new = renamed(state.pop(record_id("API.json")), "api.json")
    target = {**state, new.id: new, A.id: edited(A, url="https://new")}

    project.check_out(target)

    assert project.names() == ["api.json"], "it was not removed under its old name"
    assert not project.scan().changes
    assert bodies(project.state()) == bodies(target)


def test_a_change_to_a_file_that_the_user_renamed_in_case_alone(project: Project) -> None:
    project.put("API.json", W, A)
    project.commit()
    project.path("API.json").rename(project.path("api.json"))
    project.replace = replace_ignoring_case
    project.scan()

    project.write({A.id: edited(A, url="https://new")})

    assert project.names() == ["api.json"]
    assert project.here("api.json")["req_a"].body["url"] == "https://new"
    assert ids(project.scan().changes) == {"req_a"}
