"""A write that stops in the middle: nothing is lost, and repeating it leads to the same end."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sopor.formats import recognise
from sopor.formats.record import record_id
from sopor.model.document import Document, DocumentId, Json
from tests.unit.worktree.folder import (
    Project,
    State,
    bodies,
    difference,
    edited,
    environment,
    folder,
    jar,
    request,
    workspace,
)


class Killed(BaseException):
    """The process ends here."""


class Killer:
    """Renames files until it is time to die, before or after the fatal rename."""

    def __init__(self, after: int, late: bool) -> None:
        self.left = after
        self.late = late

    def __call__(self, source: str, target: str) -> None:
        if self.left == 0 and not self.late:
            raise Killed
        Path(source).replace(target)
        if self.left == 0:
            raise Killed
        self.left -= 1


W1, W2, W3 = (workspace(f"wrk_{number}") for number in (1, 2, 3))
F1, F2 = folder("fld_1", "wrk_1"), folder("fld_2", "wrk_2")
D1, D2 = request("req_d1", "fld_1"), request("req_d2", "fld_2")
A, C = request("req_a", "wrk_1"), request("req_c", "wrk_3")
SECRET, JAR = environment("env_1", private=True, token="s3cret"), jar("jar_1", "wrk_1", "cookie")
MINE = edited(D1, url="https://mine.example.com")


def committed(project: Project) -> State:
    """Commits three files, then edits one document below a folder."""
    project.put("one.json", W1, F1, D1, A, SECRET, JAR)
    project.put("two.yaml", W2, F2, D2)
    project.put("three.json", W3, C)
    state = project.commit()
    project.put("one.json", W1, F1, MINE, A, SECRET, JAR)
    return state


def renamed(old: Document, path: str, *roots: str) -> Document:
    name, listed = record_id(path), list[Json](roots)
    return Document(name, old.type, {**old.body, "_id": name, "path": path, "roots": listed})


def edits(state: State) -> State:
    """Changes documents in all files, and drops one."""
    changed = {name: edited(state[name], description="new") for name in (W1.id, W2.id, W3.id)}
    target = {**state, **changed}
    del target[C.id]
    return target


def swap(state: State) -> State:
    """Moves a folder each way between two files; what is below them is in no change."""
    return {
        **state,
        F1.id: edited(F1, parentId="wrk_2"),
        F2.id: edited(F2, parentId="wrk_1"),
        A.id: edited(A, url="https://new"),
    }


def rename(state: State) -> State:
    """Renames a file with local documents in it, and drops another."""
    target = {**state}
    old = target.pop(record_id("one.json"))
    new = renamed(old, "sub/new.json", "wrk_1")
    for name in (record_id("three.json"), W3.id, C.id):
        del target[name]
    return {**target, new.id: new}


def circle(state: State) -> State:
    """Exchanges the workspaces of all three files."""
    target = {**state}
    for path, root in (("one.json", "wrk_2"), ("two.yaml", "wrk_3"), ("three.json", "wrk_1")):
        record = target[record_id(path)]
        target[record.id] = renamed(record, path, root)
    return target


def drop_all(state: State) -> State:
    return {}


def everything_on_disk(project: Project) -> dict[str, list[Json]]:
    """Returns every version of every document in any file, read from scratch."""
    found: dict[str, list[Json]] = {}
    for name in project.names():
        data = project.path(name).read_bytes()
        known = recognise(name, data)
        if known:
            for document in known.read(data, name).everything:
                found.setdefault(document.id, []).append(document.body)
    return found


MOVES = [edits, swap, rename, circle, drop_all]


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_killed_at_each_rename_then_repeated(
    make: Callable[[str], Project], move: Callable[[State], State], late: bool
) -> None:
    straight = make("straight")
    state = committed(straight)
    target = move(state)
    straight.check_out(target)
    expected = everything_on_disk(straight)
    renames = 0
    while True:
        project = make(f"killed-{renames}")
        assert bodies(committed(project)) == bodies(state)
        project.scan()
        changes = difference(state, target)
        project.replace = Killer(renames, late)
        try:
            project.write(changes)
        except Killed:
            check_nothing_is_lost(project, changes)
        else:
            break
        project.replace = os.replace
        project.reopen()
        project.write(changes)
        project.move_baseline(changes)
        assert everything_on_disk(project) == expected
        assert project.names() == straight.names()
        assert project.scan().changes == straight.scan().changes
        renames += 1
    assert renames >= 1, "the story renames nothing"


def check_nothing_is_lost(project: Project, changes: Mapping[DocumentId, object]) -> None:
    """Checks that what no change would bring again is still in some file."""
    found = everything_on_disk(project)
    for document in (SECRET, JAR, MINE):
        if document.id not in changes:
            assert document.body in found.get(document.id, []), f"{document.id} is lost"
    for document in (W1, W2, F1, F2, D2, A):
        assert document.id in found or document.id in changes, f"{document.id} is lost"


def test_killed_between_a_removal_and_the_baseline(make: Callable[[str], Project]) -> None:
    project = make("project")
    state = committed(project)
    target = rename(state)
    changes = difference(state, target)
    project.scan()
    project.write(changes)

    project.reopen()
    project.scan()
    project.write(changes)
    project.move_baseline(changes)

    assert project.names() == ["sub/new.json", "two.yaml"]
    assert project.scan().changes.keys() == {"req_d1"}


def test_a_file_that_is_edited_between_the_crash_and_the_repetition(
    make: Callable[[str], Project],
) -> None:
    project = make("project")
    state = committed(project)
    changes = difference(state, edits(state))
    project.scan()
    project.replace = Killer(1, late=False)
    with pytest.raises(Killed):
        project.write(changes)
    project.replace = os.replace
    late = edited(MINE, url="https://later.example.com")
    here = project.here("one.json")
    project.put("one.json", *{**here, late.id: late}.values())

    project.reopen()
    project.scan()
    project.write(changes)
    project.move_baseline(changes)

    assert project.scan().changes == {late.id: late}
