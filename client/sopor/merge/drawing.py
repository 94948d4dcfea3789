"""Lays out a graph of commits in columns, and draws the columns as lines of characters.

One column (lane) stands for each commit that is expected further down. A commit ends its lane; its
parents go on in it, in new lanes to the right of it, or in lanes where they are expected already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from sopor.records import dataclass

C = TypeVar("C")


class Edge(NamedTuple):
    """A line from a column of one row to a column of the next one."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class GraphRow(Generic[C]):
    """One commit, its column, how many columns its row has, and the lines down to the next row.

    Lines that start in the commit's own column lead to its parents, the others pass by.
    """

    commit: C
    column: int
    width: int
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class GraphLine(Generic[C]):
    """One line of a drawing: a commit's own, or, without a commit, one between two commits."""

    commit: C | None
    text: str


def graph_rows(commits: Iterable[C], parents: Callable[[C], Sequence[C]]) -> Iterator[GraphRow[C]]:
    """Yields the layout of commits that come in an order with children before parents.

    Each parent gets a lane, to the end if it never comes: if only some commits are shown, let
    ``parents`` return those of them.
    """
    lanes: list[C] = []
    for commit in commits:
        if commit not in lanes:
            lanes.append(commit)
        column, width = lanes.index(commit), len(lanes)
        around = [*lanes[:column], *lanes[column + 1 :]]
        wanted = list(dict.fromkeys(parents(commit)))
        below = [*lanes[:column], *(p for p in wanted if p not in around), *lanes[column + 1 :]]
        places = {lane: at for at, lane in enumerate(below)}
        passing = [Edge(at, places[lane]) for at, lane in enumerate(lanes) if at != column]
        own = [Edge(column, places[parent]) for parent in wanted]
        yield GraphRow(commit, column, width, tuple(sorted([*passing, *own])))
        lanes = below


def graph_lines(rows: Iterable[GraphRow[C]]) -> Iterator[GraphLine[C]]:
    """Yields the drawing of rows, one column every two characters."""
    for row in rows:
        marks = ["*" if column == row.column else "|" for column in range(row.width)]
        yield GraphLine(row.commit, " ".join(marks))
        for step in _steps(row):
            yield from (GraphLine(None, text) for text in _slide(step))


Step: TypeAlias = Sequence[Edge]


def _steps(row: GraphRow[C]) -> Sequence[Step]:
    """Returns the lines below a row in parts, so that none of them crosses one that moves apart.

    That happens if the commit's lane ends, so that all to its right move left, while a line of its
    own goes to the right. Then its line moves first.
    """
    own = [edge for edge in row.edges if edge.start == row.column]
    passing = [edge for edge in row.edges if edge.start != row.column]
    closing = any(edge.stop < edge.start for edge in passing)
    if not (closing and any(edge.stop > row.column for edge in own)):
        return [row.edges]
    columns = {edge.stop: edge.start for edge in passing}
    still = [Edge(edge.start, edge.start) for edge in passing]
    return [[*still, *(Edge(row.column, columns[edge.stop]) for edge in own)], passing]


def _slide(step: Step) -> Iterator[str]:
    """Yields the lines of characters in which each edge gets to its column, one at a time."""
    edges = list(step)
    while any(edge.start != edge.stop for edge in edges):
        marks: dict[int, str] = {}
        moved = []
        for start, stop in edges:
            way = (stop > start) - (stop < start)
            marks[2 * start + way] = "/|\\"[way + 1]
            moved.append(Edge(start + way, stop))
        edges = moved
        yield "".join(marks.get(at, " ") for at in range(max(marks) + 1))
