"""A server that was restored from a backup is brought forward by a device that knows more."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sopor.errors import ForkError, RollbackError, StateConflict
from sopor.repository import Repository
from tests.integration.test_two_devices import FILE, edit, look
from tests.support.server import start_server
from tests.support.world import World, request, v4_export, workspace


class Restorable(World):
    """A world on a server of its own, whose data can be kept and put back."""

    def __init__(self, folder: Path) -> None:
        self.running = start_server(folder / "data")
        super().__init__(self.running, folder)

    def backup(self) -> Path:
        """Copies the data of the server, which does not run meanwhile."""
        kept = self.folder / "backup"
        self._with_data(lambda data: shutil.copytree(data, kept))
        return kept

    def restore(self, kept: Path) -> None:
        """Puts an older copy of the data in the place of the server's."""

        def replace(data: Path) -> None:
            shutil.rmtree(data)
            shutil.copytree(kept, data)

        self._with_data(replace)

    def _with_data(self, change: Callable[[Path], object]) -> None:
        port = int(self.running.url.rpartition(":")[2])
        self.running.stop()
        change(self.running.data)
        self.running = start_server(self.running.data, port=port)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Restorable]:
    """A world whose server stories may stop and put back."""
    world = Restorable(tmp_path)
    yield world
    world.running.stop()


def start(world: World) -> tuple[Repository, Repository]:
    laptop, desktop = world.device("ada"), world.device("ada")
    first = laptop.start("shop", {FILE: v4_export(workspace(), *map(request, range(3)))})
    first.commit("Start")
    first.push()
    return first, desktop.clone("shop")


def push_edit(repository: Repository, name: str) -> None:
    edit(repository, "req_0", name=name)
    repository.commit(name)
    repository.push()


def test_what_a_server_lost_is_published_again(own: Restorable) -> None:
    first, second = start(own)
    kept = own.backup()
    push_edit(first, "After the backup")
    push_edit(first, "Later still")
    first.switch("side", create=True)
    push_edit(first, "On a branch")
    second.fetch()
    own.restore(kept)
    before = [commit.id for commit in second.log(all_branches=True)]
    with pytest.raises(RollbackError, match="fewer entries") as older:
        second.pull()
    assert "sopor repair" in str(older.value.hint)
    assert [commit.id for commit in second.log(all_branches=True)] == before
    assert first.repair().entries == 3
    assert second.pull().merge.kind == "fast-forward"
    push_edit(second, "Life goes on")
    first.switch("main")
    first.pull()
    assert look(first, "req_0")["name"] == "Life goes on"
    assert first.repair().entries == 0
    assert first.fsck().clean
    assert second.fsck().clean


def test_a_project_that_is_younger_than_the_backup_comes_back(own: Restorable) -> None:
    laptop = own.device("ada")
    kept = own.backup()
    first = laptop.start("shop", {FILE: v4_export(workspace(), request(0))})
    first.commit("Start")
    first.push()
    own.restore(kept)
    result = first.repair()
    assert (result.entries, result.membership_entries) == (1, 1)
    copy = laptop.clone("shop", "copy")
    assert json.loads((copy.root / FILE).read_bytes())["resources"]
    assert copy.fsck().clean


def test_a_server_with_another_history_is_not_repaired(own: Restorable) -> None:
    first, second = start(own)
    kept = own.backup()
    push_edit(first, "Known to one")
    own.restore(kept)
    push_edit(second, "Known to the other")
    with pytest.raises(ForkError):
        first.repair()
    with pytest.raises(ForkError):
        first.pull()
    assert look(first, "req_0")["name"] == "Known to one"


def test_a_project_that_is_nowhere_needs_no_repair(own: Restorable) -> None:
    local = own.device("ada").start("local", {FILE: v4_export(workspace(), request(0))})
    local.commit("Start")
    with pytest.raises(StateConflict, match="on no server"):
        local.repair()
