"""Real histories, split into two lines of work and merged: what is left to settle, what is lost."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from sopor.formats import read
from sopor.formats.record import is_record
from sopor.merge.documents import merge_states
from sopor.merge.projects import merge_projects
from sopor.model.document import Document, DocumentId
from sopor.model.state import State
from sopor_core.canonical import encode
from sopor_core.ids import Cid
from tests.support.corpus import corpus, corpus_files
from tests.support.replay import Project, lost_fields, split

_HISTORIES = sorted({path.parent for path in corpus_files()} - {corpus()})


def versions(folder: Path) -> list[Project]:
    """Reads all versions of a history."""
    found = []
    for path in sorted(folder.iterdir()):
        content = read(path.read_bytes(), f"insomnia{path.suffix}")
        assert content is not None
        documents = [content.record, *content.documents]
        found.append({str(item.id): item.body for item in documents})
    return found


class Contents:
    """Stores documents by what they hold."""

    def __init__(self) -> None:
        self._documents: dict[Cid, Document] = {}

    def put(self, document: Document) -> Cid:
        cid = Cid(sha256(encode(document.body)).digest())
        self._documents[cid] = document
        return cid

    def load(self, cid: Cid) -> Document:
        return self._documents[cid]

    def state(self, project: Project) -> State:
        bodies = {DocumentId(name): body for name, body in project.items()}
        return State().apply(
            {
                name: self.put(Document(name, str(body["_type"]), body))
                for name, body in bodies.items()
            }
        )


@pytest.mark.parametrize("folder", _HISTORIES, ids=lambda path: path.name)
@pytest.mark.parametrize("swapped", [False, True], ids=["odd into even", "even into odd"])
def test_two_lines_of_a_history_merge_and_lose_no_field(
    folder: Path, swapped: bool, record_property: Callable[[str, object], None]
) -> None:
    history = versions(folder)
    base, ours, theirs = split(history)
    if swapped:
        ours, theirs = theirs, ours
    contents = Contents()
    states = [contents.state(project) for project in (base, ours, theirs)]
    whole = merge_states(states[0], states[1], states[2])
    inside = merge_projects(states[0], states[1], states[2], contents.load)

    merged: Project = {**ours}
    for name, cid in inside.delta.items():
        merged.pop(name, None)
        if cid is not None:
            merged[name] = contents.load(cid).body
    merged |= {str(name): document.body for name, document in inside.documents.items()}
    places: dict[str, list[tuple[str, ...]]] = {}
    for conflict in inside.conflicts:
        assert conflict.inside is not None
        places[str(conflict.document_id)] = [
            tuple(map(str, field.path)) for field in conflict.inside.conflicts
        ]
        if conflict.inside.document is not None:
            merged[str(conflict.document_id)] = conflict.inside.document.body

    records = [key for key in merged if is_record(Document.from_json(merged[key], key))]
    for project in (base, ours, theirs, merged):
        for key in records:
            project.pop(key, None)
    kept = {str(each.document_id) for each in inside.mends}
    lost = [
        each
        for each in lost_fields(base, ours, theirs, merged, places)
        if each.partition(":")[0] not in kept
    ]
    assert not lost
    for key, body in merged.items():
        parent = body.get("parentId")
        assert parent is None or parent in merged or parent not in {**ours, **theirs}, key

    fields = sum(len(each) for each in places.values())
    assert len(inside.conflicts) <= len(whole.conflicts)
    record_property(
        "replay",
        (
            folder.name.partition("__")[0],
            "even into odd" if swapped else "odd into even",
            len(history) - 1,
            len(whole.conflicts),
            len(inside.conflicts),
            fields,
        ),
    )
