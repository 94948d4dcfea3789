"""Two devices edit at random and merge each other's work: both end with the same project."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given

from sopor.merge.algebra import Side
from sopor.merge.choices import mend_choices
from sopor.merge.conflicts import settle
from sopor.merge.documents import merge_states
from sopor.merge.graph import Graph, is_ancestor, merge_bases, virtual_base
from sopor.merge.projects import MendedMerge, merge_projects
from sopor.model.document import Body, Document, DocumentId, parent_of
from sopor.model.state import State
from sopor_core.ids import Cid
from tests.properties.merging import Dice, dice, edited, fewer, law
from tests.properties.test_project_merge import is_tree, put

FOLDERS = [DocumentId(name) for name in ("fld_1", "fld_2", "fld_3")]
REQUESTS = [DocumentId(name) for name in ("req_1", "req_2", "req_3")]


@dataclass
class World:
    """Commits that two devices share; each has its own head."""

    contents: dict[Cid, Document] = field(default_factory=dict)
    parents: dict[int, tuple[int, ...]] = field(default_factory=dict)
    states: list[State] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)

    @property
    def graph(self) -> Graph[int]:
        return Graph(self.parents.__getitem__, float, ordered=True)

    def commit(self, state: State, *parents: int) -> int:
        self.states.append(state)
        self.parents[len(self.states) - 1] = parents
        return len(self.states) - 1

    def base(self, one: int, other: int) -> State:
        def pair(base: State, ours: State, theirs: State) -> State:
            return ours.apply(merge_states(base, ours, theirs).delta)

        return virtual_base(
            self.graph,
            merge_bases(self.graph, one, other),
            load=self.states.__getitem__,
            merge=pair,
            nothing=State(),
        )

    def merge(self, one: int, other: int) -> MendedMerge:
        base = self.base(one, other)
        return merge_projects(base, self.states[one], self.states[other], self.contents.__getitem__)

    def settled(self, one: int, other: int, merge: MendedMerge) -> State:
        """Returns the merged state, with ours wherever it conflicts."""
        made: dict[DocumentId, Document | None] = dict(merge.documents)
        for conflict in merge.conflicts:
            assert conflict.inside is not None
            choices = {each.path: Side.OURS for each in conflict.inside.conflicts}
            made[conflict.document_id] = settle(conflict.inside, choices).document
        cids = {
            name: None if document is None else put(self.contents, document)
            for name, document in made.items()
        }
        after = self.states[one].apply(self.states[one].minimal({**merge.delta, **cids}))
        return after if not merge.conflicts else self.mended(one, other, after)

    def mended(self, one: int, other: int, after: State) -> State:
        """Returns a state that is a tree although conflicts were settled."""

        def present(name: DocumentId) -> Document | None:
            return self.contents[after[name]] if name in after else None

        documents, _ = mend_choices(
            self.base(one, other),
            self.states[one],
            self.states[other],
            self.contents.__getitem__,
            present,
        )
        kept = {name: put(self.contents, document) for name, document in documents.items()}
        return after.apply(after.minimal(kept))

    def pull(self, device: int) -> int:
        """Brings the other device's work in; returns how many documents conflicted."""
        ours, theirs = self.heads[device], self.heads[1 - device]
        if is_ancestor(self.graph, theirs, ours):
            return 0
        if is_ancestor(self.graph, ours, theirs):
            self.heads[device] = theirs
            return 0
        merge = self.merge(ours, theirs)
        self.heads[device] = self.commit(self.settled(ours, theirs, merge), ours, theirs)
        return len(merge.conflicts)

    def cross(self) -> int:
        """Lets both devices merge at once, before either knows of the other's merge."""
        before = list(self.heads)
        conflicts = self.pull(0)
        after, self.heads = self.heads[0], before
        conflicts += self.pull(1)
        self.heads[0] = after
        return conflicts

    def edit(self, drawn: Dice, device: int) -> None:
        """Edits, adds, moves or deletes one document as a person would: the rest stays whole."""
        head = self.heads[device]
        documents = {name: self.contents[cid] for name, cid in self.states[head].items()}
        name = drawn.of([*REQUESTS, *FOLDERS])
        old = documents.get(name)
        kind = drawn.upto(3)
        if old is not None and kind == 0:
            if any(parent_of(document) == name for document in documents.values()):
                return
            delta: dict[DocumentId, Cid | None] = {name: None}
        else:
            folders = [each for each in FOLDERS if each in documents and each != name]
            body = edited(drawn, {} if old is None else old.body) if kind == 1 else {}
            body = body or ({} if old is None else dict(old.body))
            body |= {"_id": name, "_type": "request" if name in REQUESTS else "request_group"}
            if old is None or kind > 1:
                body["parentId"] = drawn.of([None, *folders])
            delta = {name: put(self.contents, Document(name, str(body["_type"]), body))}
        after = self.states[head].apply(self.states[head].minimal(delta))
        if is_whole(self, after):
            self.heads[device] = self.commit(after, head)


