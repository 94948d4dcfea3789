"""One person, one folder, no server: init, status, commit, diff, log, show, restore, fsck."""

from __future__ import annotations

import json
import re

from tests.support.terminal import Terminal

LIST_PETS = "req_1d7a5c2b8e6f4a63a7b9e2f4d6c8a002"
ID = re.compile(r"[0-9a-f]{64}")


def test_from_an_empty_folder_to_a_first_commit(terminal: Terminal, pets_yaml: str) -> None:
    terminal.write("petstore.yaml", pets_yaml)
    answer = terminal("sopor init --name 'Pet store' -b trunk")
    assert answer.out == f"Started project Pet store in {terminal.folder}\n"
    assert "sopor status" in answer.err

    answer = terminal("sopor status")
    assert answer.lines[:2] == ["On branch trunk", "No commits yet"]
    assert 'added:     request "List pets"  petstore.yaml' in answer.lines
    assert "sopor commit" in answer.err

    answer = terminal("sopor commit -m 'Import the pet store' -m 'From Insomnia.'")
    assert re.fullmatch(r"\[trunk [0-9a-f]{10}\] Import the pet store", answer.lines[0])
    assert answer.lines[1] == "7 documents changed: 7 added"

    assert terminal("sopor status").lines == [
        "On branch trunk",
        "nothing to commit, working copy clean",
    ]
    assert terminal("sopor status --short").out == ""


def test_what_init_and_status_tell_a_program(terminal: Terminal, pets_yaml: str) -> None:
    terminal.write("petstore.yaml", pets_yaml)
    made = terminal("sopor init pets --json").json
    assert made["root"] == str(terminal.folder / "pets")
    assert (made["name"], made["branch"], made["head"]) == ("pets", "main", None)
    assert re.fullmatch(r"[0-9a-f]{32}", made["project"])
    (terminal.folder / "petstore.yaml").rename(terminal.folder / "pets" / "petstore.yaml")

    status = terminal.at("pets")("sopor --json status").json
    assert (status["project"], status["head"], status["merge"]) == (made["project"], None, None)
    names = {change["name"]: change for change in status["changes"]}
    assert names["List pets"] == {
        "kind": "added",
        "id": LIST_PETS,
        "type": "request",
        "name": "List pets",
        "file": "petstore.yaml",
    }


def test_commands_need_a_working_copy(terminal: Terminal) -> None:
    answer = terminal("sopor status", code=3)
    assert answer.err == (
        f"error: {terminal.folder} is not in a working copy\n"
        "hint: run `sopor init` to start one here, or `sopor clone` to get one\n"
    )
    assert terminal("sopor log --json", code=3).error["code"] == "not-found"
    terminal("sopor init")
    assert terminal("sopor init", code=4).err.startswith("error: ")


def test_working_from_elsewhere_with_c(pets: Terminal) -> None:
    outside = pets.at("..")
    assert outside("sopor -C work status").lines[0] == "On branch main"
    assert outside("sopor -C .. -C nowhere status", code=3).err.startswith("error: cannot go to")
    assert outside("sopor -C nowhere --json status", code=3).error["exit_code"] == 3
    assert outside("sopor --json -C nowhere status", code=3).error["exit_code"] == 3


def test_a_change_from_diff_to_show(pets: Terminal) -> None:
    pets.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    assert pets("sopor status --short").lines == [
        f'M {LIST_PETS} request "List pets"  petstore.yaml'
    ]
    assert pets("sopor diff").lines == [
        f'modified request "List pets" {LIST_PETS}  petstore.yaml',
        'parameters[limit].value: "10" -> "25"',
    ]
    assert pets("sopor diff --stat").lines == [
        'modified:  request "List pets"  petstore.yaml',
        "1 document changed: 1 modified",
    ]
    assert pets("sopor commit -m 'List more'").lines[1] == "1 document changed: 1 modified"
    shown = pets("sopor show").lines
    assert re.fullmatch(r"commit [0-9a-f]{64} \(HEAD -> main\)", shown[0])
    assert shown[1].startswith("Author: ")
    assert re.fullmatch(r"Date:   \w{3} \w{3} \d\d \d\d:\d\d:\d\d \d{4} \+0000", shown[2])
    assert "List more" in shown
    assert shown[-1] == 'parameters[limit].value: "10" -> "25"'
    assert pets("sopor diff HEAD~1 HEAD").lines == pets("sopor diff HEAD~1..").lines
    assert pets("sopor diff").out == ""


