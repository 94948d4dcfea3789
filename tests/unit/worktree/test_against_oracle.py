"""Random folders against an oracle that parses every file from scratch each time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import assume, given
from hypothesis import strategies as st

from sopor.formats import recognise
from sopor.formats.assign import assign
from sopor.formats.documents_json import DocumentsJson
from sopor.formats.record import is_record
from sopor.formats.trees import SHARDED, tree_record
from sopor.model.document import Document, DocumentId
from tests.unit.worktree.folder import (
    Project,
    State,
    bodies,
    difference,
    edited,
    environment,
    folder,
    request,
    workspace,
)
from tests.unit.worktree.test_crash import Killed, Killer, everything_on_disk

TREE = "tree"
ONE_EACH = {"five.yaml", "six.yaml"}
"""The files of format v5, which hold one workspace each."""
PLACES: dict[str, tuple[str, ...]] = {
    "wrk_0": ("a.json", "five.yaml", "six.yaml"),
    "wrk_1": ("a.json", "b.yaml", "sub/d.json", "five.yaml", "six.yaml"),
    "wrk_2": ("a.json", "b.yaml", "sub/d.json", TREE),
}
FOLDERS = ("fld_0", "fld_1", "fld_2")
LEAVES = ("req_0", "req_1", "req_2", "req_3", "env_0", "env_1", "env_private")


@dataclass
class Layout:
    """Which documents there are and in which file each workspace lies."""

    documents: dict[DocumentId, Document] = field(default_factory=dict)
    files: dict[DocumentId, str] = field(default_factory=dict)

    def top(self, document: Document) -> DocumentId:
        parent = document.body["parentId"]
        return document.id if parent is None else self.top(self.documents[DocumentId(str(parent))])

    def by_file(self) -> dict[str, list[Document]]:
        found: dict[str, list[Document]] = {}
        for document in self.documents.values():
            found.setdefault(self.files[self.top(document)], []).append(document)
        return found


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    layout = Layout()
    for name, places in sorted(PLACES.items()):
        if draw(st.booleans()) or name == "wrk_1":
            layout.documents[DocumentId(name)] = workspace(name, version=draw(st.integers(0, 1)))
            taken = ONE_EACH & set(layout.files.values())
            free = [place for place in places if place not in taken]
            layout.files[DocumentId(name)] = draw(st.sampled_from(free))
    for name in FOLDERS:
        if draw(st.booleans()):
            parent = draw(st.sampled_from(sorted(layout.documents)))
            layout.documents[DocumentId(name)] = folder(
                name, parent, version=draw(st.integers(0, 1))
            )
    homes = sorted(layout.documents)
    for name in LEAVES:
        if draw(st.booleans()):
            parent = draw(st.sampled_from(homes))
            version = draw(st.integers(0, 2))
            if name.startswith("env"):
                private = name == "env_private"
                leaf = environment(name, parent, private=private, version=version)
            else:
                leaf = request(name, parent, version=version)
            layout.documents[DocumentId(name)] = leaf
    return layout


def put(project: Project, layout: Layout, again: Iterable[str] = ()) -> None:
    """Makes the folder look like the layout, leaving files alone that need no change."""
    wanted: dict[str, list[Document]] = {}
    for name, documents in layout.by_file().items():
        if name == TREE:
            held = assign([tree_record(".", SHARDED), *documents])
            wanted.update({path: list(each.documents) for path, each in held.items()})
        else:
            wanted[name] = documents
    for path, documents in wanted.items():
        same = project.path(path).exists() and project.here(path) == {d.id: d for d in documents}
        if same and path not in again:
            continue
        if path in ONE_EACH:
            project.put_v5(path, *documents)
        elif path.endswith(".json") and "/" in path and not path.startswith("sub/"):
            project.path(path).parent.mkdir(parents=True, exist_ok=True)
            record = tree_record(".", SHARDED)
            project.path(path).write_bytes(DocumentsJson().write(record, documents))
        else:
            project.put(path, *documents)
    for name in project.names():
        if name not in wanted:
            project.path(name).unlink()


def read_everything(project: Project) -> tuple[State, State]:
    """Returns the shared documents with the records, and the local ones, parsed from scratch."""
    shared: State = {}
    local: State = {}
    for name in project.names():
        data = project.path(name).read_bytes()
        known = recognise(name, data)
        assert known, f"{name} is none of Insomnia's"
        content = known.read(data, name)
        for document in content.documents:
            assert document.id not in shared, f"{document.id} is in two files"
            shared[document.id] = document
        if content.documents:
            shared[content.record.id] = content.record
        local.update({document.id: document for document in content.local})
    return shared, local


def applied(state: State, changes: Mapping[DocumentId, Document | None]) -> State:
    merged = {**state, **changes}
    return {name: document for name, document in merged.items() if document}


steps = st.lists(
    st.tuples(
        layouts(),
        st.sampled_from(["look", "commit", "reopen", "some"]),
        st.sets(st.sampled_from([*PLACES, *FOLDERS, *LEAVES])),
        st.sets(st.sampled_from(["a.json", "b.yaml", "sub/d.json"])),
    ),
    min_size=1,
    max_size=5,
)


@given(steps)
def test_a_scan_finds_what_parsing_everything_finds(
    steps: list[tuple[Layout, str, set[str], set[str]]],
) -> None:
    with TemporaryDirectory() as root:
        project = Project(Path(root) / "project")
        for layout, action, some, again in steps:
            put(project, layout, again)
            expected, _ = read_everything(project)

            scan = project.scan()

            assert bodies(applied(project.state(), scan.changes)) == bodies(expected)
            assert scan.changes.keys() == difference(project.state(), expected).keys()
            if action == "commit":
                project.commit()
                assert project.state().keys() == expected.keys()
                parsed = project.files.files_parsed
                assert not project.scan().changes
                assert project.files.files_parsed == parsed
            elif action == "some":
                project.commit(only=some)
                assert bodies(applied(project.state(), project.scan().changes)) == bodies(expected)
            elif action == "reopen":
                project.reopen()
        project.close()


def committed(layout: Layout) -> State:
    """Returns the state that committing a layout gives."""
    with TemporaryDirectory() as root:
        other = Project(Path(root) / "other")
        put(other, layout)
        state = other.commit()
        other.close()
        return state


@given(layouts(), layouts(), layouts())
def test_a_checkout_gives_what_was_committed_and_keeps_what_is_private(
    first: Layout, second: Layout, third: Layout
) -> None:
    with TemporaryDirectory() as root:
        project = Project(Path(root) / "project")
        put(project, first)
        project.commit()
        _, private = read_everything(project)
        for target in (committed(second), committed(third)):
            project.check_out(target)

            shared, local = read_everything(project)
            assert bodies(shared) == bodies(target)
            assert bodies(local) == bodies(private)
            assert not project.scan().changes
            assert not project.reopen().scan().changes
        project.close()


@given(layouts(), layouts(), st.data())
def test_edits_that_are_not_in_the_way_survive_a_checkout(
    first: Layout, second: Layout, data: st.DataObject
) -> None:
    with TemporaryDirectory() as root:
        project = Project(Path(root) / "project")
        put(project, first)
        state, target = project.commit(), committed(second)
        changes = difference(state, target)
        free = sorted(name for name in state if name not in changes and not is_record(state[name]))
        assume(free)
        mine = data.draw(st.sets(st.sampled_from(free), min_size=1))
        edits = {name: edited(state[name], description="mine") for name in mine}
        edited_layout = Layout({**first.documents, **edits}, first.files)
        put(project, edited_layout)

        project.check_out(target)

        shared, _ = read_everything(project)
        assert bodies(shared) == bodies({**target, **edits})
        assert bodies(applied({}, project.scan().changes)) == bodies(edits)
        project.close()


@given(layouts(), layouts(), st.integers(0, 6), st.booleans())
def test_a_checkout_that_is_killed_and_repeated_ends_the_same(
    first: Layout, second: Layout, renames: int, late: bool
) -> None:
    target = committed(second)
    ends = []
    for kill in (False, True):
        with TemporaryDirectory() as root:
            project = Project(Path(root) / "project")
            put(project, first)
            changes = difference(project.commit(), target)
            if kill:
                project.replace = Killer(renames, late)
                before = everything_on_disk(project)
                try:
                    project.write(changes)
                except Killed:
                    project.reopen()
                after = everything_on_disk(project)
                for name in before.keys() - changes.keys():
                    assert before[name][0] in after.get(name, []), f"{name} is lost"
                project.replace = os.replace
            project.write(changes)
            project.move_baseline(changes)
            assert not project.scan().changes
            ends.append([bodies(part) for part in read_everything(project)])
            project.close()
    assert ends[0] == ends[1]


@given(layouts(), layouts(), layouts(), st.sampled_from([False, True]))
def test_nothing_is_lost_or_doubled_whatever_the_user_did_meanwhile(
    first: Layout, users: Layout, second: Layout, refresh: bool
) -> None:
    target = committed(second)
    with TemporaryDirectory() as root:
        project = Project(Path(root) / "project")
        put(project, first)
        state = project.commit()
        put(project, users)
        if refresh:
            project.scan()
        theirs = project.files.scan(refresh=False).changes.keys()
        changes = {
            name: document
            for name, document in difference(state, target).items()
            if name not in theirs
        }
        before, private = read_everything(project)

        written = project.write(changes)

        shared, local = read_everything(project)
        assert bodies(local) == bodies(private)
        expected = applied(before, changes)
        back = {} if not written.warnings else {**state, **expected}  # of a file that was missing
        assert documents_of(expected).items() <= documents_of(shared).items()
        assert documents_of(shared).items() <= documents_of({**back, **expected}).items()
        assert project.files.scan(refresh=False).changes.keys() >= changes.keys() - {
            name for name in changes if is_record_id(name)
        }
        project.move_baseline(changes)
        again = project.scan()
        assert bodies(applied(project.state(), again.changes)) == bodies(shared)
        assert written.paths.keys() == {name for name in changes if changes[name]}
        project.close()


def is_record_id(name: str) -> bool:
    return name.startswith("sopor_file_")


def documents_of(state: State) -> dict[str, str]:
    return {
        name: json.dumps(document.body, sort_keys=True)
        for name, document in state.items()
        if not is_record(document)
    }
