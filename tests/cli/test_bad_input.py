"""What can go wrong from outside: each a message with a way out, its exit code, and no loss."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.support.terminal import SOPOR, Terminal

WORKSPACE = {"_id": "wrk_1", "_type": "workspace", "name": "Work"}


def export(*resources: dict[str, object]) -> str:
    """Returns a v4 export with these resources, one key a line."""
    content = {"_type": "export", "__export_format": 4, "resources": [WORKSPACE, *resources]}
    return json.dumps(content, indent=2)


def request(name: str, **fields: object) -> dict[str, object]:
    """Returns a request of the workspace."""
    return {"_id": name, "_type": "request", "parentId": "wrk_1", "name": name, **fields}


@pytest.fixture
def work(terminal: Terminal) -> Terminal:
    """A working copy of one v4 file with one request, committed."""
    terminal.write("work.json", export(request("req_1")))
    terminal("sopor init --name work")
    terminal("sopor commit -m Start")
    return terminal


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ('{"_type": "export",\n "__export_format": 4,\n "resources": [}', r"work.json:3"),
        ("<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\n", "work.json:1"),
        (export({"_type": "request", "parentId": "wrk_1", "name": "nameless"}), "nameless"),
        (export(request("req_2"), request("req_2", url="again")), "req_2"),
        (export({**request("req_3"), "_id": 7}), "_id"),
        ('{"_type": "export", "__export_format": 4, "resources": [{"a": NaN}]}', "work.json"),
    ],
    ids=["cut", "merge markers", "no id", "one id twice", "an id that is a number", "NaN"],
)
def test_a_broken_working_file(work: Terminal, content: str, where: str) -> None:
    head = work("sopor log --json").out
    work.write("work.json", content)
    for command in ("status", "commit -m x", "switch -c other"):
        error = work(f"sopor {command} --json", code=9).error
        assert where in error["message"]
        assert "work.json" in error["message"]
    assert work("sopor log --json").out == head
    assert work.read("work.json") == content
    work("sopor fsck")


def test_one_document_in_two_files(work: Terminal) -> None:
    shutil.copy(work.folder / "work.json", work.folder / "copy.json")
    error = work("sopor commit -m x --json", code=9).error
    assert "copy.json and work.json" in error["message"]
    assert "remove it from one of them" in error["hint"]


def test_a_document_over_the_limit(work: Terminal) -> None:
    work.write("work.json", export(request("req_1", body={"text": "x" * (17 * 1024 * 1024)})))
    error = work("sopor commit -m x --json", code=9).error
    assert "req_1" in error["message"]
    assert "at most 16777216 are allowed" in error["message"]


def test_a_working_file_that_is_gone_comes_back(work: Terminal) -> None:
    before = work.read("work.json")
    (work.folder / "work.json").unlink()
    assert "deleted" in work("sopor status").out
    work("sopor restore .")
    assert json.loads(work.read("work.json")) == json.loads(before)
    assert work("sopor status -s").out == ""


def test_a_file_that_may_grow_no_more(work: Terminal) -> None:
    """A limit on file sizes stands for a full disk: writing fails in the middle."""
    text = random.Random(1).randbytes(200_000).hex()
    work.write("work.json", export(request("req_1", body={"text": text})))
    limited = ["bash", "-c", f"trap '' XFSZ; ulimit -f 100; exec {SOPOR} commit -m Large --json"]
    ran = subprocess.run(
        limited,
        cwd=work.folder,
        env=work.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 12, ran.stderr
    error = json.loads(ran.stderr)["error"]
    assert error["code"] == "disk-full"
    assert "run the command again" in error["hint"]
    assert [commit["message"] for commit in work("sopor log --json").json] == ["Start"]
    work("sopor commit -m Large")
    work("sopor fsck")


def test_a_damaged_database(work: Terminal) -> None:
    database = work.folder / ".sopor" / "sopor.db"
    for path in database.parent.glob("sopor.db-*"):
        path.unlink()
    database.write_bytes(b"\0" * 8192)
    error = work("sopor status --json", code=12).error
    assert error["code"] == "damaged-store"
    assert "clone" in error["hint"]
    assert (work.folder / "work.json").is_file()


def test_a_damaged_pack_is_found_and_named(work: Terminal) -> None:
    [pack] = (work.folder / ".sopor" / "packs").glob("??/*")
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.write_bytes(data)
    report = work("sopor fsck --json", code=12).json
    assert any(pack.name[:10] in finding["what"] for finding in report["findings"])
    pack.unlink()
    assert work("sopor fsck --json", code=12).json["findings"]


def test_a_missing_key_of_a_local_project(work: Terminal) -> None:
    (work.folder / ".sopor" / "project.key").unlink()
    work.replace("work.json", '"name": "req_1"', '"name": "changed"')
    error = work("sopor commit -m x --json", code=12).error
    assert "project.key" in error["message"]
    assert "backup" in error["hint"]


def test_a_store_of_a_newer_version(work: Terminal) -> None:
    connection = sqlite3.connect(work.folder / ".sopor" / "sopor.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert work("sopor status --json", code=12).error["hint"] == "upgrade sopor"


def test_a_server_that_is_down(terminal: Terminal, tmp_path: Path) -> None:
    terminal.environment["SOPOR_PASSWORD_FILE"] = str(terminal.write("password", "long enough\n"))
    error = terminal(
        f"sopor register ada --server http://127.0.0.1:9 --kit {tmp_path}/kit --json", code=8
    ).error
    assert error["code"] == "server-unreachable"
    assert "sopor serve" in error["hint"]
    assert not (tmp_path / "kit").exists() or "127.0.0.1:9" in (tmp_path / "kit").read_text()


def test_pushing_without_an_account(work: Terminal) -> None:
    error = work("sopor push --json", code=6).error
    assert error["code"] == "not-logged-in"
    assert "sopor login" in error["hint"]
