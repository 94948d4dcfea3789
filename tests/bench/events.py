"""Prints how long a push takes until what it changed is in the files of another device.

One device commits and pushes through the library in this process; the other one runs `sopor watch`
as anybody does. Of each push are told: the time from the beginning of the push to the changed file,
how much of it the push took itself, and what was left after its answer. The file is looked at every
half millisecond once the push is answered. Pushes are apart by pauses of random length.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sopor.repository import Repository
from tests.bench.backends import BACKENDS, Backend
from tests.bench.machine import described, machine
from tests.support.emulators import MissingError
from tests.support.watching import terminal_of, watching
from tests.support.world import World, request, v4_export, workspace

FILE = "project.json"
GOAL_MILLISECONDS = 150.0
_WARM_UP = 3
_LOOK_SECONDS = 0.0005
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Latency:
    """One push: milliseconds to its answer, and from there to the changed file."""

    push: float
    rest: float

    @property
    def whole(self) -> float:
        """Milliseconds from the beginning of the push to the changed file."""
        return self.push + self.rest


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the value that a share of the values, 0 to 1, do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure(backend: Backend, folder: Path, pushes: int, documents: int) -> list[Latency]:
    """Pushes from one device, and waits for the files of another one each time."""
    world = World(backend, folder)
    laptop, desktop = world.device("ada"), world.device("ada")
    with laptop.start("shop", {FILE: project(documents, "Start")}) as repository:
        repository.commit("Start")
        repository.push()
        desktop.clone("shop").close()
        terminal = terminal_of(desktop, "shop")
        with watching(terminal) as watch:
            watch.wait("live", state="streaming")
            drawn = random.Random(1)
            found = []
            for number in range(_WARM_UP + pushes):
                text = project(documents, f"Push {number}")
                found.append(one(repository, terminal.folder / FILE, text))
                if f'"Push {number}"' not in (terminal.folder / FILE).read_text(encoding="utf-8"):
                    raise SystemExit("the other device has another file")
                watch.wait("pulled", number + 1)
                time.sleep(drawn.uniform(0.05, 0.25))
    return found[_WARM_UP:]


def project(documents: int, name: str) -> bytes:
    """Returns a file of so many requests, the first of which has a name."""
    requests = [request(number) for number in range(1, documents + 1)]
    requests[0]["name"] = name
    return v4_export(workspace(), *requests)


def one(repository: Repository, seen: Path, text: bytes) -> Latency:
    """Commits and pushes a file; returns when it was in another folder."""
    (repository.root / FILE).write_bytes(text)
    repository.commit("Edit")
    before = seen.stat().st_ino
    begun = time.perf_counter()
    repository.push()
    answered = time.perf_counter()
    end = answered + _PATIENCE_SECONDS
    while seen.stat().st_ino == before:
        if time.perf_counter() > end:
            raise SystemExit("the other device did not change its file")
        time.sleep(_LOOK_SECONDS)
    changed = time.perf_counter()
    return Latency((answered - begun) * 1000, (changed - answered) * 1000)


def show(name: str, found: Sequence[Latency], documents: int) -> None:
    """Prints what was measured."""
    print(f"\n{name}: {len(found)} pushes of 1 change among {documents} documents, in ms")
    print(f"{'':44} {'p50':>7} {'p90':>7} {'p99':>7} {'worst':>7}")
    rows = {
        "push begins to file changed": [each.whole for each in found],
        "  of it the push": [each.push for each in found],
        "  of it from its answer to the changed file": [each.rest for each in found],
    }
    for what, values in rows.items():
        shown = [percentile(values, share) for share in (0.5, 0.9, 0.99, 1.0)]
        print(f"{what:44} " + " ".join(f"{value:7.0f}" for value in shown))
    reached = percentile([each.whole for each in found], 0.5)
    verdict = "met" if reached < GOAL_MILLISECONDS else "missed"
    print(f"goal: p50 under {GOAL_MILLISECONDS:.0f} ms: {verdict}")


def main() -> int:
    """Measures and prints; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pushes", type=int, default=200)
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--only", choices=["sqlite", "google"])
    options = parser.parse_args()
    print(described(machine()))
    for name, run in BACKENDS.items():
        if options.only not in {None, run.__name__}:
            continue
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            try:
                with run(root) as backend:
                    found = measure(backend, root, options.pushes, options.documents)
            except MissingError as missing:
                print(f"\nnot on this machine: {missing}", file=sys.stderr)
                continue
        show(name, found, options.documents)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
