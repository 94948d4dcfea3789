"""What two people do to one project, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256

import pytest

from sopor.merge.algebra import Side, Value, resolve
from sopor.merge.documents import Conflict, ConflictKind, merge_deltas, merge_states
from sopor.merge.projects import MendedMerge, merge_projects
from sopor.merge.structure import Mend, MendKind
from sopor.model.document import Body, Document, DocumentId, Json
from sopor.model.state import State
from sopor_core.canonical import encode
from sopor_core.ids import Cid


class World:
    """The content of documents, by content id, and how often one was loaded."""

    def __init__(self) -> None:
        self.store: dict[Cid, Document] = {}
        self.loads = 0

    def load(self, cid: Cid) -> Document:
        self.loads += 1
        return self.store[cid]

    def put(self, document: Document) -> Cid:
        cid = Cid(sha256(encode(document.body)).digest())
        self.store[cid] = document
        return cid

    def state(self, *documents: Document) -> State:
        return State().apply({document.id: self.put(document) for document in documents})

    def bodies(self, ours: State, merge: MendedMerge) -> dict[str, Body]:
        new = {document_id: self.put(doc) for document_id, doc in merge.documents.items()}
        delta = {**merge.delta, **new}
        assert ours.is_minimal(delta)
        return {key: self.store[cid].body for key, cid in ours.apply(delta).items()}


def doc(document_id: str, parent: str | None = None, **members: Json) -> Document:
    kind = {"f": "request_group", "r": "request", "w": "workspace"}[document_id[0]]
    body: Body = {"_id": document_id, "_type": kind, "parentId": parent, **members}
    return Document(DocumentId(document_id), kind, body)


WORKSPACE = doc("w")


def test_each_edits_another_document() -> None:
    world = World()
    base = world.state(WORKSPACE, doc("r1", "w"), doc("r2", "w"))
    ours = world.state(WORKSPACE, doc("r1", "w", name="ours"), doc("r2", "w"))
    theirs = world.state(WORKSPACE, doc("r1", "w"), doc("r2", "w", name="theirs"), doc("r3", "w"))
    merge = merge_projects(base, ours, theirs, world.load)
    assert merge.delta == {"r2": theirs[DocumentId("r2")], "r3": theirs[DocumentId("r3")]}
    assert (merge.documents, merge.conflicts, merge.mends) == ({}, (), ())


def test_both_edit_one_document_in_different_places() -> None:
    world = World()
    base = world.state(WORKSPACE, doc("r1", "w", name="a", url="a"))
    ours = world.state(WORKSPACE, doc("r1", "w", name="b", url="a"))
    theirs = world.state(WORKSPACE, doc("r1", "w", name="a", url="b"))
    merge = merge_projects(base, ours, theirs, world.load)
    assert merge.documents == {"r1": doc("r1", "w", name="b", url="b")}
    assert not merge.delta
    assert not merge.conflicts


def test_both_edit_it_in_one_place_and_in_others() -> None:
    world = World()
    base = world.state(doc("r1", name="a", url="a", method="GET"))
    ours = world.state(doc("r1", name="b", url="a", method="GET"))
    theirs = world.state(doc("r1", name="c", url="b", method="GET"))
    (conflict,) = merge_projects(base, ours, theirs, world.load).conflicts
    assert conflict.kind is ConflictKind.EDIT_EDIT
    assert conflict.inside is not None
    assert [inner.path for inner in conflict.inside.conflicts] == [("name",)]
    assert conflict.inside.document == doc("r1", name="b", url="b", method="GET")


def test_without_a_look_inside_the_whole_document_conflicts() -> None:
    world = World()
    base = world.state(doc("r1", name="a", url="a"))
    ours = world.state(doc("r1", name="b", url="a"))
    theirs = world.state(doc("r1", name="a", url="b"))
    (conflict,) = merge_states(base, ours, theirs).conflicts
    assert conflict.inside is None
    assert resolve(conflict, Side.THEIRS) == theirs[DocumentId("r1")]


def test_conflicts_say_what_each_side_did() -> None:
    r, one, two, three = DocumentId("r"), *(Cid(bytes([number]) * 32) for number in (1, 2, 3))
    kinds = [
        (one, two, three, "edit/edit"),
        (one, two, None, "edit/delete"),
        (one, None, three, "delete/edit"),
        (None, two, three, "add/add"),
    ]
    for base, ours, theirs, kind in kinds:
        state = {} if base is None else {r: base}
        merge = merge_deltas(state, {r: ours}, {r: theirs})
        assert merge.conflicts == (Conflict(r, base, ours, theirs),)
        assert merge.conflicts[0].kind == kind
        assert not merge.delta
        assert resolve(merge.conflicts[0], Side.BASE) == base
        assert resolve(merge.conflicts[0], Side.OURS) == ours
        assert resolve(merge.conflicts[0], Value(one)) == one


def test_both_import_the_same_file_with_other_times_in_it() -> None:
    world = World()
    ours = world.state(doc("r1", created=5, modified=5, name="a"))
    theirs = world.state(doc("r1", created=3, modified=3, name="a"))
    merge = merge_projects(State(), ours, theirs, world.load)
    assert merge.documents == {"r1": doc("r1", created=3, modified=5, name="a")}
    assert not merge.conflicts


def test_one_deletes_what_the_other_one_only_sorted() -> None:
    world = World()
    base, deleted = world.state(WORKSPACE, doc("r1", "w", metaSortKey=1)), world.state(WORKSPACE)
    sorted_ = world.state(WORKSPACE, doc("r1", "w", metaSortKey=2))
    assert merge_projects(base, sorted_, deleted, world.load).delta == {"r1": None}
    assert merge_projects(base, deleted, sorted_, world.load).delta == {}


def test_what_merges_to_theirs_is_taken_by_its_content_id() -> None:
    world = World()
    base, ours = world.state(doc("r1", a=1, b=1)), world.state(doc("r1", a=2, b=1))
    theirs = world.state(doc("r1", a=2, b=2))
    merge = merge_projects(base, ours, theirs, world.load)
    assert merge.delta == {"r1": theirs[DocumentId("r1")]}
    assert not merge.documents
    assert not merge_projects(base, theirs, ours, world.load).delta


@pytest.mark.parametrize("deleting", ["ours", "theirs"])
def test_one_deletes_a_folder_and_the_other_one_adds_a_request_to_it(deleting: str) -> None:
    world = World()
    before = [WORKSPACE, doc("f1", "w"), doc("f2", "f1"), doc("r1", "f2")]
    base, gone = world.state(*before), world.state(WORKSPACE)
    added = world.state(*before, doc("r2", "f2"))
    ours, theirs = (gone, added) if deleting == "ours" else (added, gone)
    merge = merge_projects(base, ours, theirs, world.load)
    assert not merge.conflicts
    assert world.bodies(ours, merge).keys() == {"w", "f1", "f2", "r2"}
    side = Side.THEIRS if deleting == "ours" else Side.OURS
    f1, f2, r2, w = map(DocumentId, ("f1", "f2", "r2", "w"))
    assert merge.mends == (
        Mend(MendKind.KEPT, f2, f1, r2, side),
        Mend(MendKind.KEPT, f1, w, f2, side),
    )


def test_one_deletes_a_folder_and_the_other_one_moves_a_request_into_it() -> None:
    world = World()
    base = world.state(WORKSPACE, doc("f1", "w"), doc("r1", "w"))
    ours = world.state(WORKSPACE, doc("f1", "w"), doc("r1", "f1"))
    theirs = world.state(WORKSPACE, doc("r1", "w"))
    merge = merge_projects(base, ours, theirs, world.load)
    assert world.bodies(ours, merge).keys() == {"w", "f1", "r1"}
    assert not merge.delta


def test_one_deletes_a_folder_in_which_the_other_one_edits_a_request() -> None:
    world = World()
    base = world.state(WORKSPACE, doc("f1", "w"), doc("r1", "f1"))
    ours = world.state(WORKSPACE, doc("f1", "w"), doc("r1", "f1", name="new"))
    theirs = world.state(WORKSPACE)
    for mine, other, kind in ((ours, theirs, "edit/delete"), (theirs, ours, "delete/edit")):
        merge = merge_projects(base, mine, other, world.load)
        assert [conflict.kind for conflict in merge.conflicts] == [kind]
        assert [each.document_id for each in merge.mends] == ["f1"]
        assert "f1" in world.bodies(mine, merge)


def test_each_moves_a_folder_into_the_other_one() -> None:
    world = World()
    base = world.state(WORKSPACE, doc("f1", "w"), doc("f2", "w"))
    ours = world.state(WORKSPACE, doc("f1", "f2"), doc("f2", "w"))
    theirs = world.state(WORKSPACE, doc("f1", "w"), doc("f2", "f1"))
    here = merge_projects(base, ours, theirs, world.load)
    there = merge_projects(base, theirs, ours, world.load)
    ends = world.bodies(ours, here), world.bodies(theirs, there)
    assert ends[0] == ends[1]
    assert {key: body["parentId"] for key, body in ends[0].items()} == {
        "w": None,
        "f1": "w",
        "f2": "f1",
    }
    f1, f2, w = map(DocumentId, ("f1", "f2", "w"))
    assert here.mends == (Mend(MendKind.MOVED_BACK, f1, w, f2, Side.OURS),)
    assert there.mends == (Mend(MendKind.MOVED_BACK, f1, w, f2, Side.THEIRS),)


def test_a_folder_that_goes_back_keeps_what_else_was_changed_in_it() -> None:
    world = World()
    base = world.state(WORKSPACE, doc("f1"), doc("f2", "w"))
    ours = world.state(WORKSPACE, doc("f1", "f2", name="new"), doc("f2", "w"))
    theirs = world.state(WORKSPACE, doc("f1", color=1), doc("f2", "f1"))
    merge = merge_projects(base, ours, theirs, world.load)
    assert merge.documents == {"f1": doc("f1", name="new", color=1)}


def test_a_folder_that_goes_back_keeps_what_only_its_mover_changed() -> None:
    world = World()
    base = world.state(WORKSPACE, doc("f1", "w"), doc("f2", "w"))
    ours = world.state(WORKSPACE, doc("f1", "f2", name="new"), doc("f2", "w"))
    theirs = world.state(WORKSPACE, doc("f1", "w"), doc("f2", "f1"))
    for mine, other in ((ours, theirs), (theirs, ours)):
        merge = merge_projects(base, mine, other, world.load)
        assert merge.documents == {"f1": doc("f1", "w", name="new")}


def test_a_folder_goes_back_although_there_is_a_conflict_in_it() -> None:
    world = World()
    base = world.state(WORKSPACE, doc("f1", "w", name="a"), doc("f2", "w"))
    ours = world.state(WORKSPACE, doc("f1", "f2", name="b"), doc("f2", "w"))
    theirs = world.state(WORKSPACE, doc("f1", "w", name="c"), doc("f2", "f1"))
    merge = merge_projects(base, ours, theirs, world.load)
    (conflict,) = merge.conflicts
    assert conflict.inside is not None
    assert conflict.inside.document == doc("f1", "w", name="b")
    assert [inner.path for inner in conflict.inside.conflicts] == [("name",)]


def test_a_parent_that_the_project_never_had_is_left_alone() -> None:
    world = World()
    base = world.state(doc("w", "proj_1"), doc("r1", "w"))
    ours = world.state(doc("w", "proj_1"))
    theirs = world.state(doc("w", "proj_1", name="new"), doc("r1", "w"), doc("r2", "missing"))
    merge = merge_projects(base, ours, theirs, world.load)
    assert not merge.mends
    assert world.bodies(ours, merge).keys() == {"w", "r2"}


class Counting(Mapping[DocumentId, Cid]):
    """A state that counts how often it is asked, and cannot be gone through."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.asked = 0

    def __getitem__(self, key: DocumentId) -> Cid:
        self.asked += 1
        return self.state[key]

    def __iter__(self) -> Iterator[DocumentId]:
        raise AssertionError("nothing may go through a whole project")

    def __len__(self) -> int:
        return len(self.state)


