"""Backups of a server: made while it is in use, whole whatever happens, restored wholly or not."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Thread, Timer
from typing import Any

import pytest

from sopor_server.adapters.files import FileBlobStore
from sopor_server.adapters.identity import load_or_create
from sopor_server.adapters.sqlite import SqliteMetadataStore
from sopor_server.backups import making, restoring
from tests.contract.grouping_suite import clone
from tests.contract.housekeeping_suite import House
from tests.support.server import running_server
from tests.support.world import World, request, v4_export, workspace

MONTH = timedelta(days=30)


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a server that one project was pushed to."""
    folder = tmp_path_factory.mktemp("pushed")
    with running_server(folder / "data") as running:
        device = World(running, folder / "people").device("ada")
        repository = device.start("p", {"a.json": version(1)})
        repository.commit("one")
        repository.push()
    return folder / "data"


@pytest.fixture
def data(pushed: Path, tmp_path: Path) -> Path:
    """A copy of that folder."""
    return shutil.copytree(pushed, tmp_path / "data")


def test_a_backup_made_during_pushes_restores_the_server(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as running:
        world = World(running, tmp_path / "people")
        laptop = world.device("ada").start("petstore", {"a.json": version(0)})
        laptop.commit("0")
        laptop.push()
        made: list[dict[str, Any]] = []
        backing_up = Thread(
            target=lambda: made.extend(
                back_up(tmp_path / "data", tmp_path / "backups") for _ in range(3)
            )
        )
        backing_up.start()
        pushes = 0
        while backing_up.is_alive() or pushes < 3:
            pushes += 1
            (laptop.root / "a.json").write_bytes(version(pushes))
            laptop.commit(str(pushes))
            laptop.push()
        backing_up.join()
        file = back_up(tmp_path / "data", tmp_path / "all.tar", "--verify")
    secret = (tmp_path / "data" / "server.json").read_bytes()

    assert [one["snapshots"] for one in made] == [1, 2, 3]
    assert sum(one["copied"] for one in made) == made[-1]["blobs"], "only what is new is copied"
    assert file["blobs"] == pushes + 1
    shutil.rmtree(tmp_path / "data")
    for source, least in ((tmp_path / "backups", 1), (tmp_path / "all.tar", pushes + 1)):
        restored = tmp_path / f"restored from {source.name}"
        restore(source, restored)
        assert (restored / "server.json").read_bytes() == secret
        files = [path for path in restored.rglob("*") if path.is_file()]
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
        with running_server(restored) as world.server:
            copy = world.device("ada").clone("petstore")
            assert copy.fsck().findings == ()
            assert least <= len(copy.log()) <= pushes + 1


def test_a_backup_holds_packs_that_stand_in_groups_only(tmp_path: Path) -> None:
    data = tmp_path / "data"
    load_or_create(new_folder(data) / "server.json")
    store = SqliteMetadataStore(data / "metadata.sqlite3")
    house = House(store, FileBlobStore(data / "blobs"))
    packs = [b"pack %d" % number for number in range(40)]
    for pack in packs:
        house.put(pack)
        house.push(pack)
    backups = tmp_path / "backups"
    made = [back_up(data, backups)]
    house.keep(1.1)
    made.append(back_up(data, backups))
    assert house.keep(9.2).cleared == 32
    made.append(back_up(data, backups))
    store.close()

    for number, one in enumerate(made):
        restored = tmp_path / f"restored-{number}"
        restore(backups, restored, one["backup"])
        house.store = SqliteMetadataStore(restored / "metadata.sqlite3")
        house.blobs = FileBlobStore(restored / "blobs")
        assert clone(house) == packs
        house.store.close()
    (group,) = (path for path in packs_in(data) if "groups" in path.parts)
    group.write_bytes(bytes(group.stat().st_size))
    assert "is not what its name says" in failing(data, tmp_path / "other backups")
    group.unlink()
    assert "is missing" in failing(data, tmp_path / "other backups")


def test_a_damaged_server_is_not_backed_up_and_a_damaged_backup_not_restored(
    data: Path, tmp_path: Path
) -> None:
    target = tmp_path / "backups"
    (pack,) = packs_in(data)
    good = pack.read_bytes()
    damage(pack)
    assert "is not what its name says" in failing(data, target)
    pack.unlink()
    told = failing(data, target)
    assert pack.name in told
    assert "is missing" in told
    assert list(target.glob("*.sqlite3*")) == [], "nothing that would not restore has a name"
    pack.write_bytes(good)

    assert back_up(data, target)["copied"] == 1
    back_up(data, tmp_path / "one.tar")
    (kept,) = packs_in(target)
    damage(kept)
    restored = tmp_path / "restored"
    assert "is damaged" in server("restore", target, "--data", restored, code=1).stderr
    assert not restored.exists()
    assert back_up(data, target, "--verify")["mended"] == 1
    restore(target, restored)

    archive = tmp_path / "one.tar"
    whole = archive.read_bytes()
    at = whole.index(good[:64])
    for bad in (whole[: at + 100], whole[:at] + bytes(8) + whole[at + 8 :], whole[: at - 600]):
        archive.write_bytes(bad)
        again = server("restore", archive, "--data", tmp_path / "again", "--json", code=1)
        assert json.loads(again.stderr)["error"]["code"] == "backup-damaged"
        assert {path.name for path in tmp_path.iterdir() if "again" in path.name} == set()


def test_what_is_there_is_not_overwritten(data: Path, pushed: Path, tmp_path: Path) -> None:
    target = tmp_path / "backups"
    back_up(data, target)
    back_up(data, tmp_path / "one.tar")

    assert "is not empty" in server("restore", target, "--data", data, code=2).stderr
    assert "exists" in failing(data, tmp_path / "one.tar", code=2)
    assert "is no folder of backups" in failing(data, data, code=2)
    assert "is no folder of backups" in failing(data, pushed, code=2)
    empty = new_folder(tmp_path / "empty")
    other = new_folder(tmp_path / "other")
    shutil.copy(data / "metadata.sqlite3", other)
    load_or_create(other / "server.json")
    assert "has backups of another server" in failing(other, target, code=2)
    assert "holds no metadata.sqlite3" in failing(empty, target, code=2)
    assert list(empty.iterdir()) == []
    told = server("restore", target, "--data", empty, "--at", "2020", code=2).stderr
    assert "holds no backup of 2020" in told
    assert list(empty.iterdir()) == []
    # One that was killed has left a folder beside.
    (new_folder(tmp_path / ".empty.restoring") / "metadata.sqlite3").touch()
    restore(target, empty)
    assert {path.name for path in empty.iterdir()} == {"blobs", "metadata.sqlite3", "server.json"}


def test_a_backup_leaves_out_what_nobody_needs(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "backups"
    (named,) = packs_in(data)
    first = Path(back_up(data, target)["backup"])
    for name in ("2026-01-01T00-00-00.000000Z.sqlite3", "2999-01-01T00-00-00.000000Z.sqlite3"):
        shutil.copyfile(first, target / name)
    unnamed = target / "blobs" / "packs" / "00" / "00.d" / ("0" * 64)
    unnamed.parent.mkdir(parents=True)
    unnamed.touch()
    (target / "2026-11-24T00-00-00.000000Z.sqlite3.new").touch()  # of a run that was killed
    # A pack that was stored and is listed by nothing yet is no part of a backup, nor is its count.
    (named.parent / ("1" * 64)).touch()
    with closing(sqlite3.connect(data / "metadata.sqlite3")) as connection, connection:
        stage = "INSERT INTO packs SELECT project, ?, 1000, NULL, 0 FROM projects"
        connection.execute(stage, (bytes(32),))
        connection.execute("UPDATE projects SET bytes = bytes + 1000")
        (counted,) = connection.execute("SELECT bytes FROM projects").fetchone()

    made = back_up(data, target)

    assert (made["dropped"], made["copied"]) == (1, 0)
    assert [path.name for path in packs_in(target)] == [named.name]
    assert {path.name for path in target.glob("*.sqlite3*")} == {
        first.name,
        Path(made["backup"]).name,
        "2999-01-01T00-00-00.000000Z.sqlite3",
    }
    private = [target, made["backup"], target / "server.json", *packs_in(target)]
    assert {Path(path).stat().st_mode & 0o077 for path in private} == {0}
    with closing(sqlite3.connect(made["backup"])) as connection:
        assert connection.execute("SELECT bytes FROM projects").fetchone() == (counted - 1000,)
        assert connection.execute("SELECT count(*) FROM packs").fetchone() == (1,)


def test_what_was_deleted_may_go_during_a_backup(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "backups"
    with closing(sqlite3.connect(data / "metadata.sqlite3")) as connection, connection:
        connection.execute("UPDATE projects SET deleted = 1")
    (pack,) = packs_in(data)
    pack.unlink()  # by a housekeeping that has not noted it yet

    assert back_up(data, target)["blobs"] == 0
    restore(target, tmp_path / "restored")


def test_a_backup_of_a_newer_server_is_left_to_it(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "backups"
    made = back_up(data, target)["backup"]
    with closing(sqlite3.connect(made)) as connection:
        connection.execute("PRAGMA user_version = 99")

    told = server("restore", target, "--data", tmp_path / "restored", code=2).stderr

    assert "has schema version 99" in told
    assert not (tmp_path / "restored").exists()


def new_folder(path: Path) -> Path:
    """Makes a folder."""
    path.mkdir()
    return path


class Killed(BaseException):
    """Says that the process ends here."""


def killed_at_every_point(
    monkeypatch: pytest.MonkeyPatch, run: Callable[[], object]
) -> Iterator[None]:
    """Runs something that ends at its first flush or renaming, then at the second, ..., to the end.

    Yields after each time, also after the last, at which it did all.
    """
    point, done = 0, False
    while not done:
        # Who is dead does nothing more, nor tidies up.
        steps = count(point, -1)

        def dying(real: Callable[..., object], steps: Iterator[int] = steps) -> Any:
            def step(*arguments: object, **options: object) -> object:
                if next(steps) <= 0:
                    raise Killed
                return real(*arguments, **options)

            return step

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", dying(os.fsync))
            patched.setattr(shutil, "rmtree", dying(shutil.rmtree))
            for name in ("replace", "rename", "unlink"):
                patched.setattr(Path, name, dying(getattr(Path, name)))
            try:
                run()
                done = True
            except Killed:
                point += 1
        yield
    assert point > 5


def test_a_backup_that_is_killed_leaves_backups_that_restore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    load_or_create(new_folder(data) / "server.json")
    store = SqliteMetadataStore(data / "metadata.sqlite3")
    house = House(store, FileBlobStore(data / "blobs"))
    backups, restored = tmp_path / "backups", tmp_path
    house.push(house_pack(house, b"first"))
    making.back_up(data, backups, MONTH)
    house.push(house_pack(house, b"second"))
    store.close()
    runs = killed_at_every_point(monkeypatch, lambda: making.back_up(data, backups, MONTH))
    for point, _ in enumerate(runs):
        named = sorted(backups.glob("*.sqlite3"))
        assert named
        for number, metadata in enumerate(named):
            restored = tmp_path / f"restored-{point}-{number}"
            restoring.restore(backups, restored, metadata.stem)
            assert (restored / "server.json").read_bytes() == (data / "server.json").read_bytes()
    house.store = SqliteMetadataStore(restored / "metadata.sqlite3")
    house.blobs = FileBlobStore(restored / "blobs")
    assert clone(house) == [b"first", b"second"]
    house.store.close()
    assert not list(backups.rglob("*.new*"))


@pytest.mark.parametrize("name", ["backups", "one.tar"])
def test_a_restore_that_is_killed_leaves_nothing_or_all(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    load_or_create(new_folder(data) / "server.json")
    store = SqliteMetadataStore(data / "metadata.sqlite3")
    house = House(store, FileBlobStore(data / "blobs"))
    house.push(house_pack(house, b"first"))
    store.close()
    source, restored = tmp_path / name, tmp_path / "restored"

    def back_up_once() -> None:
        if not source.is_file():
            making.back_up(data, source, MONTH, verify=True)

    def restore_once() -> None:
        if not restored.exists():
            restoring.restore(source, restored)

    for _ in killed_at_every_point(monkeypatch, back_up_once):
        if source.is_file():
            restoring.check_archive(source)
    for _ in killed_at_every_point(monkeypatch, restore_once):
        whole = {path.name for path in restored.iterdir()} if restored.exists() else None
        assert whole in (None, {"blobs", "metadata.sqlite3", "server.json"})
    house.store = SqliteMetadataStore(restored / "metadata.sqlite3")
    house.blobs = FileBlobStore(restored / "blobs")
    assert clone(house) == [b"first"]
    house.store.close()
    assert {path.name for path in tmp_path.iterdir()} == {"data", "restored", name}


def test_a_pack_that_the_housekeeping_holds_for_a_moment(data: Path, tmp_path: Path) -> None:
    (pack,) = packs_in(data)
    away = pack.rename(tmp_path / "away")
    back = Timer(0.3, lambda: away.rename(pack))
    back.start()
    assert making.back_up(data, tmp_path / "backups", MONTH).copied == 1
    back.join()


def test_data_in_the_cloud_is_backed_up_there(tmp_path: Path) -> None:
    cloud = {"GOOGLE_CLOUD_PROJECT": "p", "SOPOR_DATABASE": "d", "SOPOR_BUCKET": "b"}
    done = subprocess.run(
        [sys.executable, "-m", "sopor_server", "backup", tmp_path / "backups"],
        env={**os.environ, **cloud},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "infra/terraform/README.md" in done.stderr
    assert list(tmp_path.iterdir()) == []


def house_pack(house: House, pack: bytes) -> bytes:
    """Puts a pack, and returns it."""
    house.put(pack)
    return pack


def version(number: int) -> bytes:
    """Returns the working file of the n-th version."""
    return v4_export(workspace(), request(1, name=f"Version {number}"))


def server(*words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs a command of `sopor-server`, which must end with a code."""
    done = subprocess.run(
        [sys.executable, "-m", "sopor_server", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done


def back_up(data: Path, target: Path, *options: str) -> dict[str, Any]:
    """Makes a backup and returns what it says of it."""
    done = server("backup", target, "--data", data, "--json", *options)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def failing(data: Path, target: Path, code: int = 1) -> str:
    """Makes a backup that must fail, and returns what it tells."""
    told = server("backup", target, "--data", data, code=code).stderr
    assert "\nhint: " in told
    return told


def restore(source: Path, data: Path, at: Path | str | None = None) -> None:
    """Makes a data folder from a backup."""
    options = ["--at", Path(at).stem] if at else []
    told = server("restore", source, "--data", data, *options).stdout
    assert told.startswith(f"restored {data} as of ")


def packs_in(folder: Path) -> list[Path]:
    """Returns the files of packs and groups in a data folder or a backup."""
    return sorted(path for path in (folder / "blobs").rglob("*") if path.is_file())


def damage(path: Path) -> None:
    """Flips one bit."""
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
