"""Prints what pushes, pulls and idle clients cost on Google Cloud, in dollars.

Operations are counted in the requests that reach the emulators while a real client works; prices
are Google's list (`tests/bench/prices.py`). How long a request holds its instance is an assumption:
the shortest time that is billed, which nobody else shares.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sopor.repository import Repository
from tests.bench import prices
from tests.support import emulators
from tests.support.inside import served
from tests.support.watched import WatchedCloud
from tests.support.weather import Billed
from tests.support.workload import workload
from tests.support.world import World

PULLS_AN_IDLE_HOUR = 60
_WORKLOAD = workload()


@dataclass(frozen=True)
class Item:
    """Something that is done many times, and what one costs in operations."""

    name: str
    times: int
    each: Billed

    def dollars(self, seconds: float) -> dict[str, float]:
        """Returns the parts of the price of all."""
        parts = {
            name: price * self.times for name, price in prices.storage_dollars(self.each).items()
        }
        return parts | prices.function_dollars(self.times, seconds)


@contextmanager
def watched_cloud() -> Iterator[WatchedCloud]:
    """Starts both emulators; raises MissingError."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        addresses = []
        for command in (emulators.firestore_command, emulators.storage_command):
            port = emulators.unused_port()
            log = folder / command.__name__
            addresses.append(stack.enter_context(emulators.running(command(port), port, log)))
        yield stack.enter_context(WatchedCloud.open(*addresses))


def measure(cloud: WatchedCloud, folder: Path, documents: int) -> list[Item]:
    """Lets a client work in a project of some size; returns what each action took."""
    with served(cloud.context()) as server:
        laptop = World(server, folder).device("ada")
        _WORKLOAD.write(laptop.folder / "project", documents)
        with laptop.start("project", {}) as repository:
            repository.commit("Import")
            repository.push()
            with laptop.clone("project", "copy") as copy:
                return [
                    Item("1,000 pushes", 1000, _counted(cloud, lambda: _push(repository))),
                    Item("1,000 pulls of one push", 1000, _counted(cloud, copy.pull)),
                    Item("1,000 pulls that find nothing", 1000, _counted(cloud, copy.pull)),
                    Item(
                        "1,000 client hours that pull once a minute",
                        1000 * PULLS_AN_IDLE_HOUR,
                        _counted(cloud, copy.pull),
                    ),
                ]


def _counted(cloud: WatchedCloud, act: Callable[[], object]) -> Billed:
    before = cloud.billed
    act()
    return cloud.billed - before


def _push(repository: Repository) -> None:
    _WORKLOAD.edit_one(repository.root, 1)
    repository.commit("Edit one")
    repository.push()


def show(items: list[Item], seconds: float) -> None:
    """Prints a table."""
    print(f"list prices of {prices.AS_OF} for us-central1, nothing free taken off,")
    print(f"{seconds:g} s of 1 vCPU and 1 GiB for each request\n")
    for item in items:
        parts = {name: price for name, price in item.dollars(seconds).items() if price}
        print(f"{item.name}: ${sum(parts.values()):.4f}")
        print(f"  one: {item.each}")
        print("  " + ", ".join(f"{name} ${price:.4f}" for name, price in parts.items()) + "\n")


def main() -> int:
    """Measures and prints; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=1000, help="size of the project")
    parser.add_argument("--seconds", type=float, default=prices.BILLED_STEP_SECONDS)
    options = parser.parse_args()
    try:
        with watched_cloud() as cloud, tempfile.TemporaryDirectory() as folder:
            show(measure(cloud, Path(folder), options.documents), options.seconds)
    except emulators.MissingError as missing:
        print(f"not on this machine: {missing}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
