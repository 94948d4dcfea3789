"""`sopor watch`: what others push comes into the files, and with ``--auto`` edits go out."""

from __future__ import annotations

import json
import os
import plistlib
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from sopor.account import Setup, register
from sopor.keystore import Keystore, Protection
from sopor.repository import Repository
from sopor.watch.units import unit_of
from tests.support.server import RunningServer, running_server
from tests.support.terminal import Terminal
from tests.support.watching import watching
from tests.support.world import CHEAP, PASSWORD, Device, World, request, v4_export, workspace

FILE = "project.json"


class Desk:
    """A device with a working copy: its terminal, and its files as Insomnia would write them."""

    def __init__(self, root: Path, home: Path) -> None:
        environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        environment |= {"HOME": str(home.parent), "SOPOR_HOME": str(home), "TZ": "UTC"}
        self.terminal = Terminal(root, environment)
        self.root = root

    def resources(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.root / FILE).read_bytes())["resources"]
        return found

    def look(self, document: str) -> dict[str, Any]:
        return next(item for item in self.resources() if item["_id"] == document)

    def save(self, data: bytes) -> None:
        """Replaces the file as a whole, as Insomnia does."""
        temporary = self.root / ".new"
        temporary.write_bytes(data)
        temporary.replace(self.root / FILE)

    def edit(self, document: str, **fields: object) -> None:
        found = self.resources()
        next(item for item in found if item["_id"] == document).update(fields)
        self.save(v4_export(*found))

    def push(self, message: str) -> None:
        self.terminal(f"sopor commit -m '{message}'")
        self.terminal("sopor push")

    def log(self) -> list[str]:
        return [item["message"] for item in self.terminal("sopor log --json").json]


@pytest.fixture
def desks(server: RunningServer, tmp_path: Path) -> tuple[Desk, Desk]:
    """Two devices of one person with the project Shop, both up to date."""
    world = World(server, tmp_path)
    laptop, desktop = world.device("ada"), world.device("ada")
    files = {FILE: v4_export(workspace(), *map(request, range(4)))}
    with laptop.start("Shop", files) as first:
        first.commit("Start")
        first.push()
    desktop.clone("Shop").close()
    return Desk(laptop.folder / "Shop", laptop.home), Desk(desktop.folder / "Shop", desktop.home)


def test_what_is_pushed_comes_into_the_files_around_edits(desks: tuple[Desk, Desk]) -> None:
    first, second = desks
    with watching(second.terminal) as watch:
        second.edit("req_1", url="https://mine")
        first.edit("req_1", name="Theirs")
        first.push("Rename it")
        assert watch.wait("pulled")["kind"] == "fast-forward"
        assert second.look("req_1")["name"] == "Theirs"
        assert second.look("req_1")["url"] == "https://mine"
        status = second.terminal("sopor status --json").json
        assert [change["id"] for change in status["changes"]] == ["req_1"]
        assert status["watch"]["alive"] is True
        assert status["watch"]["pid"] == watch.process.pid
        assert status["watch"]["auto"] is False

        # Both edit one field: it waits, says so, and goes on once that is gone.
        second.edit("req_2", name="Mine")
        first.edit("req_2", name="Theirs")
        first.push("Rename another")
        assert watch.wait("waiting")["documents"] == ["req_2"]
        shown = second.terminal("sopor status").out
        assert "is streaming since" in shown or "is polling since" in shown
        assert "req_2" in shown
        assert second.look("req_2")["name"] == "Mine"
        second.edit("req_2", name="Request 2")
        watch.wait("pulled", 2)
        assert second.look("req_2")["name"] == "Theirs"
        assert second.terminal("sopor status --json").json["watch"]["waiting"] == []

        # Another one is refused, and this one ends in peace.
        error = second.terminal("sopor watch --json", code=4).error
        assert str(watch.process.pid) in error["message"]
        assert watch.stop(signal.SIGINT) == 0
        assert not watch.all("committed")
        assert not watch.all("pushed")
    assert second.terminal("sopor status --json").json["watch"] is None


