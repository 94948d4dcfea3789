"""A server that was restored from a backup is brought forward by a device that knows more."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sopor.diagnosis.checks import examine
from sopor.diagnosis.scope import Scope
from sopor.errors import ForkError, RollbackError, StateConflict, exit_code
from sopor.keystore import Keystore
from sopor.repository import Repository
from sopor.repository.forks import HistoriesDiffer
from tests.integration.test_two_devices import FILE, edit, look
from tests.support.server import start_server
from tests.support.terminal import Terminal
from tests.support.world import World, request, v4_export, workspace


class Restorable(World):
    """A world on a server of its own, which is backed up while it runs, and restored."""

    def __init__(self, folder: Path) -> None:
        self.running = start_server(folder / "data")
        super().__init__(self.running, folder)

    def backup(self) -> Path:
        """Backs the server up, which runs meanwhile."""
        kept = self.folder / "backups"
        server_command("backup", kept, "--data", self.running.data)
        return kept

    def restore(self, kept: Path) -> None:
        """Puts the newest backup in the place of the server's data."""
        port = int(self.running.url.rpartition(":")[2])
        self.running.stop()
        shutil.rmtree(self.running.data)
        server_command("restore", kept, "--data", self.running.data)
        self.running = start_server(self.running.data, port=port)


def server_command(*words: str | Path) -> None:
    """Runs a command of `sopor-server`."""
    subprocess.run(
        [sys.executable, "-m", "sopor_server", *words], check=True, capture_output=True, text=True
    )


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


def home_of(repository: Repository) -> Path:
    """Returns the keystore of the device that a working copy is on."""
    return repository.root.parent / "keystore"


def pins(repository: Repository) -> tuple[str, dict[str, object]]:
    """Returns what `sopor doctor` says of the server's log."""
    found = examine(Scope(repository.root, Keystore(home_of(repository))))
    (check,) = (each for each in found.checks if (each.group, each.name) == ("pins", "server"))
    return str(check.level), dict(check.facts)


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
    assert pins(second) == ("problem", {"error": "rollback"})
    assert first.repair().entries == 3
    assert pins(second) == ("ok", {"here": 4, "there": 4})
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


def test_two_histories_are_both_shown_and_neither_is_changed(own: Restorable) -> None:
    first, second = start(own)
    first.switch("side", create=True)
    push_edit(first, "On a branch")
    second.pull()
    kept = own.backup()
    first.switch("main")
    push_edit(first, "Known to one")
    push_edit(first, "Known to one, too")
    own.restore(kept)
    push_edit(second, "Known to the other")
    for _ in range(2):
        with pytest.raises(HistoriesDiffer) as differ:
            first.repair()
        fork = differ.value.fork
        assert fork.common == 2
        assert [entry.seq for entry in fork.here] == [3, 4]
        assert [entry.seq for entry in fork.there] == [3]
        assert {entry.hash for entry in fork.here} <= {entry.hash for entry in first.audit()}
        assert fork.there == second.audit()[:1]
        assert fork.there[0].text.startswith("moved main from ")
        assert exit_code(differ.value) == 11
        with pytest.raises(RollbackError) as refused:
            first.pull()
        assert "sopor repair" in str(refused.value.hint)
    # A server that went further than the other side is no healthy one either.
    push_edit(second, "Once more")
    push_edit(second, "And again")
    with pytest.raises(HistoriesDiffer) as differ:
        first.repair()
    assert [entry.seq for entry in differ.value.fork.there] == [3, 4, 5]
    with pytest.raises(ForkError, match="another history") as forked:
        first.pull()
    assert "sopor repair" in str(forked.value.hint)
    assert pins(first) == ("problem", {"error": "fork"})
    shown = Terminal(first.root, {"SOPOR_HOME": str(home_of(first))})("sopor repair", code=11)
    assert shown.lines[:3] == ["Both have the entries up to 2", "", "Only here:"]
    assert len(shown.lines[shown.lines.index("Only on the server:") :]) == 4
    assert "different histories after entry 2: 2 entries are here only" in shown.err
    assert look(first, "req_0")["name"] == "Known to one, too"
    assert first.fsck().clean

    # What the guide says: the one history in a clone, the files of the other on top.
    joined = own.device("ada").clone("shop", "joined")
    shutil.copy(first.root / FILE, joined.root / FILE)
    assert joined.diff()
    joined.commit("Bring back what was pushed before the restore")
    joined.push()
    assert second.pull().merge.kind == "fast-forward"
    assert look(second, "req_0")["name"] == "Known to one, too"


def test_a_project_that_is_nowhere_needs_no_repair(own: Restorable) -> None:
    local = own.device("ada").start("local", {FILE: v4_export(workspace(), request(0))})
    local.commit("Start")
    with pytest.raises(StateConflict, match="on no server"):
        local.repair()
