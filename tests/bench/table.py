"""Renders results as Markdown: the table of all peers, ratios to git, and each goal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench.commands import Measured
from tests.bench.peers.known import KINDS
from tests.bench.scenarios import (
    CLONE,
    IN_PROCESS,
    INITIAL,
    NOTHING,
    PULL,
    PUSH,
    SCENARIOS,
    Results,
)

_MIB = 2**20
_BYTES_OF_GIT = {INITIAL: 0.6, PUSH: 1.0, CLONE: 0.6, PULL: 0.5}
_MOST_BYTES = {NOTHING: 600}
_TIMES_GIT = {INITIAL: 1.0, PUSH: 3.0, CLONE: 1.0, PULL: 3.0, NOTHING: 3.0}
_SMALL = (PUSH, PULL, NOTHING)


@dataclass(frozen=True)
class Goal:
    """A goal, what was reached, and what is allowed at most, in one unit."""

    scenario: str
    what: str
    reached: float
    limit: float

    @property
    def met(self) -> bool:
        """Tells whether the goal is met."""
        return self.reached <= self.limit


def goals(results: Results) -> Iterator[Goal]:
    """Yields the goals for which there are measurements."""
    for scenario in SCENARIOS:
        ours, git = results.median("sopor", scenario), results.median("git", scenario)
        if ours is None:
            continue
        yield from _without_peers(scenario, ours)
        if git is not None:
            yield from _against_git(scenario, ours, git)
            running = results.median(IN_PROCESS, scenario)
            if running is not None:
                ratio = running.used.seconds / git.used.seconds
                yield Goal(scenario, "time in a running process, of git's", ratio, 1.0)
        others = _encrypted(results, scenario)
        if scenario in _SMALL and others:
            ratio = ours.used.seconds / min(others)
            yield Goal(scenario, "time of the fastest encrypted peer's", ratio, 0.5)


def _without_peers(scenario: str, ours: Measured) -> Iterator[Goal]:
    crossed = ours.crossed
    most = 1 if scenario in _SMALL else 4 + crossed.both // (8 * _MIB)
    yield Goal(scenario, "requests", crossed.requests, most)
    if scenario in _MOST_BYTES:
        yield Goal(scenario, "bytes both ways", crossed.both, _MOST_BYTES[scenario])


def _against_git(scenario: str, ours: Measured, git: Measured) -> Iterator[Goal]:
    if scenario in _BYTES_OF_GIT:
        ratio = ours.crossed.both / git.crossed.both
        yield Goal(scenario, "bytes both ways, of git's", ratio, _BYTES_OF_GIT[scenario])
    ratio = ours.used.seconds / git.used.seconds
    yield Goal(scenario, "time of whole processes, of git's", ratio, _TIMES_GIT[scenario])


def _encrypted(results: Results, scenario: str) -> list[float]:
    found = (
        results.median(kind.name, scenario)
        for kind in KINDS
        if kind.encrypted and kind.name != "sopor"
    )
    return [each.used.seconds for each in found if each is not None]


def markdown(results: Results, absent: dict[str, str]) -> str:
    """Returns everything about one size."""
    size = results.size
    title = f"### {size.documents:,} documents, {size.commits:,} commits"
    parts = [title, _measured(results), _ratios(results), _goals(results), _notes(results)]
    parts += [f"{name} was skipped: `{program}` is not here." for name, program in absent.items()]
    return "\n\n".join(part for part in parts if part) + "\n"


def _measured(results: Results) -> str:
    rows = []
    for peer in results.measured:
        cells = [_cell(results.median(peer, scenario)) for scenario in SCENARIOS]
        rows.append([peer, *cells])
    return _table(["up / down, requests, seconds", *SCENARIOS], rows)


def _cell(measured: Measured | None) -> str:
    if measured is None:
        return ""
    crossed, used = measured.crossed, measured.used
    requests = f", {crossed.requests}" if crossed.requests else ""
    return f"{size_of(crossed.up)} / {size_of(crossed.down)}{requests}, {used.seconds:.3f} s"


def size_of(count: float) -> str:
    """Writes a number of bytes with three digits."""
    for unit, factor in (("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            value = count / factor
            return f"{value:.{max(0, 3 - len(str(int(value))))}f} {unit}"
    return f"{count:.0f} B"


def _ratios(results: Results) -> str:
    rows = []
    for peer in results.measured:
        cells = []
        for scenario in SCENARIOS:
            ours, git = results.median(peer, scenario), results.median("git", scenario)
            cells.append(_ratio(ours, git) if ours and git else "")
        rows.append([peer, *cells])
    return _table(["of git's: bytes, time, client's processor time", *SCENARIOS], rows)


def _ratio(ours: Measured, git: Measured) -> str:
    both = ours.crossed.both / git.crossed.both
    seconds = ours.used.seconds / git.used.seconds
    worked = ours.used.processor_seconds / git.used.processor_seconds
    return f"{both:.2f}, {seconds:.2f}, {worked:.2f}"


def _goals(results: Results) -> str:
    rows = [
        [each.scenario, each.what, f"{each.reached:.4g}", f"{each.limit:.4g}", _judged(each)]
        for each in goals(results)
    ]
    return _table(["goal for", "what", "reached", "at most", ""], rows) if rows else ""


def _judged(goal: Goal) -> str:
    return "met" if goal.met else f"missed by {goal.reached / goal.limit - 1:.0%}"


def _notes(results: Results) -> str:
    size = results.size
    return (
        f"Medians of {size.rounds} rounds, of {size.big_rounds} for initial push and clone, peers "
        f"in turn. The history was pushed every {size.every} commit(s); snapshots of it were made "
        f"every {size.slow_every} (restic, borg, git-remote-gcrypt, git-crypt)."
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