def test_commits_of_both_sides_are_merged_but_no_conflict_is_begun(
    desks: tuple[Desk, Desk],
) -> None:
    first, second = desks
    second.edit("req_0", name="Mine")
    second.terminal("sopor commit -m Mine")
    first.edit("req_1", name="Theirs")
    first.push("Theirs")
    with watching(second.terminal) as watch:
        assert watch.wait("pulled")["kind"] == "merged"
        first.edit("req_0", name="Theirs")
        first.push("Theirs too")
        assert watch.wait("waiting")["documents"] == ["req_0"]
        assert second.terminal("sopor status --json").json["merge"] is None
        second.terminal("sopor pull", code=4)
        second.terminal("sopor resolve --theirs req_0")
        second.terminal("sopor commit -m Settled")
        second.terminal("sopor push")
        assert watch.stop(signal.SIGHUP) == 0
    assert second.look("req_0")["name"] == "Theirs"


def test_edits_are_committed_and_pushed_in_one_burst_and_come_back_to_nobody(
    desks: tuple[Desk, Desk],
) -> None:
    first, second = desks
    before = len(first.log())
    with (
        watching(first.terminal, "--auto --settle 0.5") as one,
        watching(second.terminal, "--auto --settle 0.5") as other,
    ):
        one.wait("live")
        other.wait("live")
        for number in range(4):
            first.edit(f"req_{number % 2}", name=f"Edited {number}")
        one.wait("pushed")
        other.wait("pulled")
        assert second.look("req_1")["name"] == "Edited 3"
        assert one.all("committed")[0]["message"] == "Edit 2 requests in Shop"
        # A second edit, by the other side: all that the first caused is over when it is there.
        second.edit("req_2", url="https://new")
        other.wait("pushed")
        one.wait("pulled")
        assert first.look("req_2")["url"] == "https://new"
        for watch in (one, other):
            assert len(watch.all("committed")) == len(watch.all("pushed")) == 1
            assert watch.stop() == 0
    assert len(first.log()) == before + 2
    assert first.log()[0] == 'Edit "Request 2" in Shop'
    assert first.log() == second.log()


