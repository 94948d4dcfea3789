"""`sopor doctor` finds what is wrong, and `sopor bug-report` tells of it without a secret."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from sopor.diagnosis import checks as registry
from sopor.diagnosis.checks import Check, Teller
from sopor.diagnosis.groups import clock, disk
from sopor.diagnosis.groups import server as servers
from sopor.diagnosis.scope import Scope
from sopor.keystore import Keystore, NoPasswords
from sopor.repository import Repository
from sopor.repository.journal import Move, write_move
from sopor_core.ids import CommitId
from tests.support.canaries import Needles
from tests.support.people import Person, start
from tests.support.server import RunningServer
from tests.support.terminal import Answer, Terminal

CANARY = "zanzibarquail"


def found(answer: Answer) -> dict[str, dict[str, Any]]:
    """Returns the checks by group and name."""
    return {f"{check['group']}.{check['name']}": check for check in answer.json["checks"]}


def test_all_is_well_offline(pets: Terminal) -> None:
    shown = pets("sopor doctor --offline")
    assert shown.lines[-1] == "All is well"
    assert "hint" not in shown.out
    checks = found(pets("sopor doctor --offline --json"))
    groups = {check["group"] for check in checks.values()}
    assert groups == set(registry.GROUPS) - registry.NEED_NETWORK
    assert checks["versions.cryptography"]["facts"]["version"]
    assert checks["project.branches"]["facts"] == {"branches": 1, "commits": 1, "lost": 0}
    assert checks["disk.working-copy-write"]["facts"]["writable"]
    assert {path.name for path in (pets.folder / ".sopor").iterdir()} >= {"sopor.db", "packs"}
    assert not list((pets.folder / ".sopor").glob(".doctor*"))


def test_what_a_working_copy_left_in_the_middle(pets: Terminal) -> None:
    packs = [path for path in (pets.folder / ".sopor" / "packs").rglob("*") if path.is_file()]
    with Repository.open(pets.folder) as repository:
        store = repository.context.store
        write_move(store, Move("main", CommitId(bytes(32))))
        store.settings.set(
            "merge", json.dumps({"theirs": None, "label": "x", "message": "", "conflicts": []})
        )
        (packs[0].parent / ("0" * 64)).touch()
        with store.exclusive():
            checks = found(pets("sopor doctor --offline --json"))
    for name in ("interrupted", "merge", "leftovers", "lock"):
        assert checks[f"project.{name}"]["level"] == "warning"
        assert checks[f"project.{name}"]["hint"]

    packs[0].write_bytes(b"short")
    shown = pets("sopor doctor --offline", code=1)
    assert "problem  project: packs missing: 0, of another size: 1" in shown.out
    assert "hint: run `sopor fsck`" in shown.out
    packs[0].unlink()
    assert found(pets("sopor doctor --offline --json", code=1))["project.packs"]["facts"]["missing"]
    (pets.folder / ".sopor" / "sopor.db").write_bytes(b"this is no database at all" * 100)
    checks = found(pets("sopor doctor --offline --json", code=1))
    assert checks["project.all"]["facts"] == {"error": "damaged-store"}
    assert "project.packs" not in checks


def test_a_project_and_its_server(tmp_path: Path, server: RunningServer) -> None:
    person = Person(tmp_path, server.url)
    pets = start(person.device("laptop"))
    shown = pets("sopor doctor")
    assert shown.lines[-1] == "All is well"
    checks = found(pets("sopor doctor --json"))
    assert checks["server.server-1-id"]["facts"] == {"known": True}
    assert checks["server.server-1-protocol"]["facts"] == {"low": 1, "high": 1}
    assert checks["pins.server"]["facts"] == {"here": 1, "there": 1}

    desktop = person.device("desktop")
    desktop("sopor clone petstore")
    theirs = desktop.at("petstore")
    theirs.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    theirs("sopor commit -m 'List more'")
    theirs("sopor push")
    checks = found(pets("sopor doctor --json"))
    assert checks["pins.server"]["facts"] == {"here": 1, "there": 2}
    home = Path(pets.environment["SOPOR_HOME"])
    home.chmod(0o755)
    with Repository.open(pets.folder, home=home) as repository, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{unused.getsockname()[1]}"
        repository.context.store.settings.set("server", dead)
        checks = found(pets("sopor doctor --json", code=1))
    assert checks["server.server-1"]["facts"] == {"error": "server-unreachable"}
    assert checks["keystore.folder"]["level"] == "problem", "nothing else protects the keys"
    assert "chmod" in checks["keystore.folder"]["hint"]


def scope_of(folder: Path) -> Scope:
    """Returns a scope on an empty device."""
    return Scope(folder, Keystore(folder / "keystore"), NoPasswords(), offline=True)


def levels(checks: list[Check]) -> dict[str, str]:
    """Returns the levels of checks by their names."""
    return {check.name: str(check.level) for check in checks}


def test_clocks(tmp_path: Path, pets: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert servers._clock(Teller("server"), "x", 100_000).level == "ok"
    behind = servers._clock(Teller("server"), "x", 3_600_000)
    assert (behind.level, behind.facts) == ("warning", {"seconds": 3600})
    assert "this clock is 3,600 seconds behind the server's" in behind.text
    assert "ahead of" in servers._clock(Teller("server"), "x", -3_600_000).text
    monkeypatch.setattr(clock, "now", lambda: 1000)
    assert levels(list(clock.checks(scope_of(tmp_path)))) == {"time": "problem"}


def test_a_folder_that_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keystore").mkdir(mode=0o700)

    def refuse(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.fsync", refuse)
    monkeypatch.setattr(disk, "_TOO_LITTLE", 1 << 60)
    found_wrong = levels(list(disk.checks(scope_of(tmp_path))))
    assert found_wrong == {"keystore-room": "problem", "keystore-write": "problem"}
    assert list((tmp_path / "keystore").iterdir()) == []
    (tmp_path / "keystore" / "accounts").mkdir()
    (tmp_path / "keystore" / "accounts" / "x.json").write_text("{}")
    (wrong,) = registry._run("keystore", scope_of(tmp_path))
    assert wrong.level == "problem"
    assert "does not read back" in wrong.text


def test_a_check_that_fails_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: 1 // 0)
    (wrong,) = registry._run("clock", scope_of(tmp_path))
    assert (wrong.level, wrong.facts) == ("problem", {"error": "ZeroDivisionError"})


def test_a_bug_report_holds_no_secret(tmp_path: Path, server: RunningServer) -> None:
    words = iter(f"{CANARY}{number:03}" for number in range(100))
    secrets: dict[str, str] = {}

    def word(what: str) -> str:
        secrets[what] = next(words)
        return secrets[what]

    person = Person(
        tmp_path / word("folder"),
        server.url,
        f"{word('login')}@example.com",
        f"{word('password')} horse",
    )
    laptop = person.device(word("device"))
    pets = start(laptop, word("project"))
    pets.replace("petstore.yaml", "List pets", word("document"))
    pets.replace("petstore.yaml", 'value: "10"', f'value: "Bearer {word("token in a document")}"')
    pets(f"sopor config user.name {word('author')}")
    pets(f"sopor config editor {word('editor')}")
    pets(f"sopor config --global server https://{word('other server')}.example.com")
    pets(f"sopor commit -m {word('message')}")
    pets(f"sopor switch -c {word('branch')}")
    pets("sopor push")
    laptop(f"sopor org create {word('organization')}")
    pets.write(f"{word('file')}.yaml", f"type: {word('text of a broken file')}: [")
    home = Path(pets.environment["SOPOR_HOME"])
    environment = {
        "SOPOR_PASSWORD": word("variable with a password"),
        f"SOPOR_{word('name of a variable').upper()}": "1",
        "HTTPS_PROXY": f"http://user:{word('password of a proxy')}@{word('proxy')}:3128",
        "SOPOR_SERVER": f"https://x.example.com/?token={word('token in an address')}",
        "NO_PROXY": "127.0.0.1",
        "EDITOR": word("editor of the system"),
    }
    pets(f"sopor show {word('a revision that is not there')}", code=3, env=environment)
    failed = pets(f"sopor clone {word('a clone that fails')} --server http://127.0.0.1:1", code=6)
    assert failed.err

    told = pets("sopor bug-report --output report.txt", env=environment)
    assert told.out.startswith("Wrote report.txt")
    report = (pets.folder / "report.txt").read_bytes()
    assert (pets.folder / "report.txt").stat().st_mode & 0o777 == 0o600
    text = report.decode()
    for part in (
        "not-logged-in in `sopor clone`",
        "sopor.keystore.keystore:",
        "pins.server  here=",
        "documents at the head 7",
        "user.name is set",
        "HTTPS_PROXY is set",
        "3 other variables that begin with SOPOR_",
        "Not in here: keys",
    ):
        assert part in text, part

    needles = Needles()
    needles.add_texts(secrets | {"server": server.url, "home": str(tmp_path), "all": CANARY})
    with Repository.open(pets.folder, home=home) as repository:
        context = repository.context
        account = context.accounts.of(context.store)
        held = account.entry.secrets
        needles.add_secrets(
            {
                "project": bytes(context.project),
                "account": bytes(account.known.account),
                "device": bytes(account.device),
                "account secret": held.account_secret.reveal(),
                "refresh token": held.refresh_token.encode(),
                "key of the keystore": (home / "accounts")
                .joinpath(f"{account.known.account.hex()}.json")
                .read_bytes()[-200:],
            }
        )
    needles.add_texts({"kit": person.kit.read_text().splitlines()[-1]})
    assert needles.found_in({"report": report}) == []
    assert needles.found_in({"last error": (home / "last-error.json").read_bytes()}) == []
    # What is looked for is what is kept elsewhere.
    assert needles.found_in({"page": pets("sopor log").out.encode()})
    assert "exists" in pets("sopor bug-report -o report.txt --offline", code=9).err
    second = pets("sopor bug-report -o - --offline").out
    words_of = [
        line.split()[-1]
        for line in (text, second)
        for line in line.splitlines()
        if line.startswith("project of the working copy")
    ]
    assert len(set(words_of)) == 2, "nobody can compare reports by their ids"
