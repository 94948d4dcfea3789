"""Two devices that watch with ``--auto`` end equal after random edits, and nothing was lost.

`make events-soak` works for 10 minutes; as a test it works for seconds.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tests.support.server import RunningServer, start_server
from tests.support.soaking import Desk, Model, are_equal, first_documents, found, put
from tests.support.watching import terminal_of
from tests.support.world import World

SECONDS = float(os.environ.get("SOPOR_SOAK_MINUTES", "0.15")) * 60
_AWAY_SECONDS = (1.0, 4.0)
_PATIENCE_SECONDS = 180


class Server:
    """A server that goes away now and then, at the shortest every eighth part of the time."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._running: RunningServer | None = start_server(self._data, SOPOR_LOGIN_RATE="100000")
        self.url = self._running.url
        self.breaks = 0
        self._drawn = random.Random(3)
        self._next = time.monotonic() + self._pause()

    def _pause(self) -> float:
        return self._drawn.uniform(1, 2) * min(SECONDS / 4, 25.0)

    def go_on(self) -> None:
        """Stops or starts if it is time for that."""
        if time.monotonic() < self._next:
            return
        if self._running is None:
            self.start()
            self._next = time.monotonic() + self._pause()
        else:
            self.stop(killed=self.breaks % 2 == 1)
            self._next = time.monotonic() + self._drawn.uniform(*_AWAY_SECONDS)

    def start(self) -> None:
        """Starts, if it is not there."""
        if self._running is None:
            port = int(self.url.rpartition(":")[2])
            self._running = start_server(self._data, port, SOPOR_LOGIN_RATE="100000")

    def stop(self, *, killed: bool = False) -> None:
        """Ends, if it is there."""
        if self._running is not None:
            self._running.kill() if killed else self._running.stop()
            self._running = None
            self.breaks += 1


def work(server: Server, desks: list[Desk]) -> None:
    """Edits on both devices, now in bursts and now with pauses, while the server comes and goes."""
    drawn, end = random.Random(5), time.monotonic() + SECONDS
    while time.monotonic() < end:
        server.go_on()
        drawn.choice(desks).edit()
        for desk in desks:
            desk.settle()
        time.sleep(drawn.choice([0, 0, 0.01, 0.1, 0.3, 0.6]))
    server.start()


def wait_until_equal(desks: list[Desk]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not are_equal(desks):
        for desk in desks:
            assert desk.watch.process.poll() is None, desk.watch.told[-20:]
            desk.settle()
        assert time.monotonic() < end, [(desk.state(), desk.watch.told[-20:]) for desk in desks]
        time.sleep(0.2)


def test_two_devices_end_equal_after_random_edits(tmp_path: Path) -> None:
    server = Server(tmp_path)
    with ExitStack() as stack:
        stack.callback(server.stop)
        world, model = World(server, tmp_path), Model()
        laptop, desktop = world.device("ada"), world.device("ada")
        (laptop.folder / "shop").mkdir()
        for body in first_documents().values():
            put(laptop.folder / "shop", body)
        with laptop.start("shop", {}) as repository:
            repository.commit("Start")
            repository.push()
        desktop.clone("shop").close()
        desks = [
            stack.enter_context(Desk(name, device, terminal_of(device, "shop"), model))
            for name, device in (("laptop", laptop), ("desktop", desktop))
        ]
        for desk in desks:
            desk.watch.wait("live", state="streaming")
        work(server, desks)
        wait_until_equal(desks)
        for desk in desks:
            assert desk.watch.stop() == 0
            desk.fsck()
        one, other = (found(desk.root) for desk in desks)
        assert one == other
        model.check(one)
        assert server.breaks
        told = Counter(item["event"] for desk in desks for item in desk.watch.told)
        assert not told["error"]
        conflicts = sum((desk.conflicts for desk in desks), Counter[str]())
        print(
            f"\n{SECONDS:.0f} seconds, {model.edits.total()} edits {dict(model.edits)}, "
            f"server away {server.breaks} times, {told['committed']} commits, "
            f"{told['pushed']} pushes, {told['pulled']} times brought in, "
            f"{conflicts.total()} conflicts settled {dict(conflicts)}; both equal, nothing lost"
        )
