"""Plays the same day with every peer, in turn: publish, history, clone, push, pull, nothing new.

Each scenario is what a person types, in whole processes, from working files to working files. All
peers do a round of one scenario before the next round begins, so that what else the machine does
strikes them alike. That the documents arrive is checked every time, outside of what is measured.
"""

from __future__ import annotations

import json
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.commands import Command, Measured, Spawner, Used
from tests.bench.peers import Kind, Peer
from tests.bench.peers.sopor import Sopor
from tests.bench.proxy import Crossed
from tests.support.workload import Workload

INITIAL, PUSH, CLONE, PULL, NOTHING = "initial push", "push", "clone", "pull", "nothing new"
SCENARIOS = (INITIAL, PUSH, CLONE, PULL, NOTHING)
IN_PROCESS = "sopor, running"


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        documents: of the project.
        commits: of its history, after the first one.
        every: how many of them are pushed together.
        slow_every: the same for peers that make a whole snapshot each time.
        rounds: of push, pull and nothing new.
        big_rounds: of initial push and clone.
    """

    documents: int
    commits: int
    every: int = 1
    slow_every: int = 1
    rounds: int = 7
    big_rounds: int = 3


@dataclass
class Results:
    """What was measured, by peer and scenario, in the order of rounds."""

    size: Size
    measured: dict[str, dict[str, list[Measured]]] = field(default_factory=dict)

    def add(self, peer: str, scenario: str, measured: Measured) -> None:
        """Takes one round."""
        self.measured.setdefault(peer, {}).setdefault(scenario, []).append(measured)

    def median(self, peer: str, scenario: str) -> Measured | None:
        """Returns the median of each number; None if it was not measured."""
        rounds = self.measured.get(peer, {}).get(scenario)
        return median_of(rounds) if rounds else None


def median_of(rounds: list[Measured]) -> Measured:
    """Returns the median of each number, and the largest peak."""
    crossed = [each.crossed for each in rounds]
    return Measured(
        Used(
            statistics.median(each.used.seconds for each in rounds),
            statistics.median(each.used.processor_seconds for each in rounds),
            max(each.used.peak_kib for each in rounds),
        ),
        Crossed(
            round(statistics.median(each.requests for each in crossed)),
            round(statistics.median(each.up for each in crossed)),
            round(statistics.median(each.down for each in crossed)),
        ),
    )


@dataclass
class _Team:
    """One peer with its working copies."""

    kind: Kind
    peer: Peer
    root: Path
    ids: list[str]

    @property
    def laptop(self) -> Path:
        return self.root / "laptop-0"

    @property
    def desktop(self) -> Path:
        return self.root / "desktop-0"


class Day:
    """The scenarios of one size, with all the peers that are there."""

    def __init__(self, size: Size, workload: Workload, spawner: Spawner, root: Path) -> None:
        self._workload = workload
        self._spawner = spawner
        self._root = root
        self.results = Results(size)

    def play(self, kinds: list[Kind]) -> Results:
        """Plays everything and returns what was measured."""
        files = self._root / "files"
        ids = self._workload.write(files, self.results.size.documents)
        with ExitStack() as stack:
            teams = []
            for kind in kinds:
                root = self._root / kind.name
                peer = stack.enter_context(kind.opened(root / "peer", self._spawner.run))
                teams.append(_Team(kind, peer, root, list(ids)))
            self._publish(teams, files)
            for team in teams:
                self._replay(team)
            self._clone(teams)
            self._days_work(teams)
            for team in teams:
                if isinstance(team.peer, Sopor):
                    self._in_process(team, team.peer)
        return self.results

    def _publish(self, teams: list[_Team], files: Path) -> None:
        for number in range(self.results.size.big_rounds):
            for team in teams:
                folder = team.root / f"laptop-{number}"
                shutil.copytree(files, folder)
                team.peer.prepare(f"p{number}")
                self._measure(team, INITIAL, team.peer.publish(f"p{number}", folder))
                if number:
                    shutil.rmtree(folder)

    def _replay(self, team: _Team) -> None:
        size = self.results.size
        every = size.slow_every if team.kind.slow else size.every
        team.peer.replay("p0", team.laptop, self._history(team), every)

    def _history(self, team: _Team) -> Iterator[str]:
        for number in range(1, self.results.size.commits + 1):
            self._workload.apply_commit(team.laptop, number, team.ids)
            yield f"Commit {number}"

    def _clone(self, teams: list[_Team]) -> None:
        for number in range(self.results.size.big_rounds):
            for team in teams:
                folder = team.root / f"desktop-{number}"
                self._measure(team, CLONE, team.peer.clone("p0", folder))
                for document in team.ids[::50]:
                    self._check(team, folder, document)
                if number:
                    shutil.rmtree(folder)

    def _days_work(self, teams: list[_Team]) -> None:
        for number in range(self.results.size.rounds + 1):
            # Round 0 warms caches of the machine and of the peers, and is not counted.
            counted = number > 0
            edited = [self._workload.edit_one(team.laptop, number, ids=team.ids) for team in teams]
            for team in teams:
                push = [*team.peer.keep(team.laptop, "Edit"), *team.peer.send("p0", team.laptop)]
                self._measure(team, PUSH, push, counted=counted)
            for team, document in zip(teams, edited, strict=True):
                pull = team.peer.pull("p0", team.desktop)
                self._measure(team, PULL, pull, counted=counted)
                self._check(team, team.desktop, document)
            for team in teams:
                look = team.peer.look("p0", team.desktop)
                self._measure(team, NOTHING, look, counted=counted)

    def _in_process(self, team: _Team, sopor: Sopor) -> None:
        """Does the day's work by the library, in a process that already runs."""
        with (
            sopor.open(sopor.laptop, team.laptop) as laptop,
            sopor.open(sopor.desktop, team.desktop) as desktop,
        ):
            for number in range(self.results.size.rounds + 1):
                document = self._workload.edit_one(team.laptop, 1000 + number, ids=team.ids)
                acts: dict[str, Callable[[], object]] = {
                    PUSH: lambda: (laptop.commit("Edit"), laptop.push()),
                    PULL: desktop.pull,
                    NOTHING: desktop.pull,
                }
                for scenario, act in acts.items():
                    before = sopor.proxy.crossed()
                    begun, worked = time.perf_counter(), time.process_time()
                    act()
                    used = Used(time.perf_counter() - begun, time.process_time() - worked)
                    if number:
                        crossed = sopor.proxy.crossed() - before
                        self.results.add(IN_PROCESS, scenario, Measured(used, crossed))
                self._check(team, team.desktop, document)

    def _measure(
        self, team: _Team, scenario: str, commands: list[Command], *, counted: bool = True
    ) -> None:
        before = team.peer.proxy.crossed()
        used = self._spawner.run(commands)
        crossed = team.peer.proxy.crossed() - before
        if counted:
            self.results.add(team.kind.name, scenario, Measured(used, crossed))

    def _check(self, team: _Team, folder: Path, document: str) -> None:
        """Compares a document on both devices; a cookie jar stays on its machine with Sopor."""
        if document.startswith("jar_"):
            return
        ours, theirs = (
            _read(self._workload.path(root, document)) for root in (team.laptop, folder)
        )
        if ours != theirs:
            raise AssertionError(f"{team.kind.name} brought another {document}")


def _read(path: Path) -> Mapping[str, object]:
    """Reads a document, without the times that Sopor leaves to each machine."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return {name: value for name, value in found.items() if name not in {"modified", "created"}}
