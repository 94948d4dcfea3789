"""Histories as small drawings, and large ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import dedent

import pytest

from sopor.merge.drawing import graph_lines, graph_rows
from sopor.merge.graph import (
    Graph,
    ahead_behind,
    first_parent_path,
    is_ancestor,
    merge_bases,
    newest_first,
    virtual_base,
)

LINEAR = {"a": "", "b": "a", "c": "b"}
FORKED = {"a": "", "b": "a", "x": "a", "c": "b", "y": "x"}
CRISS_CROSS = {"a": "", "b": "a", "x": "a", "c": "bx", "y": "xb", "d": "c", "z": "y"}


def graph(history: Mapping[str, str], times: Mapping[str, float] | None = None) -> Graph[str]:
    """Makes a graph of commits with one letter each; they are as old as they come."""
    places = {commit: float(place) for place, commit in enumerate(history)}
    return Graph(lambda commit: list(history[commit]), lambda commit: (times or places)[commit])


def drawing(history: Mapping[str, str]) -> str:
    order = newest_first(graph(history), list(history))
    lines = graph_lines(graph_rows(order, lambda commit: list(history[commit])))
    return "\n".join(f"{line.text} {line.commit or ''}".rstrip() for line in lines)


def test_the_merge_base_of_two_branches_is_where_they_parted() -> None:
    assert merge_bases(graph(FORKED), "c", "y") == ("a",)
    assert merge_bases(graph(FORKED), "c", "b") == ("b",)
    assert merge_bases(graph(FORKED), "c", "c") == ("c",)
    assert ahead_behind(graph(FORKED), "c", "y") == (2, 2)
    assert ahead_behind(graph(FORKED), "c", "a") == (2, 0)


def test_unrelated_histories_have_no_merge_base() -> None:
    history = {"a": "", "x": "", "b": "a"}
    assert merge_bases(graph(history), "b", "x") == ()
    assert not is_ancestor(graph(history), "x", "b")
    assert ahead_behind(graph(history), "b", "x") == (2, 1)


def test_criss_cross_merges_have_two_bases_the_newest_first() -> None:
    assert merge_bases(graph(CRISS_CROSS), "d", "z") == ("x", "b")
    assert merge_bases(graph(CRISS_CROSS), "z", "d") == ("x", "b")


def test_a_clock_that_was_wrong_does_not_give_a_worse_base() -> None:
    """The child b pretends to be older than its parent a, so a is met first."""
    history = {"a": "", "b": "a", "c": "ab", "x": "ba"}
    times = {"a": 9.0, "b": 0.0, "c": 10.0, "x": 11.0}
    assert merge_bases(graph(history, times), "c", "x") == ("b",)


def test_a_clock_that_was_wrong_does_not_count_a_common_commit_as_ahead() -> None:
    """Commit n is an ancestor of both, yet newer than all that leads to it from the base."""
    history = {"n": "", "o": "n", "m": "o", "c": "mn", "x": "m"}
    times = {"n": 50.0, "o": 1.0, "m": 2.0, "c": 60.0, "x": 61.0}
    assert ahead_behind(graph(history, times), "c", "x") == (1, 1)


@pytest.mark.parametrize("reverse", [False, True])
def test_the_virtual_base_of_a_criss_cross_is_the_merge_of_both_bases(reverse: bool) -> None:
    calls: list[str] = []

    def merge(base: str, ours: str, theirs: str) -> str:
        calls.append(f"{base}:{ours}+{theirs}")
        return f"({ours}{theirs})"

    bases: Sequence[str] = ("b", "x") if reverse else ("x", "b")
    found = virtual_base(graph(CRISS_CROSS), bases, load=str, merge=merge, nothing="-")
    assert found == "(bx)"
    assert calls == ["a:b+x"]


def crossed(levels: int) -> dict[int, list[int]]:
    """Makes two lines of commits that merge each other again and again."""
    history: dict[int, list[int]] = {0: [], 1: [0], 2: [0]}
    for level in range(levels):
        one, other = 2 * level + 1, 2 * level + 2
        history[one + 2], history[other + 2] = [one, other], [other, one]
    return history


def test_bases_that_are_virtual_themselves_are_merged_first() -> None:
    history = crossed(3)
    calls: list[tuple[frozenset[int], ...]] = []

    def merge(*versions: frozenset[int]) -> frozenset[int]:
        calls.append(versions)
        return versions[1] | versions[2]

    by_number = Graph(history.__getitem__, float)
    bases = merge_bases(by_number, 7, 8)
    assert bases == (6, 5)
    nothing: frozenset[int] = frozenset()
    found = virtual_base(
        by_number, bases, load=lambda commit: frozenset([commit]), merge=merge, nothing=nothing
    )
    assert found == {5, 6}
    assert [sorted(base) for base, _, _ in calls] == [[0], [1, 2], [3, 4]]


def test_endless_criss_cross_ends_at_the_depth() -> None:
    history = crossed(500)
    merges = []

    def merge(base: int, ours: int, theirs: int) -> int:
        merges.append((base, ours, theirs))
        return max(ours, theirs)

    by_number = Graph(history.__getitem__, float)
    bases = merge_bases(by_number, 1001, 1002)
    assert virtual_base(by_number, bases, load=int, merge=merge, nothing=0, depth=20) == 1000
    assert len(merges) == 21


def test_unrelated_bases_are_merged_from_nothing() -> None:
    history = {"b": "", "x": "", "c": "bx", "y": "xb"}
    bases = merge_bases(graph(history), "c", "y")
    assert set(bases) == {"b", "x"}
    merged = virtual_base(
        graph(history), bases, load=str, merge=lambda base, o, t: base + o + t, nothing="-"
    )
    assert merged == "-bx"


def test_children_come_before_their_parents_whatever_the_clocks_say() -> None:
    times = {"a": 9.0, "b": 1.0, "c": 5.0, "x": 2.0, "y": 3.0}
    assert list(newest_first(graph(FORKED, times), ["c", "y"])) == ["c", "y", "x", "b", "a"]
    assert list(newest_first(graph(FORKED), ["c"], hidden=["y"])) == ["c", "b"]
    assert list(newest_first(graph(FORKED), [])) == []


def test_the_first_parents_of_a_merge() -> None:
    assert list(first_parent_path(graph(CRISS_CROSS), "d")) == ["d", "c", "b", "a"]
    assert list(first_parent_path(graph(CRISS_CROSS), "z", "x")) == ["z", "y", "x"]


class Counted:
    """A long line of commits with two short branches at its end; counts the lookups."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.asked = 0

    def parents(self, commit: int) -> list[int]:
        self.asked += 1
        return [commit - 2 if commit > self.length else commit - 1] if commit else []


