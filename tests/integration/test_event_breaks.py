"""A proxy breaks streams of events again and again: none is missed, and no file is ever wrong.

`make events-breaks` breaks 1,000 times; as a test it does 40 times.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

from sopor.repository import Repository
from sopor.repository.events import LiveState, Pushed
from sopor.watch import Options, Watch
from tests.support.breaking import BreakingProxy, breaking_proxy
from tests.support.listener import Listener
from tests.support.server import RunningServer
from tests.support.world import Device, World, request, v4_export, workspace

BREAKS = int(os.environ.get("SOPOR_BREAKS", "25"))
FILE = "project.json"
_TOUCHED = (1, 7, 12)
_LOOK_EVERY = 20
_PATIENCE_SECONDS = 180
_MOST_GROWTH_MIB = 64


def project(version: int) -> bytes:
    """Returns the file of a version: three requests of twelve bear its number."""
    requests = [request(number) for number in range(1, 13)]
    for number in _TOUCHED:
        requests[number - 1]["name"] = f"Version {version}"
    return v4_export(workspace(), *requests)


def resources(text: bytes) -> dict[str, dict[str, object]]:
    """Returns what a file holds, by id."""
    return {item["_id"]: item for item in json.loads(text)["resources"]}


class Files:
    """The files of a device that watches, behind the proxy."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._error: BaseException | None = None
        self.root = device.folder / "shop"
        self.seen = 0
        self._watch: Watch | None = None
        self._thread = Thread(target=self._run)

    def _run(self) -> None:
        try:
            with self._device.open("shop") as repository:
                self._watch = Watch(repository, lambda: self._device.open("shop"), Options())
                self._watch.run()
        except BaseException as error:  # noqa: BLE001 (the test's own thread raises it again)
            self._error = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._watch is not None:
            self._watch.stop()
        self._thread.join(_PATIENCE_SECONDS)
        assert not self._thread.is_alive()

    def look(self) -> int:
        """Returns the version in the files, which must be one that was pushed, and no older one."""
        assert self._error is None, self._error
        found = resources((self.root / FILE).read_bytes())
        names = {str(found[f"req_{number}"]["name"]) for number in _TOUCHED}
        assert len(names) == 1, names
        version = int(names.pop().rpartition(" ")[2])
        assert found == resources(project(version))
        assert version >= self.seen
        self.seen = version
        return version


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def push(repository: Repository, version: int) -> None:
    (repository.root / FILE).write_bytes(project(version))
    repository.commit(f"Version {version}")
    repository.push()


def behind(proxy: BreakingProxy, world: World) -> Device:
    """Returns a device that knows the server by the proxy's address."""
    there = World(proxy, world.folder, world.kits, world._numbers)
    device = there.device("ada")
    device.clone("shop").close()
    return device


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0


def resident_mib() -> float:
    statm = Path("/proc/self/statm")
    pages = int(statm.read_text("ascii").split()[1]) if statm.exists() else 0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def test_broken_streams_miss_nothing(server: RunningServer, world: World) -> None:
    laptop, drawn = world.device("ada"), random.Random(2)
    with laptop.start("shop", {FILE: project(1)}) as repository:
        repository.commit("Start")
        repository.push()
        with breaking_proxy(server.url, seed=4) as proxy:
            proxy.is_breaking = False
            one, other = behind(proxy, world), behind(proxy, world)
            told: list[int] = []
            with Listener(one, "shop") as listener, Files(other) as files:
                listener.until(LiveState.STREAMING)
                wait_until(lambda: proxy.streams == 2)
                proxy.is_breaking = True
                version, started = 1, (descriptors(), resident_mib())
                while proxy.faults.total() < BREAKS:
                    for _ in range(_LOOK_EVERY):
                        version += 1
                        push(repository, version)
                        files.look()
                        time.sleep(drawn.choice([0, 0, 0.01, 0.05, 0.1]))
                    while len(told) < version - 1:
                        told.append(listener.next(Pushed).seq)
                    wait_until(lambda: files.look() == version)  # noqa: B023
                proxy.is_breaking = False
                # Each client is back, by one connection.
                wait_until(lambda: proxy.streams == 2)
                grown = resident_mib() - started[1]
                assert descriptors() <= started[0] + 10
                assert grown < _MOST_GROWTH_MIB
                assert not [each for each in listener.ended() if isinstance(each, Pushed)]
            assert told == list(range(2, version + 1))
            for device in (one, other):
                with device.open("shop") as clone:
                    clone.pull()
                    assert clone.fsck().clean
                    assert clone.status().clean
                    assert clone.status().head == repository.status().head
            print(
                f"\n{proxy.faults.total()} breaks {dict(proxy.faults)}, {version - 1} pushes, each "
                f"told once and in order; files right at every look; at most {proxy.most_streams} "
                f"streams of two clients open, {grown:.1f} MiB more in the process"
            )
