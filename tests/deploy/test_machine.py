"""The guide for one machine: its files are well formed, and its backup restores a server.

The proxies' files are checked where the proxies are installed.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from sopor_server import config
from sopor_server.adapters.files import FileBlobStore
from sopor_server.adapters.identity import load_or_create
from sopor_server.adapters.sqlite import SqliteMetadataStore
from tests.contract.grouping_suite import clone
from tests.contract.housekeeping_suite import House
from tests.deploy.terraforming import ROOT
from tests.support.server import running_server
from tests.support.world import World, request, v4_export, workspace

MACHINE = ROOT / "infra" / "machine"
GUIDE = (ROOT / "docs" / "self-hosting.md").read_text(encoding="utf-8")


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
    tmp_path: Path,
) -> None:
    data, target = stored(tmp_path), tmp_path / "backups"
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


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    data, target = stored(tmp_path), tmp_path / "backups"
    back_up(data, target)
    back_up(data, tmp_path / "one.tar")

    assert "is not empty" in server("restore", target, "--data", data, code=2).stderr
    assert "exists" in failing(data, tmp_path / "one.tar", code=2)
    assert "is no folder of backups" in failing(data, data, code=2)
    assert "is no folder of backups" in failing(data, tmp_path / "people", code=2)
    empty = new_folder(tmp_path / "empty")
    assert "holds no metadata.sqlite3" in failing(empty, target, code=2)
    assert list(empty.iterdir()) == []
    told = server("restore", target, "--data", empty, "--at", "2020", code=2).stderr
    assert "holds no backup of 2020" in told
    assert list(empty.iterdir()) == []
    # One that was killed has left a folder beside.
    (new_folder(tmp_path / ".empty.restoring") / "metadata.sqlite3").touch()
    restore(target, empty)
    assert {path.name for path in empty.iterdir()} == {"blobs", "metadata.sqlite3", "server.json"}


def test_a_backup_leaves_out_what_nobody_needs(tmp_path: Path) -> None:
    data, target = stored(tmp_path), tmp_path / "backups"
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


def test_what_was_deleted_may_go_during_a_backup(tmp_path: Path) -> None:
    data, target = stored(tmp_path), tmp_path / "backups"
    with closing(sqlite3.connect(data / "metadata.sqlite3")) as connection, connection:
        connection.execute("UPDATE projects SET deleted = 1")
    (pack,) = packs_in(data)
    pack.unlink()  # by a housekeeping that has not noted it yet

    assert back_up(data, target)["blobs"] == 0
    restore(target, tmp_path / "restored")


def test_a_backup_of_a_newer_server_is_left_to_it(tmp_path: Path) -> None:
    data, target = stored(tmp_path), tmp_path / "backups"
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


@cache
def usage_of(*command: str) -> str:
    """Returns what `sopor-server` or one of its commands says of itself."""
    asked = [sys.executable, "-m", "sopor_server", *command, "--help"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout


def test_the_guide_names_what_the_server_knows() -> None:
    documented = set(re.findall(r"(?m)^\| `(SOPOR_\w+)` \|", GUIDE))
    known = set(re.findall(r"(?m)^    (SOPOR_\w+) ", str(config.__doc__)))
    units = "".join(path.read_text(encoding="utf-8") for path in MACHINE.glob("*.service"))
    assert documented
    assert documented <= known
    assert set(re.findall(r"SOPOR_\w+", units)) <= documented
    for command in re.findall(r"sopor-server([ a-z-][^\n`]*)", GUIDE + units):
        words = command.split("--")[0].split()
        own = {"license": 2, "backup": 1, "restore": 1}.get(words[0] if words else "", 0)
        usage = usage_of(*words[:own])
        assert set(re.findall(r"--[a-z]+", command)) <= set(re.findall(r"--[a-z]+", usage))
        assert set(re.findall(r"^ ([a-z]+)", command)) <= set(re.findall(r"[a-z]+", usage))


def test_the_guide_installs_the_files_that_there_are() -> None:
    named = set(re.findall(r"infra/machine/([\w.-]+\w)", GUIDE))

    assert named == {path.name for path in MACHINE.iterdir() if path.is_file()}


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_the_units_are_well_formed_and_closed(tmp_path: Path) -> None:
    units = []
    for path in sorted([*MACHINE.glob("*.service"), *MACHINE.glob("*.timer")]):
        text = re.sub(r"/opt/sopor/bin/\S+", "/bin/true", path.read_text(encoding="utf-8"))
        units.append(tmp_path / path.name)
        units[-1].write_text(text, encoding="utf-8")

    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    for unit in units:
        if unit.suffix == ".service":
            scan = ["systemd-analyze", "security", "--offline=true", "--no-pager"]
            rated = subprocess.run(
                [*scan, "--threshold=20", unit], capture_output=True, text=True, check=False
            )
            assert rated.returncode == 0, rated.stdout


@pytest.mark.skipif(not shutil.which("caddy"), reason="needs caddy")
def test_caddy_takes_its_file() -> None:
    command = ["caddy", "adapt", "--adapter", "caddyfile", "--config", str(MACHINE / "Caddyfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "127.0.0.1:8440" in json.dumps(json.loads(done.stdout))


@pytest.mark.skipif(not shutil.which("nginx"), reason="needs nginx")
def test_nginx_takes_its_file(tmp_path: Path) -> None:
    site = (MACHINE / "nginx.conf").read_text(encoding="utf-8")
    make = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=x"
    subprocess.run(make.split(), cwd=tmp_path, check=True, capture_output=True)
    site = re.sub(r"/etc/letsencrypt/\S+/fullchain.pem", str(tmp_path / "cert.pem"), site)
    site = re.sub(r"/etc/letsencrypt/\S+/privkey.pem", str(tmp_path / "key.pem"), site)
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{ access_log off;\n{site}\n}}\n", encoding="utf-8"
    )
    command = ["nginx", "-t", "-e", str(tmp_path / "log"), "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert "syntax is ok" in done.stderr, done.stderr


def version(number: int) -> bytes:
    """Returns the working file of the n-th version."""
    return v4_export(workspace(), request(1, name=f"Version {number}"))


def stored(folder: Path) -> Path:
    """Returns the data folder of a server that one project was pushed to."""
    with running_server(folder / "data") as server:
        repository = (
            World(server, folder / "people").device("ada").start("p", {"a.json": version(1)})
        )
        repository.commit("one")
        repository.push()
    return folder / "data"


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
