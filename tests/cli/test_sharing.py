"""Two devices and a server: accounts, push, pull, sync, clone; offline what needs no server."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.support.people import PETSTORE, Person, start
from tests.support.server import RunningServer, running_server
from tests.support.terminal import Terminal
from tests.support.world import PASSWORD


@pytest.fixture
def ada(tmp_path: Path, server: RunningServer) -> Person:
    """Somebody who has no account yet."""
    return Person(tmp_path, server.url)


def test_a_project_from_one_device_to_another(ada: Person) -> None:
    laptop = ada.device("laptop", typed=True)
    pets = laptop.at("petstore")
    pets.folder.mkdir()
    shutil.copy(PETSTORE, pets.folder / "petstore.yaml")
    pets("sopor init")
    pets("sopor commit -m 'Import the pet store'")
    assert pets("sopor push -n").lines[-1] == "would push 1 commit"
    answer = pets("sopor push")
    assert answer.lines[0] == "* [new branch]  main -> remote/main"
    assert re.fullmatch(r"1 commit, [\d,]+ bytes, entry 1", answer.lines[1])
    assert f"Created project petstore on {ada.url}" in answer.err
    assert pets("sopor push").out == "Everything up to date\n"
    assert pets("sopor status").lines[1] == "Your branch is up to date with 'remote/main'."

    desktop = ada.device("desktop", typed=True)
    (project,) = desktop("sopor projects --json").json
    assert desktop("sopor projects").out.startswith(f"petstore  {project['id'][:10]}  ")
    cloned = desktop("sopor clone petstore --json").json
    assert cloned["root"] == str(desktop.folder / "petstore")
    assert cloned["project"] == project["id"]
    assert cloned["head"] == pets("sopor log --json").json[0]["id"]
    theirs = desktop.at("petstore")
    assert theirs("sopor status -s").out == ""
    show = "sopor show HEAD 'List pets'"
    assert theirs(show).json == pets(show).json
    assert "this-machine" in pets.read("petstore.yaml"), "a private environment"
    assert "this-machine" not in theirs.read("petstore.yaml")
    assert "not empty" in desktop("sopor clone petstore", code=4).err
    assert "no project 'nobody'" in desktop("sopor clone nobody", code=3).err


def test_both_devices_change_something(ada: Person) -> None:
    pets = start(ada.device("laptop"))
    desktop = ada.device("desktop")
    desktop(f"sopor clone petstore other --server {ada.url} --account {ada.login}")
    theirs = desktop.at("other")
    theirs.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    theirs("sopor commit -m 'List more'")
    pushed = theirs("sopor push --json").json
    assert pushed["seq"] == 2
    assert pushed["branches"][0]["commits"] == 1

    pets.replace("petstore.yaml", "name: Add a pet", "name: Adopt a pet")
    pets("sopor commit -m 'Adopt'")
    answer = pets("sopor push", code=5)
    assert answer.err.startswith("error: main moved since your last pull (expected ")
    assert "`sopor sync` does both" in answer.err
    fetched = pets("sopor fetch")
    assert fetched.out == "Nothing new\n", "the refused push has brought it already"
    assert "have diverged, and have 1 and 1 different" in pets("sopor status").lines[1]
    branches = pets("sopor branch -a").lines
    assert "[ahead 1, behind 1]" in branches[0]
    assert branches[1].startswith("remote/main ")
    assert pets("sopor branch -r").lines == branches[1:]
    pulled = pets("sopor pull")
    assert re.fullmatch(r"Merged as [0-9a-f]{10}: 1 document changed", pulled.lines[0])
    assert pets("sopor sync").lines[0].endswith("main -> remote/main")

    assert theirs("sopor pull").lines[-1].startswith("Fast-forward to ")
    assert theirs("sopor pull --json").json["merge"]["kind"] == "up-to-date"
    assert theirs("sopor sync").out == "Already up to date.\n"
    assert "name: Adopt a pet" in theirs.read("petstore.yaml")
    assert theirs("sopor fsck").lines[-1] == "Nothing is wrong"


def test_a_sync_that_meets_a_conflict(ada: Person) -> None:
    pets = start(ada.device("laptop"))
    desktop = ada.device("desktop")
    desktop("sopor clone petstore")
    theirs = desktop.at("petstore")
    for terminal, value in ((pets, "20"), (theirs, "50")):
        terminal.replace("petstore.yaml", 'value: "10"', f'value: "{value}"')
        terminal(f"sopor commit -m 'List {value}'")
    pets("sopor sync")
    answer = theirs("sopor sync", code=4)
    assert answer.lines[0] == "Merging remote/main: 1 document in conflict"
    assert "sync again" in answer.err
    theirs("sopor resolve --all --ours")
    theirs("sopor commit -m 'Fifty'")
    theirs("sopor sync")
    pets("sopor sync")
    assert 'value: "50"' in pets.read("petstore.yaml")


def test_a_server_that_lost_nothing_needs_no_repair(ada: Person) -> None:
    pets = start(ada.device("laptop"))
    assert pets("sopor repair").out == "The server has everything\n"
    assert pets("sopor repair --json").json == {"entries": 0, "membership_entries": 0}


def test_branches_on_the_server(ada: Person) -> None:
    pets = start(ada.device("laptop"))
    pets("sopor switch -c next")
    pets("sopor commit --allow-empty -m Next")
    pets("sopor push next --upto HEAD~1")
    assert "[ahead 1]" in pets("sopor branch").out
    pets("sopor push --all")
    desktop = ada.device("desktop")
    desktop("sopor clone petstore -b next")
    theirs = desktop.at("petstore")
    assert theirs("sopor status").lines[0] == "On branch next"
    assert theirs("sopor switch main").out == "Switched to branch main\n"
    assert theirs("sopor branch --delete-remote next").lines[0] == "- [deleted]     remote/next"
    assert pets("sopor fetch").lines[0] == "- [deleted]     remote/next"
    assert "no branch 'next'" in theirs("sopor branch --delete-remote next", code=3).err


def test_offline_everything_but_sharing_works(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        pets = start(Person(tmp_path, server.url).device("laptop"))
    pets.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    pets("sopor diff")
    pets("sopor commit -m 'List more'")
    pets("sopor switch -c next")
    pets("sopor revert HEAD")
    pets("sopor merge main")
    pets("sopor log --graph --all")
    pets("sopor fsck")
    for command in ("push", "sync", "projects"):
        assert pets(f"sopor {command} --json", code=8).error["code"] == "server-unreachable"
    answer = pets("sopor logout")
    assert "sopor devices revoke" in answer.err


def starred(terminal: Terminal) -> set[str]:
    """Returns the accounts that are meant where none is named."""
    lines = terminal("sopor whoami").out.splitlines()
    assert len(lines) == 2
    return {line.split()[1] for line in lines if line.startswith("* ")}


def test_who_and_where(ada: Person) -> None:
    laptop = ada.device("laptop")
    (account,) = laptop("sopor whoami --json").json
    assert (account["login"], account["server"]) == (ada.login, ada.url)
    assert (account["device_name"], account["protection"]) == ("laptop", "file")
    assert laptop("sopor whoami").out.startswith(f"* {ada.login} at {ada.url}  device laptop ")
    other = Person(ada.root / "other", ada.url)
    other.root.mkdir()
    laptop(f"sopor register {other.login} --server {ada.url} --kit {other.kit} --keystore file")
    assert starred(laptop) == {ada.login}
    laptop(f"sopor whoami --use {other.login}")
    assert starred(laptop) == {other.login}
    laptop(f"sopor logout --forget --account {other.login}")
    assert len(laptop("sopor whoami --json").json) == 1


def test_devices_are_listed_and_revoked(ada: Person) -> None:
    laptop, desktop = ada.device("laptop"), ada.device("desktop")
    devices = laptop("sopor devices --json").json
    assert [device["name"] for device in devices] == ["laptop", "desktop"]
    assert all(re.fullmatch(r"\d{4}-.*T.*\.\d{3}Z", device["last_used"]) for device in devices)
    assert re.fullmatch(
        r"\* [0-9a-f]{10}  laptop   last used \d{4}-\d\d-\d\d \d\d:\d\d",
        laptop("sopor devices list").lines[0],
    )
    revoked = laptop("sopor devices revoke desktop --json").json["revoked"]
    assert revoked == [devices[1]["id"]]
    assert desktop("sopor devices --json", code=6).error["code"] == "session-expired"
    assert laptop("sopor devices revoke --others").out == "There is no other device\n"
    laptop("sopor devices revoke", code=2)
    laptop("sopor devices revoke nobody", code=3)
    assert laptop("sopor logout").out == f"Logged out {ada.login} at {ada.url}\n"
    assert "sopor login" in laptop("sopor devices", code=6).err
    assert laptop("sopor whoami --json", code=6).error["code"] == "not-logged-in"


def test_logging_in_without_a_kit_or_with_a_wrong_password(ada: Person) -> None:
    laptop = ada.device("laptop")
    laptop("sopor logout")
    secret = re.search(r"SK1-\S+", ada.kit.read_text())
    assert secret
    key = laptop.write("key.txt", f"{secret[0]}\n")
    command = f"sopor login {ada.login} --server {ada.url} --keystore file"
    assert "SOPOR_SECRET_KEY_FILE" in laptop(command, code=13).err
    wrong = laptop.write("wrong.txt", "not this one\n")
    answer = laptop(
        command, env={"SOPOR_SECRET_KEY_FILE": str(key), "SOPOR_PASSWORD_FILE": str(wrong)}, code=6
    )
    assert "not this one" not in answer.err
    answer = laptop(command, env={"SOPOR_SECRET_KEY_FILE": str(key)})
    assert answer.out == f"Logged in as {ada.login} at {ada.url}\n"
    assert "for the first time" in answer.err
    laptop("sopor logout --forget")
    laptop(command, env={"SOPOR_SECRET_KEY_FILE": str(ada.kit)})
    laptop("sopor login")  # knows the account by now
    nobody = command.replace(ada.login, "nobody@example.com")
    laptop(nobody, env={"SOPOR_SECRET_KEY_FILE": str(key)}, code=6)


def test_the_password_is_changed_and_forgotten(ada: Person) -> None:
    laptop = ada.device("laptop")
    first, second = f"{PASSWORD}\n", "a better one than that\n"
    answer = laptop("sopor passwd --password-stdin", stdin=first + second)
    assert answer.out == f"Changed the password of {ada.login}\n"
    laptop("sopor passwd --password-stdin", stdin=first + second, code=6)
    assert "SOPOR_NEW_PASSWORD_FILE" in laptop("sopor passwd", code=13).err
    assert "no line" in laptop("sopor passwd --password-stdin", stdin=second, code=13).err

    ada.password = second.strip()
    ada.device("desktop")
    new_kit = ada.root / "new-kit.txt"
    recover = f"sopor recover --kit {ada.kit} --new-kit {new_kit} --keystore file"
    third = laptop.write("third.txt", "the third and last one")
    answer = laptop(
        f"{recover} --revoke-others --json", env={"SOPOR_NEW_PASSWORD_FILE": str(third)}
    )
    assert answer.json["login"] == ada.login
    assert answer.json["kit"] == str(new_kit)
    assert len(answer.json["revoked"]) == 1
    assert "SK1-" not in answer.out + answer.err
    password = {"SOPOR_PASSWORD_FILE": str(third)}
    laptop(f"sopor login --kit {new_kit}", env=password)
    assert laptop(f"sopor login --kit {ada.kit}", env=password, code=6).out == ""
    fourth = "the fourth, in case\n"
    other = ada.root / "other-kit.txt"
    laptop(
        f"sopor recover {ada.login} --password-stdin --new-kit {other}",
        stdin=fourth,
        env={"SOPOR_RECOVERY_KEY_FILE": str(new_kit)},
    )


def test_what_register_refuses(ada: Person, terminal: Terminal) -> None:
    command = f"sopor register {ada.login} --server {ada.url}"
    assert "nobody can be asked" in terminal(command, code=13).err
    assert "fewer than 8" in terminal(f"{command} --password-stdin", stdin="short\n", code=9).err
    stdin = f"{PASSWORD}\n"
    plain = f"sopor register {ada.login} --server http://example.com --password-stdin"
    assert "without encryption" in terminal(plain, stdin=stdin, code=9).err
    nowhere = f"sopor register {ada.login} --password-stdin"
    assert "--server" in terminal(nowhere, stdin=stdin, code=9).err
    terminal(f"{command} --password-stdin --keystore file", stdin=stdin)
    assert re.findall("[SR]K1", terminal.read("sopor-recovery-kit.txt")) == ["SK1", "RK1"]
    taken = f"{command} --password-stdin --kit other.txt"
    env = {"SOPOR_HOME": str(terminal.folder / "other")}
    assert terminal(taken, stdin=stdin, env=env, code=4).err.startswith("error: ")
    assert not (terminal.folder / "other.txt").exists()
    lost = f"sopor register {ada.login} --server http://127.0.0.1:1 --password-stdin --kit x.txt"
    terminal(lost, stdin=stdin, code=8)