def test_what_cannot_be_committed_waits(desks: tuple[Desk, Desk]) -> None:
    first, _ = desks
    with watching(first.terminal, "--auto --settle 0.3") as watch:
        whole = (first.root / FILE).read_bytes()
        first.save(whole[: len(whole) // 2])
        assert FILE in watch.wait("waiting")["message"]
        first.save(whole)
        token = "ghp_" + "aB3dE5gH7jK9mN1pQ3rS5tU7vW9xY1zA3bC5"
        first.edit("req_0", url=f"https://example.com/?token={token}")
        told = watch.wait("secrets")
        assert token not in json.dumps(watch.told)
        assert "Request 0" in told["message"]
        assert not watch.all("committed")
        status = first.terminal("sopor status --json").json["watch"]
        assert "looks like" in status["problem"]
        first.terminal("sopor commit -m 'By hand' --allow-secrets")
        watch.wait("pushed")
        assert watch.stop() == 0
    assert first.log()[0] == "By hand"


def test_a_conflict_waits_to_be_settled_and_then_it_goes_on(desks: tuple[Desk, Desk]) -> None:
    first, second = desks
    first.edit("req_0", name="Theirs")
    first.push("Theirs")
    second.edit("req_0", name="Mine")
    second.terminal("sopor commit -m Mine")
    with watching(second.terminal, "--auto --settle 0.3") as watch:
        assert watch.wait("conflicts")["documents"] == ["req_0"]
        second.edit("req_3", name="Meanwhile")
        assert watch.stop() == 0
    with watching(second.terminal, "--auto --settle 0.3") as watch:
        assert watch.wait("conflicts")["documents"] == ["req_0"]
        shown = second.terminal("sopor status --json").json
        assert shown["merge"]["conflicts"][0]["id"] == "req_0"
        second.terminal("sopor resolve --ours req_0")
        watch.wait("pushed")
        assert watch.stop() == 0
    first.terminal("sopor pull")
    assert first.look("req_0")["name"] == "Mine"
    assert first.look("req_3")["name"] == "Meanwhile"


def test_a_killed_watch_is_known_for_dead(desks: tuple[Desk, Desk]) -> None:
    first, _ = desks
    with watching(first.terminal) as watch:
        watch.process.kill()
        watch.ended()
        assert "was killed" in first.terminal("sopor status").out
        assert first.terminal("sopor status --json").json["watch"]["alive"] is False
        with watching(first.terminal) as again:
            assert again.stop() == 0


def test_a_server_that_does_not_answer_does_not_keep_it_from_ending(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    with running_server(tmp_path_factory.mktemp("hanging") / "data") as server:
        device = World(server, tmp_path).device("ada")
        with device.start("Shop", {FILE: v4_export(workspace(), request(0))}) as first:
            first.commit("Start")
            first.push()
        desk = Desk(device.folder / "Shop", device.home)
        with watching(desk.terminal, "--auto --settle 0.2") as watch:
            watch.wait("live")
            os.killpg(server.process.pid, signal.SIGSTOP)
            try:
                desk.edit("req_0", name="Edited")
                watch.wait("committed")
                assert watch.stop() == 0
            finally:
                os.killpg(server.process.pid, signal.SIGCONT)
        assert desk.terminal("sopor status --json").json["watch"] is None
        desk.terminal("sopor push")


def test_a_project_on_no_server_is_not_watched(pets: Terminal) -> None:
    error = pets("sopor watch --json", code=4).error
    assert "sopor push" in error["hint"]


def test_the_service_manager_is_told_what_to_run(desks: tuple[Desk, Desk]) -> None:
    first, _ = desks
    told = first.terminal("sopor watch --install --auto --json").json
    unit = Path(told["path"])
    text = unit.read_text(encoding="utf-8")
    assert f'"-C" "{first.root}" "watch" "--no-input" "--auto"' in text
    assert f'Environment="SOPOR_HOME={first.terminal.environment["SOPOR_HOME"]}"' in text
    assert any("enable --now" in line for line in told["commands"])
    first.terminal("sopor watch --uninstall")
    assert not unit.exists()
    assert first.terminal("sopor watch --uninstall --json", code=3).error["code"] == "not-found"
    first.terminal("sopor watch --install --uninstall", code=2)


def test_launchd_is_told_what_to_run(desks: tuple[Desk, Desk]) -> None:
    first, _ = desks
    home = first.terminal.environment["SOPOR_HOME"]
    with Repository.open(first.root, home=Path(home)) as repository:
        unit = unit_of(
            repository,
            auto=True,
            settle=2.0,
            environment={"SOPOR_HOME": home},
            platform="darwin",
        )
    agent = plistlib.loads(unit.text.encode())
    assert agent["ProgramArguments"][:2] == [sys.executable, "-P"]
    assert agent["ProgramArguments"][-4:] == ["--no-input", "--auto", "--settle", "2"]
    assert agent["EnvironmentVariables"] == {"SOPOR_HOME": home}
    assert unit.path.suffix == ".plist"


def test_a_keystore_that_needs_a_password_is_not_for_a_service(
    server: RunningServer, tmp_path: Path
) -> None:
    home = tmp_path / "keystore"
    setup = Setup(keystore=Keystore(home), protection=Protection.PASSWORD, costs=CHEAP)
    register(setup, server.url, "watch@example.com", PASSWORD, tmp_path / "kit.txt")
    device = Device(home, tmp_path)
    with device.start("Shop", {FILE: v4_export(workspace())}) as repository:
        repository.commit("Start")
        repository.push()
    desk = Desk(tmp_path / "Shop", home)
    error = desk.terminal("sopor watch --install --json", code=13).error
    assert "--keystore keychain" in error["hint"]
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\n", encoding="utf-8")
    environment = {"SOPOR_PASSWORD_FILE": str(password)}
    told = desk.terminal("sopor watch --install --json", env=environment).json
    assert f"SOPOR_PASSWORD_FILE={password}" in Path(told["path"]).read_text(encoding="utf-8")