def is_whole(world: World, state: State) -> bool:
    """Tells whether a state has no orphan and no cycle."""
    return is_tree({name: parent_of(world.contents[cid]) for name, cid in state.items()})


def start(drawn: Dice) -> World:
    world = World()
    bodies: list[Body] = [
        {"_id": "fld_1", "_type": "request_group", "parentId": None},
        {"_id": "fld_2", "_type": "request_group", "parentId": "fld_1"},
        {"_id": "fld_3", "_type": "request_group", "parentId": None},
        {"_id": "req_1", "_type": "request", "parentId": "fld_2", "name": "x"},
    ]
    documents = [Document(DocumentId(str(b["_id"])), str(b["_type"]), b) for b in bodies]
    state = State().apply({each.id: put(world.contents, each) for each in documents})
    world.heads = [world.commit(state)] * 2
    return world


def play(drawn: Dice) -> tuple[World, int]:
    """Lets two devices edit and pull at random; returns also how often they conflicted."""
    world, conflicts = start(drawn), 0
    for _ in range(4 + drawn.upto(8)):
        device, kind = drawn.upto(1), drawn.upto(4)
        if kind == 0:
            conflicts += world.pull(device)
        elif kind == 1:
            conflicts += world.cross()
        else:
            world.edit(drawn, device)
        for head in world.heads:
            assert is_whole(world, world.states[head])
    return world, conflicts


@fewer
@given(dice(220))
def test_two_devices_end_with_the_same_project(drawn: Dice) -> None:
    world, _ = play(drawn)
    world.pull(0)
    world.pull(1)
    assert world.heads[0] == world.heads[1]
    assert is_whole(world, world.states[world.heads[0]])
    assert world.pull(0) == world.pull(1) == 0


@fewer
@given(dice(220))
def test_devices_that_merge_at_once_make_the_same_of_it(drawn: Dice) -> None:
    """Criss-cross: each merges the other's head; then the two merges merge without a conflict."""
    world, _ = play(drawn)
    one, other = world.heads
    if is_ancestor(world.graph, one, other) or is_ancestor(world.graph, other, one):
        return
    here, there = world.merge(one, other), world.merge(other, one)
    assert {c.document_id for c in here.conflicts} == {c.document_id for c in there.conflicts}
    left, right = world.settled(one, other, here), world.settled(other, one, there)
    if here.conflicts:
        return
    assert dict(left.items()) == dict(right.items())
    world.heads = [world.commit(left, one, other), world.commit(right, other, one)]
    assert world.pull(0) == world.pull(1) == 0
    assert world.states[world.heads[0]] == left


@law
@given(dice(120))
def test_what_was_merged_once_does_not_conflict_again(drawn: Dice) -> None:
    """The other branch is merged, goes on, and is merged again."""
    world = start(drawn)
    world.edit(drawn, 0)
    world.edit(drawn, 1)
    world.pull(0)
    world.heads[1] = world.commit(world.states[world.heads[1]], world.heads[1])
    assert world.pull(0) == 0
