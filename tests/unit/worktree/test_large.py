"""Ten thousand documents: what is read and written follows the change, not the project."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from sopor.model.document import Document
from sopor.worktree.disk import Disk
from tests.unit.worktree.folder import Project, State, edited, folder, request, workspace
from tests.unit.worktree.test_trees import put

COUNT = 10_000
IN_ONE_FILE = 500


def documents(number: int) -> list[Document]:
    """Returns one workspace with all that is in it."""
    home = f"wrk_{number:02}"
    made = [workspace(home), *(folder(f"fld_{number:02}_{each}", home) for each in range(9))]
    parents = [document.id for document in made]
    return made + [
        request(f"req_{number:02}{each}", parents[each % 10], description="x" * 200)
        for each in range(IN_ONE_FILE - len(made))
    ]


def in_files(project: Project) -> None:
    for number in range(COUNT // IN_ONE_FILE):
        project.put(f"{number:02}.json", *documents(number))


def in_v5_files(project: Project) -> None:
    """Writes one file by the format and the others like it, which is faster."""
    project.put_v5("00.yaml", *documents(0))
    text = project.path("00.yaml").read_text()
    for number in range(1, COUNT // IN_ONE_FILE):
        other = re.sub(r"\b(wrk|fld|req)_00", rf"\g<1>_{number:02}", text)
        project.path(f"{number:02}.yaml").write_text(other)


def in_a_tree(project: Project) -> None:
    put(project, *(each for number in range(COUNT // IN_ONE_FILE) for each in documents(number)))


class Counter:
    """Counts how often files are read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reads = 0
        read = Disk.read

        def counted(disk: Disk, name: str, limit: int) -> object:
            self.reads += 1
            return read(disk, name, limit)

        monkeypatch.setattr(Disk, "read", counted)


@pytest.mark.parametrize(
    ("layout", "read"),
    [
        (in_files, 1),
        (in_v5_files, 1),
        (in_a_tree, 2),
    ],  # in a tree the parent is in a file of its own
)
def test_what_is_read_and_written(
    project: Project,
    layout: Callable[[Project], None],
    read: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layout(project)
    state: State = project.commit()
    assert len(state) >= COUNT
    project.scan()  # whatever was too fresh to be trusted is looked at once more
    counter = Counter(monkeypatch)

    assert not project.reopen().scan().changes
    assert (project.files.files_parsed, counter.reads) == (0, 0)

    chosen = state[request("req_0742").id]
    written = project.check_out({**state, chosen.id: edited(chosen, url="https://new")})
    assert len(written.written) == 1
    assert (project.files.files_parsed, counter.reads) == (read, read)

    assert not project.scan().changes
    assert (project.files.files_parsed, counter.reads) == (read, read + 1), "read once, being fresh"
    project.reopen()
    mine = edited(chosen, url="https://mine")
    path = project.files.path_of(chosen.id)
    assert path
    text = project.path(path).read_text()
    project.path(path).write_text(text.replace("https://new", "https://mine"))
    assert project.scan().changes == {chosen.id: mine}
    assert (project.files.files_parsed, counter.reads) == (1, read + 2)
