"""Runs simulations one after another in one world, and makes a failing one smaller."""

from __future__ import annotations

import shutil
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self
from unittest import mock

from sopor.crypto.invites import InviteCode
from sopor.organization import managing
from sopor.remote import transport
from sopor.remote.retries import Retries
from sopor_core.membership import Role
from tests.simulate.copies import Copy, first_files
from tests.simulate.front import Sky, answering, front
from tests.simulate.machine import Machine
from tests.simulate.steps import Step, steps_of
from tests.support.world import World

STEPS = 25
_BADNESS = (0.0, 0.1, 0.25, 0.5)
_RUNS_OF_A_WORLD = 25
_MEMORY = Path("/dev/shm")  # noqa: S108 (simulated disks need not survive)


@contextmanager
def hurried() -> Iterator[None]:
    """Lets clients try again at once: weather is not about waiting."""
    quick = partial(Retries, times=3, base=0.0005, longest=0.001, patience=1.0)
    with mock.patch.object(transport, "Retries", quick):
        yield


@dataclass
class Tally:
    """What was done in all runs."""

    runs: int = 0
    steps: int = 0
    requests: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    weather: Counter[str] = field(default_factory=Counter)


class Simulation:
    """A server and three devices of two people; each run has an organization of its own."""

    def __init__(self, folder: Path) -> None:
        self.tally = Tally()
        self._folder = folder
        self._stack = ExitStack()
        self._numbers = count(1)
        self._renew()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _renew(self) -> None:
        self._stack.close()
        folder = self._folder / f"world-{next(self._numbers)}"
        folder.mkdir(parents=True)
        self._stack.callback(shutil.rmtree, folder)
        self._front = self._stack.enter_context(front(answering(folder / "data")))
        self._world = World(self._front, folder)
        self._devices = [self._world.device(person) for person in ("ada", "ada", "bob")]
        self._left = _RUNS_OF_A_WORLD

    def run(self, seed: int, steps: Sequence[Step] | None = None) -> None:
        """Runs the steps of a seed, or some of them, in the seed's weather; raises Broken."""
        if self._left == 0:
            self._renew()
        self._left -= 1
        name = f"run-{next(self._numbers)}"
        steps = steps_of(seed, STEPS) if steps is None else steps
        self._front.failures.clear()
        with hurried(), ExitStack() as stack:
            copies = self._begin(name, stack)
            machine = Machine(copies, self._front)
            sky = self._front.sky = Sky(seed, _BADNESS[seed % len(_BADNESS)])
            try:
                for step in steps:
                    machine.do(step)
                machine.end(self._folder)
            finally:
                self._front.sky = Sky(0, 0.0)
                self._count(machine, sky, len(steps))

    def _begin(self, name: str, stack: ExitStack) -> list[Copy]:
        ada, other, bob = self._devices
        org = managing.create(ada.account(), name)
        code = managing.invite(org, Role.EDITOR, {}, days=7).code
        managing.join(bob.account(), InviteCode.from_text(code))
        first = stack.enter_context(ada.start(name, first_files()))
        first.commit("Start")
        first.push(org=org.id.hex())
        copies = []
        for number, device in enumerate((ada, other, bob)):
            repository = stack.enter_context(device.clone(name)) if number else first
            copies.append(Copy(number, device, repository, {}))
            copies[-1].files = copies[-1].read()
            stack.callback(shutil.rmtree, repository.root)
        for copy in copies:
            stack.callback(copy.close)
        return copies

    def _count(self, machine: Machine, sky: Sky, steps: int) -> None:
        self.tally.runs += 1
        self.tally.steps += steps
        self.tally.requests += self._front.requests
        self._front.requests = 0
        self.tally.outcomes += machine.outcomes
        self.tally.weather.update({kind.name: times for kind, times in sky.happened.items()})


def smaller(simulation: Simulation, seed: int) -> list[Step]:
    """Returns fewer steps of a failing seed that fail as well."""
    steps = steps_of(seed, STEPS)
    size = len(steps) // 2
    while size:
        for start in range(0, len(steps), size):
            fewer = steps[:start] + steps[start + size :]
            if _fails(simulation, seed, fewer):
                steps = fewer
                break
        else:
            size //= 2
    return steps


def _fails(simulation: Simulation, seed: int, steps: Sequence[Step]) -> bool:
    try:
        simulation.run(seed, steps)
    except Exception:  # noqa: BLE001 (whatever it is, it is told)
        return True
    return False


@contextmanager
def in_memory() -> Iterator[Path]:
    """Makes a folder whose flushes cost nothing, where there is such a place."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield Path(folder)


def run_some(seeds: range) -> tuple[Tally, list[tuple[int, str]]]:
    """Runs some seeds; returns what was done, and what failed with its traceback."""
    failed = []
    with (
        in_memory() as folder,
        Simulation(folder) as simulation,
    ):
        for seed in seeds:
            try:
                simulation.run(seed)
            except Exception:  # noqa: BLE001 (whatever it is, it is told)
                failed.append((seed, traceback.format_exc()))
        return simulation.tally, failed
