"""Prints what many open streams cost a process that serves them, and how soon all hear of a push.

The streams are of one project; members of its organization open them, no more than 64 each. All are
read by this process, so the times have its own work in them as well: on few processors, both share
them. Memory is what the process that serves streams holds (resident), before and after.
"""

from __future__ import annotations

import argparse
import os
import selectors
import socket
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sopor_core.wire.events import READY, STREAM_TYPE
from sopor_core.wire.models import Meta
from sopor_core.wire.routes import Operation
from sopor_server.streams.seats import OF_AN_ACCOUNT
from tests.api.test_organizations import Club
from tests.bench.backends import BACKENDS, Backend, resident_mib
from tests.bench.events import percentile
from tests.bench.machine import described, machine
from tests.support.emulators import MissingError
from tests.support.story import Person, Project, send

GOAL_MIB = 300.0
_PATIENCE_SECONDS = 120.0
_NEWS = b"event: news"
_PUSH_BYTES = 2000


@dataclass
class Crowd:
    """Open streams, and what came on each since it was last asked."""

    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    came: dict[socket.socket, bytearray] = field(default_factory=dict)

    def open(self, where: str, who: Person, project: Project) -> None:
        """Opens one stream more, and waits until it is ready."""
        there = urlsplit(where)
        stream = socket.create_connection((there.hostname or "", there.port or 80))
        lines = [
            f"GET /v1/events?projects={project.id.b64} HTTP/1.1",
            f"Host: {there.netloc}",
            f"Accept: {STREAM_TYPE}",
            f"Authorization: Bearer {who.session['access_token']}",
        ]
        stream.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        self.came[stream] = bytearray()
        while f": {READY}".encode() not in self.came[stream]:
            piece = stream.recv(4096)
            if not piece:
                raise SystemExit(f"no stream: {bytes(self.came[stream])!r}")
            self.came[stream] += piece
        stream.setblocking(False)
        self.selector.register(stream, selectors.EVENT_READ)

    def times(self, begun: float) -> list[float]:
        """Returns after how many milliseconds each stream had one event more."""
        waiting, found, end = set(self.came), [], begun + _PATIENCE_SECONDS
        for came in self.came.values():
            came.clear()
        while waiting:
            if time.perf_counter() > end:
                raise SystemExit(f"{len(waiting)} streams heard nothing")
            for key, _ in self.selector.select(1.0):
                stream = key.fileobj
                assert isinstance(stream, socket.socket)
                self.came[stream] += stream.recv(65536)
                came = self.came[stream]
                # An event ends with an empty line, and its chunk with another one.
                if stream in waiting and _NEWS in came and came.endswith(b"\n\n\r\n"):
                    waiting.discard(stream)
                    found.append((time.perf_counter() - begun) * 1000)
        return found

    def close(self) -> None:
        """Closes all."""
        for stream in self.came:
            stream.close()
        self.selector.close()


@dataclass(frozen=True)
class Found:
    """What was measured: MiB before and with all streams, and for each push the times in ms."""

    before: float
    after: float
    opening: float
    answers: list[float]
    deliveries: list[list[float]]

    def median(self, share: float) -> float:
        """Returns the median over the pushes of when a share of the streams had heard."""
        return statistics.median(percentile(times, share) for times in self.deliveries)


def place_of(url: str) -> str:
    """Returns where a server has its streams."""
    offered = Meta.model_validate(send(url, Operation.META).json()).events
    assert offered is not None
    if offered.url:
        return offered.url
    return f"http://{urlsplit(url).hostname}:{offered.port}"


def measure(backend: Backend, streams: int, pushes: int) -> Found:
    """Opens the streams, and pushes to all."""
    owner = Person.register(backend.url)
    club = Club(owner)
    members = [Person.register(backend.url) for _ in range(-(-streams // OF_AN_ACCOUNT))]
    for member in members:
        club.admit(member)
    project = club.project()
    where, crowd = place_of(backend.url), Crowd()
    try:
        crowd.open(where, owner, project)
        push(owner, project, crowd)
        before = resident_mib(backend.streaming)
        begun = time.perf_counter()
        for number in range(streams - 1):
            crowd.open(where, members[number % len(members)], project)
        opening = time.perf_counter() - begun
        found = [push(owner, project, crowd) for _ in range(pushes)]
        after = resident_mib(backend.streaming)
    finally:
        crowd.close()
    answers, deliveries = [one for one, _ in found], [many for _, many in found]
    return Found(before, after, opening, answers, deliveries)


def push(owner: Person, project: Project, crowd: Crowd) -> tuple[float, list[float]]:
    """Pushes, and waits for all streams; returns when it was answered, and when each heard."""
    pack = os.urandom(_PUSH_BYTES)
    begun = time.perf_counter()
    owner.push(project, packs=[pack])
    answered = (time.perf_counter() - begun) * 1000
    return answered, crowd.times(begun)


def show(name: str, found: Found, streams: int) -> None:
    """Prints what was measured."""
    grown = found.after - found.before
    print(f"\n{name}: {streams} streams, opened in {found.opening:.1f} s")
    print(
        f"memory: {found.before:.0f} MiB with one stream, {found.after:.0f} MiB with all and after "
        f"{len(found.answers)} pushes: {grown * 1024 / max(1, streams - 1):.0f} KiB a stream"
    )
    shares = {"p50": 0.5, "p99": 0.99, "last": 1.0}
    times = ", ".join(f"{word} {found.median(share):.0f} ms" for word, share in shares.items())
    answered = statistics.median(found.answers)
    print(f"from a push to its event, medians of {len(found.answers)} pushes: {times}", end="")
    print(f"; the push was answered after {answered:.0f} ms")
    print(f"goal: under {GOAL_MIB:.0f} MiB: {'met' if found.after < GOAL_MIB else 'missed'}")


def main() -> int:
    """Measures and prints; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--pushes", type=int, default=20)
    parser.add_argument("--only", choices=["sqlite", "google"])
    options = parser.parse_args()
    print(described(machine()))
    for name, run in BACKENDS.items():
        if options.only not in {None, run.__name__}:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                with run(Path(folder)) as backend:
                    found = measure(backend, options.streams, options.pushes)
            except MissingError as missing:
                print(f"\nnot on this machine: {missing}", file=sys.stderr)
                continue
        show(name, found, options.streams)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
