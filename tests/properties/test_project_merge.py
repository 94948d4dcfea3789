"""Merging whole projects, against a plain three-way comparison of every document."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from hashlib import sha256

from hypothesis import given

from sopor.merge.algebra import ABSENT, Absent, Side, Value, resolve
from sopor.merge.conflicts import settle
from sopor.merge.documents import ConflictKind, by_fields, merge_deltas, merge_states
from sopor.merge.fields import merge_document
from sopor.merge.projects import merge_projects
from sopor.merge.structure import MendKind, Parent, mend
from sopor.model.document import Body, Document, DocumentId, parent_of
from sopor.model.state import State
from sopor_core.canonical import encode
from sopor_core.ids import Cid
from tests.properties.merging import Dice, Versions, dice, law, three_versions

Cids = Mapping[DocumentId, Cid]
IDS = [DocumentId(letter) for letter in "abcdef"]


def cid(content: object) -> Cid:
    return Cid(sha256(repr(content).encode()).digest())


def state(cids: Cids) -> State:
    return State().apply(cids)


def some_cids(drawn: Dice, old: Cids) -> Cids:
    """Makes a state in which some documents are as they were and some others."""
    found = {document_id: drawn.of([old.get(document_id), *CHOICES]) for document_id in IDS}
    return {document_id: cid for document_id, cid in found.items() if cid is not None}


CHOICES = [None, cid(1), cid(2)]
KINDS = {
    (True, True, True): ConflictKind.EDIT_EDIT,
    (True, True, False): ConflictKind.EDIT_DELETE,
    (True, False, True): ConflictKind.DELETE_EDIT,
    (False, True, True): ConflictKind.ADD_ADD,
}


@law
@given(dice(40))
def test_documents_merge_as_each_would_alone(drawn: Dice) -> None:
    base = some_cids(drawn, {})
    ours, theirs = some_cids(drawn, base), some_cids(drawn, base)
    merge = merge_states(state(base), state(ours), state(theirs))
    clashing = {}
    for document_id in IDS:
        b, o, t = (side.get(document_id) for side in (base, ours, theirs))
        if o in (b, t):
            expected = t
        elif t == b:
            expected = o
        else:
            clashing[document_id] = KINDS[b is not None, o is not None, t is not None]
            expected = o
        assert merge.delta.get(document_id, o) == expected
        assert (document_id in merge.delta) == (expected != o)
    assert {c.document_id: c.kind for c in merge.conflicts} == clashing
    assert [c.document_id for c in merge.conflicts] == sorted(clashing)
    assert not merge.documents


@law
@given(dice(40))
def test_both_devices_end_with_the_same_project(drawn: Dice) -> None:
    base = some_cids(drawn, {})
    ours, theirs = some_cids(drawn, base), some_cids(drawn, base)
    here = merge_states(state(base), state(ours), state(theirs))
    there = merge_states(state(base), state(theirs), state(ours))
    for mine, other in [(Side.OURS, Side.THEIRS), (Side.THEIRS, Side.OURS), (Side.BASE, Side.BASE)]:
        one = {c.document_id: resolve(c, mine) for c in here.conflicts}
        two = {c.document_id: resolve(c, other) for c in there.conflicts}
        assert state(ours).apply({**here.delta, **one}) == state(theirs).apply(
            {**there.delta, **two}
        )
    chosen = {c.document_id: resolve(c, Value(cid("settled"))) for c in here.conflicts}
    merged = state(ours).apply({**here.delta, **chosen})
    again = merge_states(state(theirs), merged, state(theirs))
    assert not again.delta
    assert not again.conflicts


@law
@given(three_versions())
def test_a_project_merges_inside_a_document_as_the_document_does_alone(versions: Versions) -> None:
    store = {cid(encode(version.body)): version for version in versions}
    base, ours, theirs = (cid(encode(version.body)) for version in versions)
    document_id = versions[0].id
    merge = merge_deltas(
        {document_id: base},
        {document_id: ours},
        {document_id: theirs},
        by_fields(store.__getitem__),
    )
    alone = merge_document(*versions)
    if alone.conflicts:
        (conflict,) = merge.conflicts
        assert conflict.inside == alone
        assert not merge.delta
        assert not merge.documents
        settled = settle(alone, {c.path: Side.BASE for c in alone.conflicts})
        assert not settled.conflicts
        return
    assert not merge.conflicts
    taken = merge.delta.get(document_id, ours)
    document = merge.documents.get(document_id) or store[taken or ours]
    assert alone.document is not None
    assert encode(document.body) == encode(alone.document.body)
    if document_id in merge.documents:
        assert cid(encode(document.body)) not in {ours, theirs}


Parents = dict[DocumentId, DocumentId | None]


def is_tree(parents: Mapping[DocumentId, DocumentId | None]) -> bool:
    """Tells whether every document has a way to a root, by going it."""
    for start in parents:
        at: DocumentId | None = start
        for _ in range(len(parents) + 1):
            if at is None:
                break
            if at not in parents:
                return False
            at = parents[at]
        if at is not None:
            return False
    return True


def some_tree(drawn: Dice, ids: list[DocumentId]) -> Parents:
    parents: Parents = {}
    for at, document_id in enumerate(ids):
        parents[document_id] = drawn.of([None, *ids[:at]])
    return parents


def rearranged(drawn: Dice, base: Parents, new: list[DocumentId]) -> Parents:
    """Makes a few moves, additions and deletions, each of which leaves a tree."""
    parents = dict(base)
    for _ in range(1 + drawn.upto(4)):
        kind, document_id = drawn.upto(3), drawn.of(list(parents) or [DocumentId("a")])
        if kind == 0:
            changed = {**parents, drawn.of(new): drawn.of([None, *parents])}
        elif kind == 1:
            changed = {d: p for d, p in parents.items() if not below(parents, d, document_id)}
        else:
            changed = {**parents, document_id: drawn.of([None, *parents])}
        parents = changed if is_tree(changed) else parents
    return parents


def below(parents: Parents, document_id: DocumentId, folder: DocumentId) -> bool:
    at: DocumentId | None = document_id
    while at is not None and at != folder:
        at = parents.get(at)
    return at == folder


def lookup(parents: Mapping[DocumentId, Parent], document_id: DocumentId) -> Parent:
    return parents.get(document_id, ABSENT)


def merged_parents(base: Parents, ours: Parents, theirs: Parents) -> dict[DocumentId, Parent]:
    merged: dict[DocumentId, Parent] = {}
    for document_id in sorted({*base, *ours, *theirs}):
        b, o, t = (lookup(side, document_id) for side in (base, ours, theirs))
        if not b == o == t:
            merged[document_id] = t if o == b else o
    return merged


def mended(base: Parents, ours: Parents, theirs: Parents) -> Parents:
    changed = merged_parents(base, ours, theirs)
    result: dict[DocumentId, Parent] = {**ours, **changed}
    trees = [partial(lookup, side) for side in (base, ours, theirs, dict(result))]
    mends = mend(trees[0], trees[1], trees[2], trees[3], changed)
    was_tree = is_tree({d: p for d, p in result.items() if not isinstance(p, Absent)})
    assert was_tree == (not mends)
    for each in mends:
        if each.kind is MendKind.KEPT:
            side = ours if each.side is Side.OURS else theirs
            assert result.get(each.document_id, ABSENT) is ABSENT
            assert side[each.document_id] == each.parent
            assert result[each.because] == each.document_id
        else:
            assert base[each.document_id] == each.parent
            assert result[each.document_id] == each.because
        result[each.document_id] = each.parent
    return {d: p for d, p in result.items() if not isinstance(p, Absent)}


def three_trees(drawn: Dice) -> tuple[Parents, Parents, Parents]:
    ids = [DocumentId(letter) for letter in "abcde"]
    base = some_tree(drawn, ids[drawn.upto(2) :])
    ours = rearranged(drawn, base, [DocumentId("m"), DocumentId("n")])
    return base, ours, rearranged(drawn, base, [DocumentId("s"), DocumentId("t")])


@law
@given(dice(60).map(three_trees))
def test_a_merge_is_mended_into_a_tree(trees: tuple[Parents, Parents, Parents]) -> None:
    base, ours, theirs = trees
    assert is_tree(mended(base, ours, theirs))


@law
@given(dice(60).map(three_trees))
def test_it_is_mended_the_same_way_on_both_sides(trees: tuple[Parents, Parents, Parents]) -> None:
    base, ours, theirs = trees
    sides = [merged_parents(base, *pair) for pair in ((ours, theirs), (theirs, ours))]
    if sides[0] == sides[1]:
        assert mended(base, ours, theirs) == mended(base, theirs, ours)
    assert mended(base, ours, base) == ours
    assert mended(base, base, theirs) == theirs


@law
@given(dice(60).map(three_trees))
def test_the_states_of_a_merge_are_trees_on_both_sides(
    trees: tuple[Parents, Parents, Parents],
) -> None:
    """Goes the whole way from documents to documents, and looks at nothing but the result."""
    store: dict[Cid, Document] = {}
    states = [state({d: put(store, folder(d, p)) for d, p in side.items()}) for side in trees]
    base, ours, theirs = states
    ends = []
    for mine, other in ((ours, theirs), (theirs, ours)):
        merge = merge_projects(base, mine, other, store.__getitem__)
        made = {d: put(store, document) for d, document in merge.documents.items()}
        delta = {**merge.delta, **made}
        assert mine.is_minimal(delta)
        assert not made.keys() & merge.delta.keys()
        shown: dict[DocumentId, Document | None] = {
            conflict.document_id: conflict.inside.document
            for conflict in merge.conflicts
            if conflict.inside
        }
        whole = {d: store[cid] for d, cid in mine.apply(delta).items()} | shown
        parents = {d: parent_of(document) for d, document in whole.items() if document}
        assert is_tree(parents)
        ends.append((parents, bool(merge.conflicts)))
    assert ends[0][0] == ends[1][0] or ends[0][1]


def folder(document_id: DocumentId, parent: DocumentId | None) -> Document:
    body: Body = {"_id": document_id, "_type": "request_group", "parentId": parent}
    return Document(document_id, "request_group", body)


def put(store: dict[Cid, Document], document: Document) -> Cid:
    key = cid(encode(document.body))
    store[key] = document
    return key
