"""Some seeds of the simulation; `make simulate` runs thousands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulate.front import Weather
from tests.simulate.running import STEPS, Simulation, in_memory

# 157 restored everything during a merge, which then kept nothing of the other side.
SEEDS = (*range(12), 157)


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    with in_memory() as folder, Simulation(Path(folder)) as simulation:
        yield simulation


def test_three_devices_behind_a_bad_network_lose_and_double_nothing(
    simulation: Simulation,
) -> None:
    for seed in SEEDS:
        simulation.run(seed)
    tally = simulation.tally
    assert tally.steps == len(SEEDS) * STEPS
    assert sum(times > 0 for times in tally.weather.values()) > len(Weather) // 2
    assert tally.outcomes["sync: done"] > len(SEEDS)
