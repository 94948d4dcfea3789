"""Runs seeds in two processes: `python -m tests.simulate --seeds 2000`, or one: `--seed 17`."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.simulate.running import STEPS, Simulation, Tally, in_memory, run_some, smaller

_A_TASK = 25


def main() -> int:
    """Runs what the arguments say; returns 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulate")
    parser.add_argument("--seeds", type=int, default=2000, help="how many seeds")
    parser.add_argument("--start", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="one seed, made as small as it still fails")
    options = parser.parse_args()
    if options.seed is not None:
        return one(options.seed)
    return many(range(options.start, options.start + options.seeds))


def one(seed: int) -> int:
    """Runs one seed, and makes it smaller if it fails."""
    with in_memory() as folder, Simulation(folder) as simulation:
        try:
            simulation.run(seed)
        except Exception:  # noqa: BLE001 (told, and made smaller)
            traceback.print_exc()
            for step in smaller(simulation, seed):
                print(step)
            return 1
    print(f"seed {seed} is fine")
    return 0


def many(seeds: range) -> int:
    """Runs seeds in two processes, and prints what was done."""
    began, total, failures = time.monotonic(), Tally(), 0
    tasks = [seeds[start : start + _A_TASK] for start in range(0, len(seeds), _A_TASK)]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for tally, failed in pool.map(run_some, tasks):
            total.runs += tally.runs
            total.steps += tally.steps
            total.requests += tally.requests
            total.outcomes += tally.outcomes
            total.weather += tally.weather
            for seed, trace in failed:
                failures += 1
                print(
                    f"{trace}\nseed {seed} failed: python -m tests.simulate --seed {seed}\n",
                    flush=True,
                )
            seconds = time.monotonic() - began
            sys.stderr.write(f"\r{total.runs} runs, {total.steps / seconds:.0f} steps a second ")
    sys.stderr.write("\n")
    seconds = time.monotonic() - began
    for outcome, times in sorted(total.outcomes.items()):
        print(f"{times:8,}  {outcome}")
    for kind, times in sorted(total.weather.items()):
        print(f"{times:8,}  requests: {kind.lower().replace('_', ' ')}")
    print(
        f"{total.runs:,} runs of {STEPS} steps: {total.steps:,} steps, {total.requests:,} requests,"
        f" {seconds:.0f} s, {total.steps / seconds:.0f} steps a second, {failures} failed"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
