"""Many clients push at the same moment through functions that share nothing but the storages.

`make cloud-race PUSHES=1000` runs the long race; the tests run a shorter one.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import pytest

from sopor.repository import Repository
from sopor_core.ids import NO_ENTRY, BranchId, CommitId
from sopor_core.push_entry import PushEntry
from tests.integration.racing import FILE, Run, race, take_part
from tests.support.functions import cloud_environment, running_function
from tests.support.world import World, v4_export, workspace
from tests.support.world import request as request_resource

PUSHES = int(os.environ.get("SOPOR_RACE_PUSHES", "64"))


@dataclass(frozen=True)
class Course:
    """How many functions serve how many clients on how many branches."""

    functions: int
    clients: int
    branches: tuple[str, ...]

    @property
    def rounds(self) -> int:
        """Pushes of each client."""
        return max(1, PUSHES // 8)


@dataclass(frozen=True)
class Finished:
    """What each client did, and clones of each branch made afterwards."""

    course: Course
    runs: list[Run]
    clones: dict[str, Repository]

    def entries(self) -> list[PushEntry]:
        """Returns the whole push log as a clone verified it."""
        log = next(iter(self.clones.values())).context.store.log
        found = [log.entry(seq) for seq in range(1, log.pin.seq + 1)]
        return [entry for entry in found if entry is not None]

    def branch_of(self, client: int) -> str:
        """Returns the branch that a client worked on."""
        return self.course.branches[client % len(self.course.branches)]


COURSES = [Course(1, 4, ("main",)), Course(2, 8, ("main", "second", "third"))]


@pytest.mark.parametrize("course", COURSES, ids=["one function", "two functions"])
def test_nothing_is_lost_doubled_or_reordered(
    course: Course, firestore_emulator: str, storage_emulator: str, tmp_path: Path
) -> None:
    settings = cloud_environment(firestore_emulator, storage_emulator)
    with ExitStack() as stack:
        worlds: list[World] = []
        for number in range(course.functions):
            log = tmp_path / f"function-{number}.log"
            function = stack.enter_context(running_function("api", settings, log))
            first = worlds[0] if worlds else World(function, tmp_path)
            worlds.append(World(function, tmp_path, first.kits, first._numbers))
        runs, clones = run(course, worlds)
        finished = Finished(course, runs, clones)
        check_nothing_is_lost_or_doubled(finished)
        check_nothing_is_reordered(finished)
        check_log_and_branches_are_chains(finished)
        check_last_edits(finished)
        for repository in clones.values():
            repository.close()


def run(course: Course, worlds: list[World]) -> tuple[list[Run], dict[str, Repository]]:
    documents = [request_resource(number) for number in range(course.clients)]
    devices = [worlds[number % len(worlds)].device("ada") for number in range(course.clients)]
    with devices[0].start("race", {FILE: v4_export(workspace(), *documents)}) as repository:
        repository.commit("Start")
        repository.push()
        for branch in course.branches[1:]:
            repository.create_branch(branch)
            repository.push(branch)
    for number, device in enumerate(devices[1:], 1):
        branch = course.branches[number % len(course.branches)]
        device.clone("race", branch=branch).close()
    spawn = get_context("spawn")
    barrier = spawn.Barrier(course.clients)
    with ProcessPoolExecutor(course.clients, spawn, take_part, (barrier,)) as pool:
        running = [
            pool.submit(race, device, "race", f"req_{number}", course.rounds, plain=False)
            for number, device in enumerate(devices)
        ]
        runs = [future.result() for future in running]
    clones = {
        branch: worlds[-1].device("ada").clone("race", branch=branch) for branch in course.branches
    }
    return runs, clones


def check_nothing_is_lost_or_doubled(finished: Finished) -> None:
    made = [commit for run in finished.runs for commit in run.commits]
    assert len(made) == len(set(made)) == finished.course.clients * finished.course.rounds
    listed = Counter(commit.id.hex() for entry in finished.entries() for commit in entry.commits)
    assert set(listed.values()) == {1}
    assert set(made) <= listed.keys()
    for client, own in enumerate(finished.runs):
        landed = Counter(
            commit.id.hex() for commit in finished.clones[finished.branch_of(client)].log()
        )
        assert [landed[commit] for commit in own.commits] == [1] * len(own.commits)


def check_nothing_is_reordered(finished: Finished) -> None:
    listed = [commit.id.hex() for entry in finished.entries() for commit in entry.commits]
    place = {commit: number for number, commit in enumerate(listed)}
    for own in finished.runs:
        places = [place[commit] for commit in own.commits]
        assert places == sorted(places)


def check_log_and_branches_are_chains(finished: Finished) -> None:
    entries = finished.entries()
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert entries[0].prev == NO_ENTRY
    assert all(after.prev == before.hash for before, after in pairwise(entries))
    assert len({entry.op for entry in entries}) == len(entries)
    heads: dict[BranchId, CommitId | None] = {}
    for entry in entries:
        for op in entry.ops:
            assert op.old == heads.get(op.branch)
            heads[op.branch] = op.new
    assert len(heads) == len(finished.course.branches)


def check_last_edits(finished: Finished) -> None:
    for repository in finished.clones.values():
        assert repository.fsck().clean
    last = finished.course.rounds - 1
    for client in range(finished.course.clients):
        document = finished.clones[finished.branch_of(client)].document(f"req_{client}")
        assert document.body["name"] == f"req_{client} in round {last}"
