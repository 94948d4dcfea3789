"""Several processes push to one branch at the same moment, again and again; nothing is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context

from sopor.repository import Repository
from sopor_core.ids import NO_ENTRY
from sopor_core.push_entry import PushEntry
from tests.integration.racing import FILE, Run, race, take_part
from tests.support.world import World, request, v4_export, workspace

PROCESSES = 4
ROUNDS = 200
"""Each round has a push by every process."""


@dataclass(frozen=True)
class Race:
    """What is left after the race: what each process did, its copy, and a fresh clone."""

    runs: list[Run]
    copies: list[Repository]
    fresh: Repository

    def entries(self) -> list[PushEntry]:
        """Returns the whole push log as the fresh clone verified it."""
        log = self.fresh.context.store.log
        found = [log.entry(seq) for seq in range(1, log.pin.seq + 1)]
        return [entry for entry in found if entry is not None]


@contextmanager
def finished_race(world: World) -> Iterator[Race]:
    """Runs the race: half of the processes use `sync`, the others push and pull by themselves."""
    documents = [request(number) for number in range(PROCESSES)]
    devices = [world.device("ada") for _ in range(PROCESSES)]
    first = devices[0].start("race", {FILE: v4_export(workspace(), *documents)})
    first.commit("Start")
    first.push()
    copies = [first, *(device.clone("race") for device in devices[1:])]
    spawn = get_context("spawn")
    barrier = spawn.Barrier(PROCESSES)
    with ProcessPoolExecutor(PROCESSES, spawn, take_part, (barrier,)) as pool:
        running = [
            pool.submit(race, device, "race", f"req_{number}", ROUNDS, plain=number % 2 == 1)
            for number, device in enumerate(devices)
        ]
        runs = [future.result() for future in running]
    fresh = world.device("ada").clone("race")
    yield Race(runs, copies, fresh)
    for repository in (*copies, fresh):
        repository.close()


def every_commit_landed_exactly_once(finished: Race) -> None:
    landed = Counter(commit.id.hex() for commit in finished.fresh.log())
    made = [commit for run in finished.runs for commit in run.commits]
    assert len(made) == len(set(made)) == PROCESSES * ROUNDS
    assert all(landed[commit] == 1 for commit in made)
    told = Counter(commit.subject for commit in finished.fresh.log())
    for document in range(PROCESSES):
        for number in range(ROUNDS):
            assert told[f"req_{document} in round {number}"] == 1


def every_last_edit_is_in_the_result(finished: Race) -> None:
    for number in range(PROCESSES):
        document = finished.fresh.document(f"req_{number}")
        assert document.body["name"] == f"req_{number} in round {ROUNDS - 1}"


def the_log_is_a_chain_without_gaps(finished: Race) -> None:
    entries = finished.entries()
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert entries[0].prev == NO_ENTRY
    for before, after in pairwise(entries):
        assert after.prev == before.hash
        assert [op.old for op in after.ops] == [op.new for op in before.ops]
    assert len({entry.op for entry in entries}) == len(entries)


def every_commit_is_listed_by_one_entry_only(finished: Race) -> None:
    listed = Counter(commit.id for entry in finished.entries() for commit in entry.commits)
    assert set(listed.values()) == {1}
    assert set(listed) == {commit.id for commit in finished.fresh.log()}


def who_pushed_too_late_was_told_to_pull(finished: Race) -> None:
    for run in finished.runs[1::2]:
        assert run.rejections
        for message, hint in run.rejections:
            assert message.startswith("main moved since your last pull")
            assert "run `sopor pull`, then push again" in str(hint)


def all_copies_agree_in_the_end_and_are_whole(finished: Race) -> None:
    for repository in finished.copies:
        repository.sync()
        assert repository.log()[0].id == finished.fresh.log()[0].id
        assert repository.status().clean
    for repository in (finished.copies[-1], finished.fresh):
        assert repository.fsck().clean


def test_four_processes_push_at_the_same_moment_and_nothing_is_lost(world: World) -> None:
    """One test, as the race takes long; what it shows has the names of the functions above."""
    with finished_race(world) as finished:
        every_commit_landed_exactly_once(finished)
        every_last_edit_is_in_the_result(finished)
        the_log_is_a_chain_without_gaps(finished)
        every_commit_is_listed_by_one_entry_only(finished)
        who_pushed_too_late_was_told_to_pull(finished)
        all_copies_agree_in_the_end_and_are_whole(finished)
