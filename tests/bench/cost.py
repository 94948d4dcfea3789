"""Prints what pushes, pulls and idle clients cost on Google Cloud, in dollars.

Operations are counted in the requests that reach the emulators while a real client works; prices
are Google's list (`tests/bench/prices.py`). How long a request holds its instance is an assumption:
the shortest time that is billed, which nobody else shares. A stream holds its instance as long as
it is open, and shares it with all others there.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sopor.repository import Repository
from sopor_core.wire.routes import Operation
from sopor_server.adapters.firestore.signals import FirestoreSignals
from sopor_server.auth import ACCESS_SECONDS, Caller
from tests.bench import prices
from tests.support import emulators
from tests.support.inside import served
from tests.support.story import Person, Project
from tests.support.streaming import READY, Client, Streaming
from tests.support.watched import WatchedCloud
from tests.support.weather import Billed
from tests.support.workload import workload
from tests.support.world import World

PULLS_AN_IDLE_HOUR = 60
POLLS_AN_IDLE_HOUR = 60
TOLD_AN_HOUR = 60
STREAMS_AN_HOUR = 3600 // ACCESS_SECONDS
"""No stream outlasts its access token."""
TEAM = 10
HOUR = 3600.0
_WORKLOAD = workload()


@dataclass(frozen=True)
class Item:
    """Something that is done many times, and what one costs in operations.

    ``open_seconds`` are those of the one instance that holds all of them, where they are streams;
    ``requests`` how many each takes.
    """

    name: str
    times: int
    each: Billed
    open_seconds: float = 0.0
    requests: int = 1

    def dollars(self, seconds: float) -> dict[str, float]:
        """Returns the parts of the price of all."""
        parts = {
            name: price * self.times for name, price in prices.storage_dollars(self.each).items()
        }
        each = self.open_seconds / self.times or seconds
        return parts | prices.function_dollars(self.times * self.requests, each)


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


def measure_idle(cloud: WatchedCloud) -> list[Item]:
    """Returns what clients of one project cost to whom nothing happens, for an hour."""
    with served(cloud.context()) as server:
        person = Person.register(server.url)
        project = person.new_project()
        person.push(project)
        pushed = _counted(cloud, lambda: person.push(project))
        poll = _counted(cloud, _poll_that_finds_nothing(person, project))
        told = _counted(cloud, lambda: _tell_presence(person, project))
        first, further, both = asyncio.run(_streams(cloud, person, project))
    opened = Billed(
        *(
            (one + (TEAM - 1) * other) // TEAM
            for one, other in zip(astuple(first), astuple(further), strict=True)
        )
    )
    polls, streams = POLLS_AN_IDLE_HOUR, STREAMS_AN_HOUR
    return [
        Item("an hour of an idle client that polls once a minute", polls, poll),
        Item(f"an hour of an idle team of {TEAM} that polls", TEAM * polls, poll),
        Item("an hour of telling where one works, once a minute", TOLD_AN_HOUR, told),
        Item("an hour of an idle client that streams, alone on an instance", streams, first, HOUR),
        Item(f"an hour of an idle team of {TEAM} that streams", TEAM * streams, opened, HOUR),
        Item(
            "telling a push to all streams of an instance, 1,000 times",
            1000,
            both - pushed,
            requests=0,
        ),
    ]


def _tell_presence(person: Person, project: Project) -> None:
    octets = {"Content-Type": "application/octet-stream"}
    names = {"project": project.id.b64}
    answer = person.send(Operation.PRESENCE_PUT, names, data=bytes(544), headers=octets)
    if answer.status_code != 204:
        raise SystemExit(f"a presence was answered {answer.status_code}")


def _poll_that_finds_nothing(person: Person, project: Project) -> Callable[[], object]:
    asked = {"projects": project.id.b64}
    first = person.send(Operation.EVENTS, params=asked)
    asked["after"] = first.json()["cursor"]
    known = person.send(Operation.EVENTS, params=asked).headers["ETag"]

    def poll() -> None:
        answer = person.send(Operation.EVENTS, params=asked, headers={"If-None-Match": known})
        if answer.status_code != 304:
            raise SystemExit(f"a poll was answered {answer.status_code}")

    return poll


async def _streams(
    cloud: WatchedCloud, person: Person, project: Project
) -> tuple[Billed, Billed, Billed]:
    """Returns what the first stream of an instance costs, a further one, and a push to both."""
    context, caller = cloud.context(), Caller(person.keys.account, person.device)

    def open_one() -> Client:
        context.check_device(caller)
        return streaming.open(caller, project.id, expires=context.now() + 2 * ACCESS_SECONDS * 1000)

    async with Streaming(
        context,
        Path(),
        connect=lambda wake: FirestoreSignals(
            emulators.PROJECT, cloud.database, cloud.documents.address, wake
        ),
    ) as streaming:
        before = cloud.billed
        clients = [open_one()]
        await clients[0].has(READY)
        await asyncio.sleep(1)
        first, before = cloud.billed - before, cloud.billed
        clients.append(open_one())
        await clients[1].has(READY)
        await asyncio.sleep(1)
        further = cloud.billed - before
        before = cloud.billed
        await asyncio.to_thread(person.push, project)
        for client in clients:
            await client.count(1)
        await asyncio.sleep(1)
        return first, further, cloud.billed - before


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
    print(f"{seconds:g} s of 1 vCPU and 1 GiB for each request, which it shares with none;")
    print(f"a client with streams opens {STREAMS_AN_HOUR} an hour, all on one instance that runs")
    print("while any is open; refreshing the access token is in none of them\n")
    for item in items:
        parts = {name: price for name, price in item.dollars(seconds).items() if price}
        print(f"{item.name}: ${_rounded(sum(parts.values()))}")
        print(f"  one: {item.each}")
        print(
            "  " + ", ".join(f"{name} ${_rounded(price)}" for name, price in parts.items()) + "\n"
        )


def _rounded(dollars: float) -> str:
    return f"{dollars:.4f}" if dollars >= 0.01 else f"{dollars:.6f}"


def main() -> int:
    """Measures and prints; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=1000, help="size of the project")
    parser.add_argument("--seconds", type=float, default=prices.BILLED_STEP_SECONDS)
    options = parser.parse_args()
    try:
        with watched_cloud() as cloud, tempfile.TemporaryDirectory() as folder:
            items = measure(cloud, Path(folder), options.documents) + measure_idle(cloud)
            show(items, options.seconds)
    except emulators.MissingError as missing:
        print(f"not on this machine: {missing}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
