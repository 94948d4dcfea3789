"""The graph functions against plain sets of ancestors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sopor.merge.drawing import graph_lines, graph_rows
from sopor.merge.graph import (
    Graph,
    ahead_behind,
    difference,
    first_parent_path,
    is_ancestor,
    merge_bases,
    newest_first,
    virtual_base,
)
from tests.properties.merging import Dice, dice, law


@dataclass(frozen=True)
class History:
    """A random history: commit 0 comes first, and parents have smaller numbers."""

    parents: Mapping[int, tuple[int, ...]]
    times: Mapping[int, int]

    @cached_property
    def graph(self) -> Graph[int]:
        return Graph(self.parents.__getitem__, self.times.__getitem__)

    @cached_property
    def ancestors(self) -> Mapping[int, frozenset[int]]:
        reached: dict[int, frozenset[int]] = {}
        for commit, parents in self.parents.items():
            reached[commit] = frozenset([commit]).union(*(reached[parent] for parent in parents))
        return reached

    def best(self, left: Iterable[int], right: Iterable[int]) -> set[int]:
        def reach(heads: Iterable[int]) -> frozenset[int]:
            return frozenset().union(*(self.ancestors[head] for head in heads))

        common = reach(left) & reach(right)
        return {c for c in common if not any(c in self.ancestors[d] for d in common - {c})}


def history(drawn: Dice) -> History:
    parents: dict[int, tuple[int, ...]] = {}
    times: dict[int, int] = {}
    kind = drawn.upto(2)
    for commit in range(2 + drawn.upto(12)):
        recent = list(range(max(0, commit - 5), commit))
        chosen = drawn.some(recent)[: drawn.of([1, 1, 2, 2, 3, 0])]
        parents[commit] = tuple(chosen)
        # Right clocks, clocks that may be equal, clocks that are wrong.
        times[commit] = [commit, commit // 3, drawn.upto(9)][kind]
    return History(parents, times)


histories = dice(100).map(history)


@law
@given(histories, st.integers(0), st.integers(0))
def test_merge_bases_are_the_best_of_all_common_ancestors(h: History, a: int, b: int) -> None:
    one, other = a % len(h.parents), b % len(h.parents)
    found = merge_bases(h.graph, one, other)
    assert set(found) == h.best([one], [other])
    assert found == merge_bases(h.graph, other, one)
    assert [h.times[c] for c in found] == sorted((h.times[c] for c in found), reverse=True)


@law
@given(histories, st.integers(0), st.integers(0))
def test_ancestors_and_distances_are_those_of_the_sets(h: History, a: int, b: int) -> None:
    one, other = a % len(h.parents), b % len(h.parents)
    assert is_ancestor(h.graph, one, other) == (one in h.ancestors[other])
    left = {*(h.ancestors[one] - h.ancestors[other])}
    right = {*(h.ancestors[other] - h.ancestors[one])}
    assert difference(h.graph, [one], [other]) == (left, right)
    assert ahead_behind(h.graph, one, other) == (len(left), len(right))
    by_number = Graph(h.parents.__getitem__, float, ordered=True)
    assert difference(by_number, [one], [other]) == (left, right)


@law
@given(histories, st.integers(0), st.integers(0))
def test_every_commit_comes_after_its_children(h: History, a: int, b: int) -> None:
    head, hidden = a % len(h.parents), b % len(h.parents)
    order = list(newest_first(h.graph, [head, hidden], hidden=[hidden]))
    assert sorted(order) == sorted(h.ancestors[head] - h.ancestors[hidden])
    for place, commit in enumerate(order):
        assert not set(h.parents[commit]) & set(order[:place])
        free = [c for c in order[place:] if not any(c in h.parents[d] for d in order[place:])]
        assert h.times[commit] == max(h.times[c] for c in free)
    by_number = Graph(h.parents.__getitem__, float, ordered=True)
    assert list(newest_first(by_number, [head])) == sorted(h.ancestors[head], reverse=True)


@law
@given(histories, st.integers(0))
def test_the_first_parent_path_ends_where_it_is_told(h: History, a: int) -> None:
    head = a % len(h.parents)
    path = list(first_parent_path(h.graph, head))
    assert path[0] == head
    assert not h.parents[path[-1]]
    assert path[1:] == [h.parents[commit][0] for commit in path[:-1]]
    middle = path[len(path) // 2]
    assert list(first_parent_path(h.graph, head, middle)) == path[: path.index(middle) + 1]


@law
@given(histories)
def test_lines_of_the_drawing_lead_from_each_commit_to_its_parents(h: History) -> None:
    order = list(newest_first(h.graph, list(h.parents)))
    rows = list(graph_rows(order, h.parents.__getitem__))
    assert [row.commit for row in rows] == order
    for place, row in enumerate(rows):
        assert 0 <= row.column < row.width
        own = [edge.stop for edge in row.edges if edge.start == row.column]
        reached = set()
        for column in own:
            at = column
            for below in rows[place + 1 :]:
                if below.column == at:
                    reached.add(below.commit)
                    break
                (at,) = [edge.stop for edge in below.edges if edge.start == at]
        assert reached == set(h.parents[row.commit])
        assert len(own) == len(reached)


@law
@given(histories)
def test_every_commit_has_one_star_and_lines_never_cross_on_one_place(h: History) -> None:
    order = list(newest_first(h.graph, list(h.parents)))
    rows = list(graph_rows(order, h.parents.__getitem__))
    lines = list(graph_lines(rows))
    assert [line.commit for line in lines if line.commit is not None] == order
    for line in lines:
        assert line.text.count("*") == (line.commit is not None)
        assert line.text == line.text.rstrip()
        assert not set(line.text[0::2]) - set("*| ")
        assert not set(line.text[1::2]) - set("/\\ ")
    # A stroke begins where the line above ends one, and the other way round.
    for above, below in pairwise(lines):
        if above.commit is None:
            assert ends(above.text, down=True) <= ends(below.text, down=False)
        if below.commit is None:
            assert ends(below.text, down=False) <= ends(above.text, down=True)


def ends(text: str, *, down: bool) -> set[int]:
    """Returns the columns where the strokes of a line end, at its lower or its upper edge."""
    aside = {"*": 0, "|": 0, "\\": 1 if down else -1, "/": -1 if down else 1}
    return {at + aside[mark] for at, mark in enumerate(text) if mark in aside}


@law
@given(histories, st.integers(0), st.integers(0))
def test_a_virtual_base_takes_in_all_bases_and_nothing_else(h: History, a: int, b: int) -> None:
    """With sets of commits as values, a merge is a union, and a base is what both contain."""
    bases = merge_bases(h.graph, a % len(h.parents), b % len(h.parents))
    if not bases:
        return
    below: list[tuple[frozenset[int], frozenset[int], frozenset[int]]] = []

    def merge(base: frozenset[int], x: frozenset[int], y: frozenset[int]) -> frozenset[int]:
        below.append((base, x, y))
        return x | y

    def virtual(bases: tuple[int, ...]) -> frozenset[int]:
        empty: frozenset[int] = frozenset()
        return virtual_base(
            h.graph, bases, load=h.ancestors.__getitem__, merge=merge, nothing=empty
        )

    assert virtual(bases) == frozenset().union(*(h.ancestors[base] for base in bases))
    for base, one, other in below:
        assert base == one & other
    assert virtual(bases) == virtual(bases[::-1])
