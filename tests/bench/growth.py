"""Measures whether anything grows: one push, one pull, nothing new, clone; over sizes of projects.

    python -m tests.bench.growth --documents 100,1000,10000 --commits 10
    python -m tests.bench.growth --documents 1000 --commits 10,100,1000,10000

Each number of documents is one project; its history is made longer from point to point. Storage
operations are those that Sopor's server asks of its storages, as a cloud would bill them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.bench import machine
from tests.bench.commands import Command, Measured, Spawner, spawning
from tests.bench.peers import Peer, Run
from tests.bench.peers.known import found
from tests.bench.peers.sopor import devices
from tests.bench.scenarios import CLONE, NOTHING, PULL, PUSH, median_of
from tests.support.inside import Operations, server_inside
from tests.support.workload import Workload, workload

MOST_GROWTH, MOST_TIME_GROWTH, MOST_CLONE_GROWTH = 1.1, 1.25, 2.0
_NONE = Operations(0, 0, 0, 0)


@dataclass
class Point:
    """What the scenarios cost in one project at one length of its history."""

    peer: str
    documents: int
    commits: int
    measured: dict[str, Measured] = field(default_factory=dict)
    operations: dict[str, Operations] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Returns all numbers."""
        costs = {
            scenario: {
                **machine.numbers(measured),
                **asdict(self.operations.get(scenario, _NONE)),
            }
            for scenario, measured in self.measured.items()
        }
        return {
            "peer": self.peer,
            "documents": self.documents,
            "commits": self.commits,
            "costs": costs,
        }


@dataclass(frozen=True)
class Project:
    """A project of a peer, that grows."""

    name: str
    peer: Peer
    spawner: Spawner
    work: Workload
    root: Path
    ids: list[str]
    operations: Callable[[], Operations]

    @property
    def laptop(self) -> Path:
        """The working copy that is edited."""
        return self.root / "laptop"

    def begin(self) -> None:
        """Publishes the first commit."""
        self.peer.prepare("p0")
        self.spawner.run(self.peer.publish("p0", self.laptop))

    def extend(self, first: int, last: int, every: int) -> None:
        """Adds commits to the history."""
        self.peer.replay("p0", self.laptop, self._edits(first, last), every)

    def measure(self, point: Point, rounds: int) -> None:
        """Clones into a new folder, and does the day's work in both."""
        desktop = self.root / f"desktop-{point.commits}"
        clone = self._crossing(point, CLONE, self.peer.clone("p0", desktop))
        point.measured[CLONE] = clone
        found: dict[str, list[Measured]] = {PUSH: [], PULL: [], NOTHING: []}
        for number in range(rounds + 1):
            edit = 10_000 * point.commits + number
            self.work.edit_one(self.laptop, edit, ids=self.ids)
            push = [*self.peer.keep(self.laptop, "Edit"), *self.peer.send("p0", self.laptop)]
            pull, look = self.peer.pull("p0", desktop), self.peer.look("p0", desktop)
            for scenario, commands in ((PUSH, push), (PULL, pull), (NOTHING, look)):
                measured = self._crossing(point, scenario, commands)
                found[scenario] += [measured] if number else []  # the first one warms caches
        point.measured |= {scenario: median_of(each) for scenario, each in found.items()}

    def _edits(self, first: int, last: int) -> Iterator[str]:
        for number in range(first, last + 1):
            self.work.apply_commit(self.laptop, number, self.ids)
            yield f"Commit {number}"

    def _crossing(self, point: Point, scenario: str, commands: list[Command]) -> Measured:
        before, operations = self.peer.proxy.crossed(), self.operations()
        used = self.spawner.run(commands)
        crossed = self.peer.proxy.crossed() - before
        point.operations[scenario] = self.operations() - operations
        return Measured(used, crossed)


@contextmanager
def _opened(name: str, root: Path, run: Run) -> Iterator[tuple[Peer, Callable[[], Operations]]]:
    """Opens a peer; Sopor's server runs in this process, so that its operations are seen."""
    if name == "sopor":
        root.mkdir(parents=True)
        with server_inside(root / "data") as server, devices(root, server.url) as sopor:
            yield sopor, lambda: server.operations
        return
    (kind,), _ = found([name])
    with kind.opened(root, run) as peer:
        yield peer, lambda: _NONE


