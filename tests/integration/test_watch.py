"""Two devices that watch end equal, whatever is edited where and whether the server is there."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Thread
from typing import Any

from sopor.account.managing import revoke_others
from sopor.errors import SessionExpired
from sopor.watch import Options, Report, Watch
from tests.support.server import start_server
from tests.support.world import Device, World, request, v4_export, workspace

FILES = ("left.json", "right.json")
_PATIENCE_SECONDS = 120


class Watcher:
    """A watch in a thread, and what it told."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.root = device.folder / "shop"
        self.told: list[Report] = []
        self.error: BaseException | None = None
        self._news = Condition()
        self._watch: Watch | None = None
        self._thread = Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            with self.device.open("shop") as repository:
                self._watch = Watch(
                    repository,
                    lambda: self.device.open("shop"),
                    Options(auto=True, settle=0.2),
                    self._tell,
                )
                self._watch.run()
        except BaseException as error:  # noqa: BLE001 (the test's own thread raises it again)
            self.error = error
        with self._news:
            self._news.notify_all()

    def _tell(self, report: Report) -> None:
        with self._news:
            self.told.append(report)
            self._news.notify_all()

    def count(self, event: str) -> int:
        return sum(report.event == event for report in self.told)

    def wait(self, event: str, count: int = 1) -> None:
        """Waits until it has told of an event so many times."""
        self.wait_for(lambda: self.count(event) >= count, f"no {event}")

    def wait_for(self, met: Callable[[], bool], otherwise: str) -> None:
        """Waits for a condition, looked at whenever it tells something."""
        with self._news:
            come = self._news.wait_for(lambda: self.error is not None or met(), _PATIENCE_SECONDS)
        assert self.error is None, f"{self.error}"
        assert come, f"{otherwise} among {self.told}"

    def stop(self) -> None:
        if self._watch is not None:
            self._watch.stop()
        self.join()

    def join(self) -> None:
        self._thread.join()

    def names(self) -> dict[str, str]:
        """Returns the names of all requests in the files."""
        found = [item for file in FILES for item in self.resources(file)]
        return {item["_id"]: item["name"] for item in found if item["_type"] == "request"}

    def resources(self, file: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.root / file).read_bytes())["resources"]
        return found

    def edit(self, file: str, document: str, **fields: object) -> None:
        """Saves a file as a whole, as Insomnia does."""
        found = self.resources(file)
        next(item for item in found if item["_id"] == document).update(fields)
        new = self.root / ".new"
        new.write_bytes(v4_export(*found))
        new.replace(self.root / file)


@contextmanager
def watchers(*devices: Device) -> Iterator[list[Watcher]]:
    found = [Watcher(device) for device in devices]
    try:
        yield found
    finally:
        for watcher in found:
            watcher.stop()


def project() -> dict[str, bytes]:
    """Returns a file for each device, so that none saves over what the other one sends."""
    return {
        file: v4_export(
            {**workspace(file), "_id": f"wrk_{side}"},
            *(request(4 * side + number, parentId=f"wrk_{side}") for number in range(4)),
        )
        for side, file in enumerate(FILES)
    }


def test_two_devices_end_equal_though_the_server_was_away(tmp_path: Path) -> None:
    server = start_server(tmp_path / "data")
    try:
        world = World(server, tmp_path)
        laptop, desktop = world.device("ada"), world.device("ada")
        with laptop.start("shop", project()) as repository:
            repository.commit("Start")
            repository.push()
        desktop.clone("shop").close()
        git = laptop.folder / "shop" / ".git"
        git.mkdir()
        (git / "config.json").write_text("{", encoding="utf-8")
        drawn, expected = random.Random(6), {f"req_{each}": f"Request {each}" for each in range(8)}
        with watchers(laptop, desktop) as pair:
            for watcher in pair:
                watcher.wait("live")
            for number in range(24):
                if number == 8:
                    server.stop()
                elif number == 16:
                    server = start_server(tmp_path / "data", int(server.url.rpartition(":")[2]))
                side = number % 2
                document = f"req_{4 * side + drawn.randrange(4)}"
                expected[document] = f"Edit {number}"
                commits = pair[side].count("committed")
                pair[side].edit(FILES[side], document, name=f"Edit {number}")
                if number % 6 > 3:
                    pair[side].wait("committed", commits + 1)
            for watcher in pair:
                watcher.wait_for(lambda: watcher.names() == expected, f"not {expected}")  # noqa: B023
                assert not watcher.count("conflicts")
        with laptop.open("shop") as first, desktop.open("shop") as second:
            for each in (first, second, first):
                each.sync()
                assert each.status().clean
                assert each.fsck().clean
            assert first.status().head == second.status().head
    finally:
        if server.process.poll() is None:
            server.stop()


def test_a_burst_is_one_push_and_echoes_are_none(world: World) -> None:
    laptop, desktop = world.device("ada"), world.device("ada")
    with laptop.start("shop", project()) as repository:
        repository.commit("Start")
        repository.push()
    desktop.clone("shop").close()
    with watchers(laptop, desktop) as pair:
        one, other = pair
        for watcher in pair:
            watcher.wait("live")
        for number in range(8):
            one.edit(FILES[number % 2], f"req_{number % 2 * 4}", name=f"Edit {number}")
        other.wait("pulled")
        # What comes back from the other side is behind all echoes.
        other.edit(FILES[0], "req_1", name="Back")
        one.wait("pulled")
        for watcher in pair:
            counts = [watcher.count(event) for event in ("committed", "pushed", "pulled")]
            assert counts == [1, 1, 1]
        assert one.names() == other.names()
        assert one.names()["req_4"] == "Edit 7"


def test_a_revoked_device_ends_its_watch(world: World) -> None:
    laptop, desktop = world.device("ada"), world.device("ada")
    with laptop.start("shop", project()) as repository:
        repository.commit("Start")
        repository.push()
    desktop.clone("shop").close()
    with watchers(desktop) as (watcher,):
        watcher.wait("live")
        with laptop.account() as account:
            revoke_others(account)
        watcher.join()
        assert isinstance(watcher.error, SessionExpired)
    with desktop.open("shop") as repository:
        watch = repository.status().watch
        assert watch is not None
        assert not watch.alive
        assert watch.error == watcher.error.message