def test_diffs_and_commits_for_programs(pets: Terminal) -> None:
    pets.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    (diff,) = pets("sopor diff --json").json
    assert diff["change"]["id"] == LIST_PETS
    assert diff["fields"] == [
        {
            "path": "parameters[limit].value",
            "kind": "changed",
            "before": "10",
            "after": "25",
        }
    ]
    (change,) = pets("sopor diff --stat --json").json
    assert change == diff["change"]
    made = pets("sopor commit -m 'List more' --json").json
    assert made["changes"][0]["kind"] == "modified"
    newest, oldest = pets("sopor log --json").json
    assert newest == made["commit"] | {"branches": ["main"]}
    assert newest["parents"] == [oldest["id"]]
    assert ID.fullmatch(newest["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", newest["time"])
    assert (newest["message"], newest["published"]) == ("List more", False)
    shown = pets("sopor show --json").json
    assert shown["commit"] == newest
    assert shown["changes"][0]["name"] == "List pets"
    assert shown["diff"][0]["fields"] == diff["fields"]
    assert "diff" not in pets("sopor show --stat --json").json


def test_chosen_documents_are_committed_alone(pets: Terminal) -> None:
    pets.replace("petstore.yaml", "name: Add a pet", "name: Adopt a pet")
    pets.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    assert pets("sopor commit -m 'Only the list' 'List pets'").lines[1].startswith("1 document")
    assert pets("sopor status -s").out.count("\n") == 1
    assert pets("sopor commit -m 'By file' ./petstore.yaml").lines[1].startswith("1 document")
    answer = pets("sopor commit -m 'Again' 'List pets'", code=3)
    assert "no changed document 'List pets'" in answer.err
    assert "nothing to commit" in pets("sopor commit -m Nothing", code=4).err
    pets("sopor commit -m Nothing --allow-empty")


def test_paths_are_those_of_the_shell(pets: Terminal) -> None:
    (pets.folder / "below").mkdir()
    below = pets.at("below")
    pets.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    assert below("sopor diff ../petstore.yaml").lines[0].startswith("modified request")
    assert "is a folder" in below("sopor restore .", code=9).err
    assert below("sopor restore ..").lines[-1] == "1 document changed: 1 modified"
    assert below("sopor status -s").out == ""


def test_the_log_in_its_forms(pets: Terminal) -> None:
    for number in range(3):
        pets(f"sopor commit --allow-empty -m 'Step {number}' -m 'In full.'")
    lines = pets("sopor log").lines
    assert len(lines) == 4
    assert re.fullmatch(
        r"[0-9a-f]{10} \d{4}-\d\d-\d\d \d\d:\d\d \S+ \(HEAD -> main\) Step 2", lines[0]
    )
    assert re.fullmatch(r"[0-9a-f]{10} Step 1", pets("sopor log --oneline").lines[1])
    assert pets("sopor log -n 2").lines == lines[:2]
    assert [line.split(maxsplit=4)[-1] for line in pets("sopor log HEAD~2 -n1").lines] == ["Step 0"]
    full = pets("sopor log --full -n 1").out.splitlines()
    assert full[4:] == ["    Step 2", "", "    In full.", ""]
    graph = pets("sopor log --graph").lines
    assert [line[:2] for line in graph] == ["* "] * 4
    assert [line[2:] for line in graph] == lines


def test_the_log_of_one_document(pets: Terminal) -> None:
    pets.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    pets("sopor commit -m 'List more'")
    pets("sopor commit --allow-empty -m 'Nothing'")
    subjects = [commit["message"] for commit in pets("sopor log --json 'List pets'").json]
    assert subjects == ["List more", "Import the pet store"]
    assert pets(f"sopor log --json HEAD~1 -- {LIST_PETS}").json[0]["message"] == "List more"
    assert "no document 'Nobody'" in pets("sopor log Nobody", code=3).err
    pets("sopor log -- 'List pets' 'Add a pet'", code=2)


def test_what_follows_two_dashes_is_a_document(pets: Terminal) -> None:
    pets.replace("petstore.yaml", "name: List pets", "name: main")
    pets("sopor commit -m 'Confuse everybody'")
    assert len(pets("sopor log main").lines) == 2
    assert len(pets("sopor log -- main").lines) == 2
    assert len(pets("sopor log HEAD -- main").lines) == 2
    document = pets("sopor show HEAD -- main").json
    assert document["_id"] == LIST_PETS
    pets.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    assert pets("sopor diff -- main").lines[-1] == 'parameters[limit].value: "10" -> "25"'


def test_a_document_as_it_was(pets: Terminal) -> None:
    pets.replace("petstore.yaml", "name: List pets", "name: List all pets")
    pets("sopor commit -m 'Say all'")
    assert pets("sopor show HEAD 'List all pets'").json["name"] == "List all pets"
    assert pets("sopor show HEAD~1 'List pets'").json["name"] == "List pets"
    assert "no document" in pets("sopor show HEAD 'List pets'", code=3).err
    assert pets("sopor show nonsense", code=3).err.startswith("error: ")


def test_restoring_documents(pets: Terminal) -> None:
    before = pets.read("petstore.yaml")
    pets.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    assert pets("sopor restore 'List pets'").lines == [
        'modified:  request "List pets"  petstore.yaml',
        "1 document changed: 1 modified",
    ]
    assert pets.read("petstore.yaml") == before
    pets.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    pets("sopor commit -m 'List more'")
    (change,) = pets("sopor restore --source HEAD~1 petstore.yaml --json").json
    assert change["id"] == LIST_PETS
    assert pets.read("petstore.yaml") == before
    assert pets("sopor restore .").lines[-1] == "1 document changed: 1 modified"
    assert 'value: "25"' in pets.read("petstore.yaml")
    pets("sopor restore", code=2)


def test_messages_from_files_stdin_and_an_editor(pets: Terminal) -> None:
    pets.write("message.txt", "\nFrom a file  \n\nWith a body.\n\n")
    pets("sopor commit --allow-empty -F message.txt")
    pets("sopor commit --allow-empty -F -", stdin="From stdin\n")
    editor = pets.write("editor.sh", 'echo "From the editor" >"$1.new"; mv "$1.new" "$1"\n')
    pets("sopor commit --allow-empty", env={"EDITOR": f"sh {editor}"})
    pets("sopor config editor 'no such editor'")
    pets("sopor commit --allow-empty", env={"EDITOR": "true"}, code=9)
    pets("sopor config --unset editor")
    messages = [commit["message"] for commit in pets("sopor log --json -n 3").json]
    assert messages == ["From the editor", "From stdin", "From a file\n\nWith a body."]
    assert not list((pets.folder / ".sopor").glob("COMMIT*"))


def test_the_editor_shows_what_a_commit_takes(pets: Terminal) -> None:
    pets.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    copy = pets.folder / "shown.txt"
    editor = pets.write("editor.sh", f'cp "$1" {copy}\n')
    answer = pets("sopor commit", env={"EDITOR": f"sh {editor}"}, code=9)
    assert "the message is empty" in answer.err
    assert '#         modified:  request "List pets"  petstore.yaml' in copy.read_text()
    assert pets("sopor status -s").out != ""


def test_a_message_is_kept_if_its_commit_fails(pets: Terminal) -> None:
    pets.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    break_it = f"echo Written >$1; echo ': broken: [' >> {pets.folder}/petstore.yaml"
    editor = pets.write("editor.sh", break_it)
    pets("sopor commit", env={"EDITOR": f"sh {editor}"}, code=9)
    kept = (pets.folder / ".sopor" / "COMMIT_MESSAGE").read_text()
    assert kept == "Written\n"


def test_messages_that_are_none(pets: Terminal) -> None:
    pets("sopor commit --allow-empty -m ''", code=9)
    pets("sopor commit --allow-empty -F nowhere.txt", code=9)
    assert "needs a message" in pets("sopor commit --allow-empty", code=13).err
    assert "needs a message" in pets("sopor commit --no-input --allow-empty", code=13).err
    pets("sopor commit --allow-empty --no-input", env={"EDITOR": "false"}, code=13)
    answer = pets("sopor commit --allow-empty", env={"EDITOR": "false"}, code=9)
    assert "failed with 1" in answer.err
    pets("sopor commit --allow-empty -F - --password-stdin", code=2)


def test_a_broken_file_is_named_with_its_line(pets: Terminal) -> None:
    good = pets.read("petstore.yaml")
    pets.write("petstore.yaml", good + "\n: [broken\n")
    for command in ("sopor status", "sopor diff", "sopor commit -m x"):
        error = pets(f"{command} --json", code=9).error
        assert re.search(r"petstore\.yaml:\d+", error["message"])
    pets.write("petstore.yaml", good)
    assert pets("sopor status -s").out == ""


def test_settings(pets: Terminal) -> None:
    assert pets("sopor config").out == ""
    assert "user.name is not set" in pets("sopor config user.name", code=3).err
    pets("sopor config --global user.name Ada")
    pets("sopor config user.name 'Ada Lovelace'")
    assert pets("sopor config user.name").out == "Ada Lovelace\n"
    assert pets("sopor config --global user.name").out == "Ada\n"
    assert pets("sopor config user.name --json").json == {
        "name": "user.name",
        "value": "Ada Lovelace",
    }
    assert pets("sopor config --list").out == "user.name = Ada Lovelace\n"
    pets("sopor commit --allow-empty -m Signed")
    assert pets("sopor log -n1 --json").json[0]["author"] == "Ada Lovelace"
    pets("sopor config --unset user.name")
    outside = pets.at("..")
    assert outside("sopor config --json").json == {"user.name": "Ada"}
    assert "--global" in outside("sopor config user.name Eve", code=3).err
    assert "no setting" in pets("sopor config colour green", code=9).err
    assert set(pets("sopor config --known --json").json) >= {"user.name", "server", "editor"}


def test_everything_is_checked(pets: Terminal) -> None:
    assert pets("sopor fsck").lines[-1] == "Nothing is wrong"
    (pack,) = (pets.folder / ".sopor").glob("packs/*/*")
    data = bytearray(pack.read_bytes())
    data[-1] ^= 1
    pack.chmod(0o600)
    pack.write_bytes(data)
    answer = pets("sopor fsck", code=12)
    assert "wrong: pack" in answer.out
    assert "found wrong" in answer.err
    answer = pets("sopor fsck --json", code=12)
    assert json.loads(answer.err)["error"]["code"] == "damaged-store"
    assert answer.json["findings"][0]["what"].startswith("pack")