def grow(
    name: str, documents: int, commits: list[int], *, rounds: int, every: int
) -> Iterator[Point]:
    """Yields a point for each length of the history of one project."""
    work = workload()
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        root = Path(folder)
        ids = work.write(root / "laptop", documents)
        with (
            spawning(root) as spawner,
            _opened(name, root / "peer", spawner.run) as (peer, operations),
        ):
            project = Project(name, peer, spawner, work, root, ids, operations)
            project.begin()
            have = 0
            for length in sorted(commits):
                project.extend(have + 1, length, every)
                have = length
                point = Point(name, documents, length)
                project.measure(point, rounds)
                yield point


def table(points: list[Point]) -> str:
    """Returns the points as Markdown."""
    head = (
        "peer, documents, commits, scenario, up, down, requests, reads / writes / blobs read / put"
    )
    columns = [*head.split(", "), "seconds", "of processors", "peak MiB"]
    lines = [f"| {' | '.join(columns)} |", "|" + " --- |" * len(columns)]
    for point in points:
        for scenario, each in point.measured.items():
            asked = point.operations[scenario]
            operations = " / ".join(str(count) for count in asdict(asked).values())
            cells = [
                *(point.peer, f"{point.documents:,}", f"{point.commits:,}", scenario),
                *(f"{each.crossed.up:,}", f"{each.crossed.down:,}", str(each.crossed.requests)),
                *(operations if point.peer == "sopor" else "", f"{each.used.seconds:.3f}"),
                f"{each.used.processor_seconds:.3f}",
                f"{each.used.peak_kib / 1024:.0f}",
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def judged(points: list[Point]) -> Iterator[str]:
    """Yields a line for each thing that is not to grow from the smallest point to the largest."""
    first, last = points[0], points[-1]
    for scenario in (PUSH, PULL, NOTHING):
        small, large = first.measured[scenario], last.measured[scenario]
        yield _line(scenario, "bytes", large.crossed.both / small.crossed.both, MOST_GROWTH)
        requests = large.crossed.requests / small.crossed.requests
        yield _line(scenario, "requests", requests, MOST_GROWTH)
        asked = [sum(asdict(each.operations[scenario]).values()) for each in (first, last)]
        if asked[0]:
            yield _line(scenario, "storage operations", asked[1] / asked[0], MOST_GROWTH)
        seconds = large.used.seconds / small.used.seconds
        yield _line(scenario, "time", seconds, MOST_TIME_GROWTH)
        worked = large.used.processor_seconds / small.used.processor_seconds
        yield _line(scenario, "processor time", worked, MOST_TIME_GROWTH)
    if first.documents == last.documents:
        clones = last.measured[CLONE].used.seconds / first.measured[CLONE].used.seconds
        yield _line(CLONE, "time", clones, MOST_CLONE_GROWTH)


def _line(scenario: str, what: str, ratio: float, most: float) -> str:
    verdict = "met" if ratio <= most else "missed"
    return f"- {scenario}: {what} grows {ratio:.2f} times, at most {most:g}: {verdict}"


def main() -> int:
    """Measures and prints; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", default="100,1000,10000")
    parser.add_argument("--commits", default="10")
    parser.add_argument("--peers", default="sopor")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--every", type=int, default=1, help="commits of one push")
    options = parser.parse_args()
    here = machine.machine()
    commits = [int(each) for each in options.commits.split(",")]
    documents = sorted(int(each) for each in options.documents.split(","))
    points: list[Point] = []
    for name in options.peers.split(","):
        mine: list[Point] = []
        for count in documents:
            mine += grow(name, count, commits, rounds=options.rounds, every=options.every)
        print(table(mine), *(["", *judged(mine)] if len(mine) > 1 else []), "", sep="\n")
        points += mine
    print(machine.described(here))
    axis = "documents" if len(documents) > 1 else "commits"
    data = {"machine": here, "axis": axis, "points": [point.to_json() for point in points]}
    print(f"written to {machine.write(f'growth-{axis}', data)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
