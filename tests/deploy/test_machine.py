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
from functools import cache
from pathlib import Path
from threading import Thread

import pytest

from sopor_server import config
from sopor_server.adapters.files import FileBlobStore
from sopor_server.adapters.sqlite import SqliteMetadataStore
from tests.contract.grouping_suite import clone
from tests.contract.housekeeping_suite import House
from tests.deploy.terraforming import ROOT
from tests.support.server import running_server
from tests.support.world import World, request, v4_export, workspace

MACHINE = ROOT / "infra" / "machine"
BACKUP = MACHINE / "backup.py"
GUIDE = (ROOT / "docs" / "self-hosting.md").read_text(encoding="utf-8")


def test_a_backup_made_during_pushes_restores_the_server(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        world = World(server, tmp_path / "people")
        laptop = world.device("ada").start("petstore", {"a.json": version(0)})
        laptop.commit("0")
        laptop.push()
        made: list[Path] = []
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

    assert len(made) == 3
    assert sorted(made) == made
    shutil.rmtree(tmp_path / "data")
    restore(tmp_path / "backups", made[-1], tmp_path / "restored")

    with running_server(tmp_path / "restored") as world.server:
        clone = world.device("ada").clone("petstore")
        assert clone.fsck().findings == ()
        assert 1 <= len(clone.log()) <= pushes + 1


def test_a_backup_holds_packs_that_stand_in_groups_only(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "server.json").write_text("{}", encoding="utf-8")
    store = SqliteMetadataStore(data / "metadata.sqlite3")
    house = House(store, FileBlobStore(data / "blobs"))
    packs = [b"pack %d" % number for number in range(40)]
    for pack in packs:
        house.put(pack)
        house.push(pack)
    before = back_up(data, tmp_path / "backups")
    house.keep(1.1)
    joined = back_up(data, tmp_path / "backups")
    assert house.keep(9.2).cleared == 32
    cleared = back_up(data, tmp_path / "backups")
    store.close()

    for number, metadata in enumerate((before, joined, cleared)):
        restored = tmp_path / f"restored-{number}"
        restore(tmp_path / "backups", metadata, restored)
        house.store = SqliteMetadataStore(restored / "metadata.sqlite3")
        house.blobs = FileBlobStore(restored / "blobs")
        assert clone(house) == packs
        house.store.close()
    (group,) = (path for path in (data / "blobs" / "groups").rglob("*") if path.is_file())
    group.write_bytes(bytes(group.stat().st_size))
    assert "is not what its name says" in failing(data, tmp_path / "other backups")
    group.unlink()
    assert "is missing" in failing(data, tmp_path / "other backups")


def test_a_backup_tells_of_a_missing_pack(tmp_path: Path) -> None:
    data = stored(tmp_path)
    (pack,) = (path for path in (data / "blobs").rglob("*") if path.is_file())
    pack.unlink()

    told = failing(data, tmp_path / "backups")

    assert pack.name in told
    assert "missing" in told


def test_a_backup_tells_of_a_rotten_pack(tmp_path: Path) -> None:
    data = stored(tmp_path)
    (pack,) = (path for path in (data / "blobs").rglob("*") if path.is_file())
    damaged = bytearray(pack.read_bytes())
    damaged[100] ^= 1
    pack.write_bytes(damaged)

    told = failing(data, tmp_path / "backups")

    assert "is not what its name says" in told


def test_a_backup_drops_what_only_old_metadata_named(tmp_path: Path) -> None:
    data, target = stored(tmp_path), tmp_path / "backups"
    (named,) = (path for path in (data / "blobs").rglob("*") if path.is_file())
    unnamed = target / "blobs" / "packs" / "00" / "00.d" / ("0" * 64)
    unnamed.parent.mkdir(parents=True)
    unnamed.touch()
    # A pack that was stored and is listed by nothing yet is no part of a backup.
    (named.parent / ("1" * 64)).touch()

    back_up(data, target)

    kept = {path.name for path in (target / "blobs").rglob("*") if path.is_file()}
    assert kept == {named.name}


def test_a_backup_of_nothing_fails_and_makes_no_database(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()

    told = failing(tmp_path / "data", tmp_path / "backups")

    assert "unable to open database file" in told
    assert list((tmp_path / "data").iterdir()) == []


def test_old_metadata_goes_and_nobody_else_can_read_the_rest(tmp_path: Path) -> None:
    data, target = stored(tmp_path), tmp_path / "backups"
    first = back_up(data, target)
    for name in ("2026-01-01T00-00-00.000000Z.sqlite3", "2999-01-01T00-00-00.000000Z.sqlite3"):
        shutil.copyfile(first, target / name)

    made = back_up(data, target)

    assert {path.name for path in target.glob("*.sqlite3")} == {
        first.name,
        made.name,
        "2999-01-01T00-00-00.000000Z.sqlite3",
    }
    modes = {path.stat().st_mode & 0o077 for path in [target, made, target / "server.json"]}
    assert modes == {0}


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
        usage = usage_of(*(words[:2] if words[:1] == ["license"] else ()))
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


def back_up(data: Path, target: Path) -> Path:
    """Makes a backup and returns its metadata."""
    done = subprocess.run(
        [sys.executable, BACKUP, data, target], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def failing(data: Path, target: Path) -> str:
    """Makes a backup that must fail, and returns what it tells."""
    done = subprocess.run(
        [sys.executable, BACKUP, data, target], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    return done.stderr


def restore(target: Path, metadata: Path, data: Path) -> None:
    """Does what the guide says under "Restore"."""
    section = GUIDE.split("## Restore")[1].split("\n## ")[0]
    lines = [line.strip() for line in section.splitlines() if line.startswith("    cp ")]
    assert len(lines) == 3
    data.mkdir(mode=0o700)
    for line in lines:
        command = line.replace("/var/lib/sopor", str(data))
        command = re.sub(r"\S+\.sqlite3 (?=/)", f"{metadata} ", command)
        subprocess.run(command.split(), cwd=target, check=True)
    with sqlite3.connect(data / "metadata.sqlite3") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
