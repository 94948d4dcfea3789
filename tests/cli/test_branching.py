"""Branches, merges, conflicts, reverts: what happens between two lines of work on one machine."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.terminal import Terminal

LIST_PETS = "req_1d7a5c2b8e6f4a63a7b9e2f4d6c8a002"
LIMIT = "parameters[limit].value"


def test_branches_are_listed_created_renamed_and_deleted(pets: Terminal) -> None:
    pets("sopor commit --allow-empty -m Second")
    assert pets("sopor branch next").out.startswith("Created branch next at ")
    pets("sopor branch first HEAD~1")
    lines = pets("sopor branch").lines
    assert [line.split()[:2][line.startswith("*")] for line in lines] == ["first", "main", "next"]
    assert re.fullmatch(r"\* main  [0-9a-f]{10} Second", lines[1])
    branches = {branch["name"]: branch for branch in pets("sopor branch --json").json}
    assert branches["main"]["current"]
    assert branches["main"]["head"] == branches["next"]["head"] != branches["first"]["head"]

    assert pets("sopor branch -m first oldest").out == "Renamed branch first to oldest\n"
    assert pets("sopor branch -d oldest next").out.count("Deleted branch") == 2
    assert len(pets("sopor branch").lines) == 1
    assert pets("sopor branch -m trunk").out == "Renamed branch main to trunk\n"
    assert pets("sopor status").lines[0] == "On branch trunk"


def test_what_branch_refuses(pets: Terminal) -> None:
    assert "exists already" in pets("sopor branch main", code=4).err
    assert "not a branch name" in pets("sopor branch 'a b'", code=9).err
    assert "current one" in pets("sopor branch -d main", code=4).err
    pets("sopor branch -d nobody", code=3)
    pets("sopor switch -c next")
    pets("sopor commit --allow-empty -m 'Only here'")
    pets("sopor switch main")
    assert "sopor branch -D" in pets("sopor branch -d next", code=4).err
    (deleted,) = pets("sopor branch -D next --json").json
    assert deleted["name"] == "next"
    assert re.fullmatch("[0-9a-f]{64}", deleted["head"])
    for wrong in ("-a main", "-d", "-m", "-m a b c", "a b c", "--delete-remote"):
        pets(f"sopor branch {wrong}", code=2)


def test_switching_takes_files_and_edits_along(pets: Terminal) -> None:
    assert pets("sopor switch -c next").out == "Switched to a new branch next\n"
    pets.replace("petstore.yaml", "name: Add a pet", "name: Adopt a pet")
    pets("sopor commit -m 'Adopt, do not shop'")
    answer = pets("sopor switch main --json").json
    assert (answer["branch"], answer["changes"][0]["name"]) == ("main", "Add a pet")
    assert "name: Add a pet" in pets.read("petstore.yaml")

    pets.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    assert pets("sopor switch next").lines == [
        "Switched to branch next",
        "1 document changed: 1 modified",
    ]
    assert pets("sopor status -s").out.startswith(f"M {LIST_PETS}")
    pets.replace("petstore.yaml", "name: Adopt a pet", "name: Buy a pet")
    assert "uncommitted changes are in the way" in pets("sopor switch main", code=4).err
    assert "name: Buy a pet" in pets.read("petstore.yaml")
    assert "sopor switch -c" in pets("sopor switch nowhere", code=3).err


def test_a_merge_and_its_graph(pets: Terminal) -> None:
    pets("sopor switch -c next")
    pets.replace("petstore.yaml", "name: Add a pet", "name: Adopt a pet")
    pets("sopor commit -m 'Adopt'")
    pets("sopor switch main")
    pets.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    pets("sopor commit -m 'List more'")

    answer = pets("sopor merge next -m 'Take both'")
    assert re.fullmatch(r"Merged as [0-9a-f]{10}: 1 document changed\n", answer.out)
    assert pets("sopor merge next").out == "Already up to date.\n"
    graph = pets("sopor log --graph --oneline").lines
    assert [re.sub(r" [0-9a-f]{10}( \(.*\))?", "", line) for line in graph] == [
        "* Take both",
        "|\\",
        "* | List more",
        "| * Adopt",
        "|/",
        "* Import the pet store",
    ]
    shown = pets("sopor log --graph --full").out.splitlines()
    assert shown[1].startswith("| Merge: ")
    assert all(line == line.rstrip() for line in shown)
    pets("sopor switch next")
    outcome = pets("sopor merge main --json").json
    assert outcome["kind"] == "fast-forward"
    assert outcome["head"] == pets("sopor log -n1 --json").json[0]["id"]


@pytest.fixture
def conflict(pets: Terminal) -> Terminal:
    """A terminal where a merge stopped: main lists 20 pets, next 50 under another name."""
    pets("sopor switch -c next")
    pets.replace("petstore.yaml", 'value: "10"', 'value: "50"')
    pets.replace("petstore.yaml", "name: List pets", "name: List many pets")
    pets("sopor commit -m 'List 50'")
    pets("sopor switch main")
    pets.replace("petstore.yaml", 'value: "10"', 'value: "20"')
    pets("sopor commit -m 'List 20'")
    answer = pets("sopor merge next", code=4)
    assert answer.lines[0] == "1 document in conflict:"
    assert answer.lines[2] == LIMIT
    assert "error: 1 document in conflict" in answer.err
    assert "sopor resolve" in answer.err
    return pets


def value_of_limit(terminal: Terminal) -> str:
    """Returns what the working file has where the two sides differ."""
    found = re.search(r'value: "(\d+)"', terminal.read("petstore.yaml"))
    assert found
    return found[1]


def test_a_conflict_from_merge_to_commit(conflict: Terminal) -> None:
    status = conflict("sopor status").lines
    assert "Merging next: 1 document in conflict" in status
    assert LIMIT in status
    assert conflict("sopor status -s").out.startswith(f"U {LIST_PETS} request")
    assert conflict("sopor resolve").lines[0] == "Merging next: 1 document in conflict"
    assert conflict(f"sopor resolve {LIST_PETS}").lines[1:] == [
        LIMIT,
        'base:   "10"',
        'ours:   "20"',
        'theirs: "50"',
    ]
    assert "still in conflict" in conflict("sopor commit -m Early", code=4).err
    assert "still in conflict" in conflict("sopor commit", env={"EDITOR": "true"}, code=4).err
    answer = conflict("sopor resolve --all --theirs")
    assert answer.lines[0].startswith("resolved: request")
    assert "sopor commit" in answer.err
    assert value_of_limit(conflict) == "50"
    assert "name: List many pets" in conflict.read("petstore.yaml")
    assert "Merge next into main" in conflict("sopor commit", env={"EDITOR": "true"}).out
    assert len(conflict("sopor log -n1 --json").json[0]["parents"]) == 2


def test_a_conflict_for_programs(conflict: Terminal) -> None:
    merge = conflict("sopor resolve --json").json
    assert merge == conflict("sopor status --json").json["merge"]
    assert (merge["label"], len(merge["theirs"])) == ("next", 64)
    assert merge["conflicts"][0]["fields"] == [LIMIT]
    (shown,) = conflict(f"sopor resolve {LIST_PETS} --json").json
    assert shown["base"]["parameters"][0]["value"] == "10"
    assert shown["merged"]["name"] == "List many pets"
    (settled,) = conflict(f"sopor resolve {LIST_PETS} --ours --field '{LIMIT}' --json").json
    assert settled["resolved"]
    made = conflict("sopor merge --continue --json").json
    assert made["commit"]["message"] == "Merge next into main"
    assert conflict("sopor resolve --json", code=4).error["code"] == "state-conflict"


def test_a_merge_that_stops_tells_programs_twice(conflict: Terminal) -> None:
    assert conflict("sopor merge --abort --json").json == {"aborted": True}
    answer = conflict("sopor merge next --json", code=4)
    assert answer.json["kind"] == "conflicts"
    assert answer.json["conflicts"][0]["id"] == LIST_PETS
    assert answer.error["code"] == "merge-conflicts"


def test_settling_by_hand_in_the_editor(conflict: Terminal) -> None:
    copy = conflict.folder / "shown.txt"
    editor = conflict.write("editor.sh", f'cp "$1" {copy}\nperl -pi -e \'s/"20"/"35"/\' "$1"\n')
    conflict(f"sopor resolve {LIST_PETS} --edit", env={"EDITOR": f"sh {editor}"})
    shown = copy.read_text().splitlines()
    assert shown[1] == f"#   {LIMIT}"
    body = json.loads("\n".join(line for line in shown if not line.startswith("#")))
    assert body["name"] == "List many pets", "what merged is there already"
    assert value_of_limit(conflict) == "35"
    conflict("sopor merge --continue -m 'In the middle'")
    assert conflict("sopor status -s").out == ""


def test_an_edit_that_is_no_document_settles_nothing(conflict: Terminal) -> None:
    editor = conflict.write("editor.sh", 'echo "{" > "$1"\n')
    answer = conflict(f"sopor resolve {LIST_PETS} --edit", env={"EDITOR": f"sh {editor}"}, code=9)
    assert "is not JSON" in answer.err
    assert not conflict("sopor resolve --json").json["conflicts"][0]["resolved"]
    assert "an editor is needed" in conflict(f"sopor resolve {LIST_PETS} --edit", code=13).err


def test_settling_one_field_in_the_editor(conflict: Terminal) -> None:
    copy = conflict.folder / "shown.txt"
    editor = conflict.write("editor.sh", f'cp "$1" {copy}\necho \'"44"\' > "$1"\n')
    call = f"sopor resolve {LIST_PETS} --edit --field '{LIMIT}'"
    assert conflict(call, env={"EDITOR": f"sh {editor}"}).lines[0].startswith("resolved")
    assert copy.read_text().splitlines()[1:] == ['"20"']
    assert value_of_limit(conflict) == "44"
    conflict("sopor merge --continue")


def test_both_of_two_descriptions_and_never_of_two_values(pets: Terminal) -> None:
    pets("sopor switch -c next")
    pets.replace("petstore.yaml", "name: List pets", "name: Every pet")
    pets.replace("petstore.yaml", 'value: "10"', 'value: "50"')
    pets("sopor commit -m Next")
    pets("sopor switch main")
    pets.replace("petstore.yaml", "name: List pets", "name: All animals")
    pets.replace("petstore.yaml", 'value: "10"', 'value: "20"')
    pets("sopor commit -m Main")
    pets("sopor merge next", code=4)
    pets(f"sopor resolve {LIST_PETS} --both --field name")
    assert "name: All animals / Every pet" in pets.read("petstore.yaml")
    refused = pets(f"sopor resolve {LIST_PETS} --both", code=9)
    assert "can't be as on both sides at once" in refused.err
    pets(f"sopor resolve {LIST_PETS} --ours")
    pets("sopor merge --continue")
    assert pets("sopor status -s").out == ""


def test_blame_and_log_follow_one_document(conflict: Terminal) -> None:
    conflict("sopor resolve --all --theirs")
    conflict("sopor merge --continue")
    lines = conflict(f"sopor blame {LIST_PETS}").lines
    assert lines[0].startswith('request "List many pets"')
    (limit,) = [line for line in lines if line.endswith(f'{LIMIT}: "50"')]
    (method,) = [line for line in lines if line.endswith('method: "GET"')]
    assert conflict(f"sopor blame HEAD -- {LIST_PETS}").lines == lines
    blame = conflict(f"sopor blame --json {LIST_PETS}").json
    told = {field["path"]: field["commit"] for field in blame["fields"]}
    assert told[LIMIT]["message"] == "List 50"
    assert limit.startswith(told[LIMIT]["id"][:8])
    assert method.startswith(told["method"]["id"][:8])
    assert told["method"]["id"] != told[LIMIT]["id"]
    assert set(told[LIMIT]) >= {"author", "time", "id"}
    shown = conflict(f"sopor log -p {LIST_PETS}").lines
    assert f'{LIMIT}: "10" -> "50"' in shown
    steps = conflict(f"sopor log -p --json {LIST_PETS}").json
    assert [step["commit"]["message"] for step in steps][1:3] == ["List 20", "List 50"]
    assert LIMIT in [field["path"] for field in steps[1]["fields"]]
    conflict("sopor log -p", code=2)
    conflict(f"sopor log -p --graph {LIST_PETS}", code=2)
    conflict("sopor blame nobody", code=3)
    conflict("sopor blame a b c", code=2)


def test_settling_as_the_file_is(conflict: Terminal) -> None:
    conflict.replace("petstore.yaml", 'value: "20"', 'value: "33"')
    conflict(f"sopor resolve {LIST_PETS} --file")
    conflict("sopor commit -m 'By file'")
    assert value_of_limit(conflict) == "33"


def test_giving_a_merge_up(conflict: Terminal) -> None:
    assert "a merge is under way" in conflict("sopor switch next", code=4).err
    assert conflict("sopor merge --abort").out == "Gave the merge up\n"
    assert value_of_limit(conflict) == "20"
    assert conflict("sopor status -s").out == ""
    assert "no merge is under way" in conflict("sopor merge --abort", code=4).err
    assert "no merge is under way" in conflict("sopor resolve", code=4).err


def test_what_resolve_refuses(conflict: Terminal) -> None:
    for wrong in (
        "--theirs",
        f"{LIST_PETS} --all --ours",
        "--all",
        f"--field {LIMIT}",
        f"--all --field {LIMIT} --ours",
        f"{LIST_PETS} --file --field {LIMIT}",
        "a b --edit",
    ):
        conflict(f"sopor resolve {wrong}", code=2)
    conflict("sopor resolve nobody --ours", code=3)
    assert LIMIT in conflict(f"sopor resolve {LIST_PETS} --ours --field url", code=3).err


def test_undoing_a_commit_in_the_middle(pets: Terminal) -> None:
    pets.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    pets("sopor commit -m 'List more'")
    pets.replace("petstore.yaml", "name: Add a pet", "name: Adopt a pet")
    pets("sopor commit -m 'Adopt'")
    answer = pets("sopor revert HEAD~1")
    assert re.fullmatch(r"Undone by [0-9a-f]{10}: 1 document changed\n", answer.out)
    assert value_of_limit(pets) == "10"
    assert "name: Adopt a pet" in pets.read("petstore.yaml")
    assert pets("sopor log -n1 --json").json[0]["message"].startswith('Revert "List more"')


def test_going_back_to_a_commit(pets: Terminal) -> None:
    before = pets.read("petstore.yaml")
    pets.replace("petstore.yaml", 'value: "10"', 'value: "25"')
    pets("sopor commit -m 'List more'")
    answer = pets("sopor revert --to HEAD~1 -m Back")
    assert answer.lines[0].endswith("] Back")
    assert pets.read("petstore.yaml") == before
    made = pets("sopor revert --to HEAD~1 --json").json
    assert made["changes"][0]["id"] == LIST_PETS
    assert "nothing to do" in pets("sopor revert --to HEAD", code=4).err


def test_a_revert_that_conflicts(pets: Terminal) -> None:
    for value in ("25", "50"):
        pets.replace("petstore.yaml", f'value: "{value_of_limit(pets)}"', f'value: "{value}"')
        pets(f"sopor commit -m 'List {value}'")
    answer = pets("sopor revert HEAD~1", code=4)
    assert "1 document in conflict:" in answer.out
    pets("sopor resolve --all --theirs")
    pets("sopor merge --continue")
    assert value_of_limit(pets) == "10"
    assert pets("sopor log -n1 --json").json[0]["message"].startswith('Revert "List 25"')