def test_near_heads_of_a_long_history_cost_a_few_lookups() -> None:
    counted = Counted(10_000)
    long = Graph(counted.parents, float, ordered=True)
    # Behind 10,000, even and odd numbers are two branches.
    assert merge_bases(long, 10_008, 10_009) == (9_999,)
    assert is_ancestor(long, 9_990, 10_009)
    assert not is_ancestor(long, 10_008, 10_009)
    assert ahead_behind(long, 10_008, 10_000) == (4, 0)
    newest = newest_first(long, [10_008])
    assert [next(newest) for _ in range(3)] == [10_008, 10_006, 10_004]
    newest = newest_first(long, [10_002, 10_008, 10_005])
    assert [next(newest) for _ in range(4)] == [10_008, 10_006, 10_005, 10_004]
    assert counted.asked < 100
    assert ahead_behind(Graph(counted.parents, float), 10_008, 10_009) == (5, 5)
    assert ahead_behind(long, 10_008, 0) == (10_004, 0)


def test_a_line() -> None:
    assert drawing(LINEAR) == "* c\n* b\n* a"


def test_a_merge() -> None:
    assert drawing({"a": "", "b": "a", "x": "a", "m": "bx"}) == drawn(
        r"""
        * m
        |\
        | * x
        * | b
        |/
        * a
        """
    )


def test_two_branches() -> None:
    assert drawing(FORKED) == drawn(
        r"""
        * y
        | * c
        * | x
        | * b
        |/
        * a
        """
    )


def test_criss_cross() -> None:
    assert drawing(CRISS_CROSS) == drawn(
        r"""
        * z
        | * d
        * | y
        |\ \
        | | * c
        | |/
        |/|
        * | x
        | * b
        |/
        * a
        """
    )


def test_three_parents_and_a_line_that_crosses_another_one() -> None:
    history = {"a": "", "b": "a", "c": "a", "d": "a", "e": "c", "m": "bcd", "t": "ae"}
    assert drawing(history) == drawn(
        r"""
        * t
        |\
        | | * m
        | | |\
        | | | |\
        | * | | | e
        |  \| | |
        |   |\| |
        |  / / /
        | | | * d
        | | |/
        | |/|
        |/| |
        | | * c
        | |/
        |/|
        | * b
        |/
        * a
        """
    )


def drawn(text: str) -> str:
    return dedent(text).strip("\n").rstrip()


def test_a_parent_that_is_not_shown_can_be_left_out() -> None:
    rows = list(graph_rows(["c"], lambda _: []))
    assert [(row.column, row.width, row.edges) for row in rows] == [(0, 1, ())]
