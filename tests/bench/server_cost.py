"""Prints what a push and a pull that finds nothing cost the server, on SQLite and files.

Requests of a real client are recorded, and then sent again, byte for byte, to a server that was put
back to where it stood before them: so the clients cost next to nothing. Processor time is that of
all processes of the server, and what a route takes that does nothing (`/v1/meta`) is told apart.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sopor.repository import Repository
from tests.bench import machine
from tests.bench.peers.sopor import SETTINGS
from tests.support.emulators import unused_port
from tests.support.server import RunningServer, start_server
from tests.support.wire import RecordingProxy, recording_proxy
from tests.support.workload import Workload, workload
from tests.support.world import Device, World

MOST_PUSH_MILLIS, MOST_PULL_MILLIS = 3.0, 1.0
_META = b"GET /v1/meta HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_WARMING = 10
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Recorded:
    """Requests as they were on the wire: pushes of each project in order, and one idle pull."""

    pushes: list[list[bytes]]
    pull: bytes


@dataclass(frozen=True)
class Cost:
    """What requests cost, each."""

    requests: int
    each_millis: float
    processor_millis: float

    @property
    def per_second(self) -> float:
        """How many were answered in a second."""
        return 1000 / self.each_millis


class Client:
    """One kept connection that sends what was recorded."""

    def __init__(self, url: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answer = self._socket.makefile("rb")

    def send(self, request: bytes, expected: int) -> None:
        """Sends a request and reads its answer, which must have a status."""
        self._socket.sendall(request)
        status = int(self._answer.readline().split()[1])
        length = 0
        while line := self._answer.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        body = self._answer.read(length)
        if status != expected:
            raise AssertionError(f"answered {status}: {body[:500]!r}")

    def close(self) -> None:
        """Ends the connection."""
        self._answer.close()
        self._socket.close()


@contextmanager
def running(data: Path, port: int = 0) -> Iterator[RunningServer]:
    """Runs a server for the length of a ``with`` block."""
    server = start_server(data, port, **SETTINGS)
    try:
        yield server
    finally:
        server.stop()


def record(root: Path, work: Workload, *, projects: int, pushes: int, documents: int) -> Recorded:
    """Makes projects and pushes; leaves in ``root/before`` the server's data before the pushes."""
    data, port = root / "data", unused_port()
    with recording_proxy(f"http://127.0.0.1:{port}") as wire:  # it outlives the server's restart
        with running(data, port):
            device = World(wire, root / "people").device("ada")
            names = [_begin(device, work, number, documents) for number in range(projects)]
        shutil.copytree(data, root / "before")
        with running(data, port):
            found = []
            pull = b""
            for name in names:
                with device.open(name) as repository:
                    found.append(_pushes(repository, wire, work, pushes))
                    pull = _sent(wire, repository.pull)
    return Recorded(found, pull)


def _sent(wire: RecordingProxy, act: Callable[[], object]) -> bytes:
    """Returns the one request that an act sends."""
    with wire.measured() as crossed:
        before = len(wire.sent)
        act()
    if crossed[0].requests != 1:
        raise AssertionError(f"{crossed[0].requests} requests where one was expected")
    return bytes(wire.sent[before:])


def _begin(device: Device, work: Workload, number: int, documents: int) -> str:
    name = f"p{number}"
    work.write(device.folder / name, documents)
    with device.start(name, {}) as repository:
        repository.commit("Import", allow_secrets=True)
        repository.push()
    return name


def _pushes(
    repository: Repository, wire: RecordingProxy, work: Workload, count: int
) -> list[bytes]:
    found = []
    for number in range(count):
        work.edit_one(repository.root, number)
        repository.commit("Edit")
        found.append(_sent(wire, repository.push))
    return found


def measure(server: RunningServer, batches: Sequence[Sequence[bytes]], expected: int) -> Cost:
    """Sends batches of requests at once, each in its order on a connection of its own."""
    clients = [Client(server.url) for _ in batches]
    for client in clients:
        client.send(_META, 200)
    worked, begun = processor_seconds(server), time.perf_counter()
    with ThreadPoolExecutor(len(batches)) as pool:
        sent = pool.map(lambda *each: _send_all(*each, expected=expected), clients, batches)
        list(sent)  # raises what went wrong
    passed, worked = time.perf_counter() - begun, processor_seconds(server) - worked
    for client in clients:
        client.close()
    count = sum(len(batch) for batch in batches)
    return Cost(count, 1000 * passed / count, 1000 * worked / count)


def _send_all(client: Client, batch: Sequence[bytes], *, expected: int) -> None:
    for request in batch:
        client.send(request, expected)


def processor_seconds(server: RunningServer) -> float:
    """Returns the processor time of all processes of the server's session."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        fields = text.rpartition(")")[2].split()
        if int(fields[3]) == server.process.pid:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def costs(root: Path, recorded: Recorded, requests: int) -> Iterator[tuple[str, Cost]]:
    """Yields what each kind of request costs."""
    one, *others = recorded.pushes
    shutil.copytree(root / "before", root / "after")
    with running(root / "after") as server:
        measure(server, [one[:_WARMING]], 201)
        yield "a route that does nothing", measure(server, [[_META] * requests], 200)
        yield "pushes to one project", measure(server, [one[_WARMING:]], 201)
        yield "pushes to many projects", measure(server, others, 201)
    with running(root / "data") as server:  # where all pushes have happened
        measure(server, [[recorded.pull] * _WARMING], 204)
        yield "pulls that find nothing", measure(server, [[recorded.pull] * requests], 204)


def main() -> int:
    """Measures and prints; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=1000, help="of each project")
    parser.add_argument("--projects", type=int, default=9)
    parser.add_argument("--pushes", type=int, default=100, help="to each project")
    parser.add_argument("--requests", type=int, default=1000, help="of the other kinds")
    options = parser.parse_args()
    here, work = machine.machine(), workload()
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        root = Path(folder)
        recorded = record(
            root,
            work,
            projects=options.projects,
            pushes=options.pushes,
            documents=options.documents,
        )
        found = dict(costs(root, recorded, options.requests))
    show(found)
    print(machine.described(here))
    data = {name: asdict(cost) for name, cost in found.items()}
    machine.write("server-cost", {"machine": here, "costs": data})
    return 0


def show(found: dict[str, Cost]) -> None:
    """Prints a table, and the two goals."""
    nothing = found["a route that does nothing"].processor_millis
    print("| requests | number | a second | processor ms each | beyond the framework |")
    print("| --- | --- | --- | --- | --- |")
    for name, cost in found.items():
        beyond = cost.processor_millis - nothing
        cells = [f"{cost.requests:,}", f"{cost.per_second:.0f}", f"{cost.processor_millis:.2f}"]
        print(f"| {name} | {' | '.join(cells)} | {beyond:.2f} |")
    for name, most in (
        ("pushes to one project", MOST_PUSH_MILLIS),
        ("pulls that find nothing", MOST_PULL_MILLIS),
    ):
        beyond = found[name].processor_millis - nothing
        print(f"- {name}: {beyond:.2f} ms, under {most:g}: {'met' if beyond < most else 'missed'}")


if __name__ == "__main__":
    sys.exit(main())
