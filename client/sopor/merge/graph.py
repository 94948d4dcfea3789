"""Answers questions about the graph of commits: ancestors, merge bases, how far branches are apart.

A commit is any value that hashes and sorts, such as its id; `Graph` says how to get its parents and
its time. A walk starts at the heads, newest first, and ends when nothing more can change the
answer; so it costs what the branches differ by, not what the history holds. The answers are right
even if times are wrong (a child older than its parent); then only the walk is longer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import field
from heapq import heappop, heappush
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from sopor.records import dataclass


class CommitLike(Hashable, Protocol):
    """What can name a commit: it hashes, and sorts among others of its kind."""

    def __lt__(self, other: Any, /) -> bool:  # noqa: ANN401 - as the standard library has it
        ...


C = TypeVar("C", bound=CommitLike)
V = TypeVar("V")

_LEFT: Final = 1
_RIGHT: Final = 2
_BOTH: Final = _LEFT | _RIGHT
_STALE: Final = 4

MAX_VIRTUAL_DEPTH = 50
"""From this level on, a virtual base is simply the oldest of its bases."""


@dataclass(frozen=True, slots=True)
class Graph(Generic[C]):
    """Says how to walk the commits.

    - ``parents`` returns a commit's parents, the first one first.
    - ``time`` returns the number that commits are sorted by, such as milliseconds; where it is the
      same, the commit with the smaller id counts as the newer one.
    - ``ordered`` promises that each commit has a greater time than its parents (the place in the
      order in which a store received them is such a time). It spares walks behind merge bases.
    """

    parents: Callable[[C], Sequence[C]]
    time: Callable[[C], float]
    ordered: bool = False


class AheadBehind(NamedTuple):
    """How many commits only one branch has, and how many only the other one."""

    ahead: int
    behind: int


@dataclass(slots=True)
class _Walk(Generic[C]):
    """Paints commits as ancestors of the left heads, the right ones, or common ancestors (stale).

    After ``run``, every commit that only one side reaches is painted, and every best common
    ancestor has both colours without being stale. Where times are wrong, some that are not the best
    look the same, and some that both sides reach have one colour only.
    """

    graph: Graph[C]
    marks: dict[C, int] = field(default_factory=dict)
    _queue: list[tuple[float, C]] = field(default_factory=list)
    _queued: set[C] = field(default_factory=set)
    _fresh: int = 0

    def paint(self, commits: Iterable[C], mark: int) -> None:
        """Adds a mark to commits and queues those that did not have it."""
        for commit in commits:
            old = self.marks.get(commit, 0)
            new = old | mark
            if new == old:
                continue
            self.marks[commit] = new
            if commit not in self._queued:
                self._queued.add(commit)
                heappush(self._queue, (-self.graph.time(commit), commit))
                self._fresh += not new & _STALE
            elif new & _STALE and not old & _STALE:
                self._fresh -= 1

    def run(self) -> None:
        """Walks until only stale commits are queued."""
        while self._fresh:
            _, commit = heappop(self._queue)
            self._queued.remove(commit)
            mark = self.marks[commit]
            self._fresh -= not mark & _STALE
            if mark & _BOTH == _BOTH:
                mark |= _STALE
            self.paint(self.graph.parents(commit), mark)

    def finish(self) -> None:
        """Walks on from the stale commits, so that all that both sides reach is painted so."""
        stack = [commit for _, commit in self._queue]
        while stack:
            for parent in self.graph.parents(stack.pop()):
                if not self.marks.get(parent, 0) & _STALE:
                    self.marks[parent] = _BOTH | _STALE
                    stack.append(parent)

    def painted(self, mark: int) -> set[C]:
        """Returns the commits with exactly this mark."""
        return {commit for commit, found in self.marks.items() if found == mark}


def _walk(graph: Graph[C], left: Iterable[C], right: Iterable[C]) -> _Walk[C]:
    walk = _Walk(graph)
    walk.paint(left, _LEFT)
    walk.paint(right, _RIGHT)
    walk.run()
    return walk


def is_ancestor(graph: Graph[C], ancestor: C, descendant: C) -> bool:
    """Tells whether a commit is reached from another one; each is an ancestor of itself."""
    return bool(_walk(graph, [ancestor], [descendant]).marks[ancestor] & _RIGHT)


def merge_bases(graph: Graph[C], one: C, other: C) -> tuple[C, ...]:
    """Returns all best common ancestors of two commits, the newest first.

    A common ancestor is among the best if no other one descends from it.
    """
    return _best_common(graph, [one], [other])


def _best_common(graph: Graph[C], left: Iterable[C], right: Iterable[C]) -> tuple[C, ...]:
    found = _walk(graph, left, right).painted(_BOTH)
    if len(found) > 1:
        found = {
            commit
            for commit in found
            if not any(is_ancestor(graph, commit, other) for other in found - {commit})
        }
    return tuple(sorted(found, key=lambda commit: (-graph.time(commit), commit)))


def difference(graph: Graph[C], left: Iterable[C], right: Iterable[C]) -> tuple[set[C], set[C]]:
    """Returns the commits that only the left heads reach, and those that only the right ones do."""
    walk = _walk(graph, left, right)
    if not graph.ordered and (walk.painted(_LEFT) or walk.painted(_RIGHT)):
        walk.finish()
    return walk.painted(_LEFT), walk.painted(_RIGHT)


def ahead_behind(graph: Graph[C], branch: C, other: C) -> AheadBehind:
    """Counts the commits of a branch that the other one lacks, and those that it lacks itself."""
    ahead, behind = difference(graph, [branch], [other])
    return AheadBehind(len(ahead), len(behind))


def newest_first(graph: Graph[C], heads: Iterable[C], hidden: Iterable[C] = ()) -> Iterator[C]:
    """Yields what the heads reach and the hidden ones do not, each commit after all its children.

    Among commits that may come next, the newest comes first. With ``graph.ordered`` and nothing
    hidden, only what is taken from the iterator is walked.
    """
    heads, hidden = list(heads), list(hidden)
    if graph.ordered and not hidden:
        yield from _by_time(graph, heads)
        return
    shown, _ = difference(graph, heads, hidden)
    yield from _sorted(graph, shown)


def _sorted(graph: Graph[C], shown: set[C]) -> Iterator[C]:
    """Yields commits newest first, but none before all its children (Kahn's algorithm)."""
    parents = {commit: shown.intersection(graph.parents(commit)) for commit in shown}
    children = Counter(parent for found in parents.values() for parent in found)
    ready = sorted((-graph.time(commit), commit) for commit in shown if not children[commit])
    while ready:
        _, commit = heappop(ready)
        yield commit
        for parent in parents[commit]:
            children[parent] -= 1
            if not children[parent]:
                heappush(ready, (-graph.time(parent), parent))


def _by_time(graph: Graph[C], heads: Iterable[C]) -> Iterator[C]:
    seen = set(heads)
    queue = sorted((-graph.time(commit), commit) for commit in seen)
    while queue:
        _, commit = heappop(queue)
        yield commit
        for parent in graph.parents(commit):
            if parent not in seen:
                seen.add(parent)
                heappush(queue, (-graph.time(parent), parent))


def first_parent_path(graph: Graph[C], head: C, stop: C | None = None) -> Iterator[C]:
    """Yields a commit, its first parent, the first parent of that, and so on.

    The path ends with ``stop``, if it comes across it, else with the first commit without parents.
    """
    commit = head
    while True:
        yield commit
        parents = graph.parents(commit)
        if commit == stop or not parents:
            return
        commit = parents[0]


def virtual_base(
    graph: Graph[C],
    bases: Sequence[C],
    *,
    load: Callable[[C], V],
    merge: Callable[[V, V, V], V],
    nothing: V,
    depth: int = MAX_VIRTUAL_DEPTH,
) -> V:
    """Returns one base for a merge that has several: their own merge, as git's "recursive" does it.

    The bases are merged two at a time, from the oldest on, each time with the merge base of those
    two, which may be a virtual one again. The outcome depends on the graph alone, not on the order
    of ``bases``.

    Args:
        graph: the commits.
        bases: what `merge_bases` returned.
        load: returns the value (such as the state) of a commit.
        merge: merges three values (base, ours, theirs) and settles what conflicts.
        nothing: the base of two commits that have no ancestor in common.
        depth: how many virtual bases there may be on top of each other.
    """

    def value_of(found: Sequence[C]) -> V:
        if not found:
            return nothing
        if len(found) == 1 or not depth:
            return load(found[-1])
        return virtual_base(graph, found, load=load, merge=merge, nothing=nothing, depth=depth - 1)

    oldest, *rest = sorted(bases, key=lambda commit: (graph.time(commit), commit))
    merged, value = [oldest], load(oldest)
    for commit in rest:
        base = value_of(_best_common(graph, merged, [commit]))
        value = merge(base, value, load(commit))
        merged.append(commit)
    return value