def test_a_merge_costs_what_changed_and_not_what_there_is() -> None:
    world = World()
    many = [doc(f"r{number}", "w", name="a") for number in range(10_000)]
    base = world.state(WORKSPACE, *many)
    ours = base.apply({d.id: world.put(d) for d in [doc("r1", "w", name="b"), doc("r2", "w")]})
    theirs = base.apply({d.id: world.put(d) for d in [doc("r3", "w", name="b"), doc("r2", "w")]})
    counting = Counting(base)
    merge = merge_deltas(counting, base.difference(ours), base.difference(theirs))
    assert merge.delta.keys() == {"r3"}
    assert counting.asked <= 2
    assert merge_projects(base, ours, theirs, world.load).delta == merge.delta
    assert world.loads <= 4


def test_what_was_broken_before_is_not_mended() -> None:
    """Two folders that lie in each other from the beginning, and a request that joins them."""
    world = World()
    base = world.state(doc("f1", "f2"), doc("f2", "f1"), doc("f3"), doc("r1"))
    ours = world.state(doc("f1", "f2"), doc("f2", "f1"), doc("r1", "f1"))
    theirs = world.state(doc("f1", "f2", name="a"), doc("f2", "f1"), doc("f3"), doc("r1"))
    merge = merge_projects(base, ours, theirs, world.load)
    assert not merge.mends
    assert world.bodies(ours, merge)["f1"]["name"] == "a"
