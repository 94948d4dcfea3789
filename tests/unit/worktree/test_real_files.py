"""Real files of Insomnia users, with their real histories."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sopor.formats import recognise
from sopor.model.document import split_modified
from tests.support.corpus import corpus, corpus_files, corpus_name
from tests.unit.worktree.folder import Project, State, bodies, edited, ids

CURRENT = [path for path in corpus_files() if path.parent == corpus()]
HISTORIES = sorted({path.parent for path in corpus_files()} - {corpus()})


def meaning(project: Project, name: str) -> dict[str, object]:
    return {key: document.body for key, document in project.here(name).items()}


@pytest.mark.parametrize("path", CURRENT, ids=corpus_name)
def test_commit_clone_edit_and_switch_back(make: Callable[[str], Project], path: Path) -> None:
    first, second = make("first"), make("second")
    shutil.copy(path, first.path(path.name))
    original = first.bytes()
    known = recognise(path.name, path.read_bytes())
    assert known
    content = known.read(path.read_bytes(), path.name)

    state = first.commit()
    shared = [split_modified(document)[0] for document in content.documents]
    assert bodies(state) == bodies({d.id: d for d in (content.record, *shared)})
    assert not first.scan().changes

    second.files.write_all(state.values())
    second.keep(state.values())
    second.move_baseline(state)
    assert not second.scan().changes
    assert second.here(path.name).keys() == ids(state)

    chosen = shared[len(shared) // 2]
    change: State = {**state, chosen.id: edited(chosen, name="changed")}
    for project in (first, second):
        project.check_out(change)
        assert project.here(path.name)[chosen.id].body["name"] == "changed"
    everything = {d.id: d.body for d in content.everything}
    renamed = {**everything[chosen.id], "name": "changed"}
    assert meaning(first, path.name) == {**everything, chosen.id: renamed}

    first.check_out(state)
    assert meaning(first, path.name) == everything
    assert first.names() == [path.name]
    if path.suffix == ".json":
        assert first.bytes() == original


@pytest.mark.parametrize("folder", HISTORIES, ids=lambda path: path.name[:20])
def test_every_version_of_a_history_can_be_checked_out(
    make: Callable[[str], Project], folder: Path
) -> None:
    versions = sorted(folder.iterdir())
    name = f"project{versions[0].suffix}"
    writer, reader = make("writer"), make("reader")
    states: list[State] = []
    for version in versions:
        shutil.copy(version, writer.path(name))
        states.append(writer.commit())
        assert not writer.scan().changes

    last = len(states) - 1
    for position in (*range(len(states)), 0, last, last // 2):
        reader.check_out(states[position])

        assert not reader.scan().changes
        assert bodies(reader.state()) == bodies(states[position])
        shared = meaning(reader, name)
        assert shared == {
            key: document.body for key, document in states[position].items() if key in shared
        }
        assert shared.keys() == ids(states[position])


def test_all_of_them_in_one_folder(project: Project) -> None:
    taken: set[str] = set()
    for path in CURRENT:
        known = recognise(path.name, path.read_bytes())
        assert known
        held = {d.id for d in known.read(path.read_bytes(), path.name).everything}
        if taken.isdisjoint(held):
            shutil.copy(path, project.path(path.name))
            taken |= held
    state = project.commit()
    before = project.bytes()

    project.check_out({})
    project.check_out(state)

    assert project.names() == sorted(before)
    assert not project.scan().changes
    assert bodies(project.state()) == bodies(state)
