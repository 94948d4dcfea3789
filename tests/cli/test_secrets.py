"""A commit tells of what looks like a secret, or stops at it where that is set."""

from __future__ import annotations

from pathlib import Path

from tests.support.terminal import Terminal

TOKEN = "8f14e45fceea167a5a36dedd4bea2543"


def edit(terminal: Terminal, old: str, new: str) -> Path:
    path = terminal.folder / "petstore.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


def test_a_commit_tells_of_a_secret_once(pets: Terminal) -> None:
    edit(pets, "List pets", "List pets\n        x-note: Bearer " + TOKEN)
    answer = pets("sopor commit -m 'Note it'")
    assert "warning: the commit has what looks like a bearer token in request" in answer.err
    assert "(x-note)" in answer.err
    assert "private environment" in answer.err
    assert "sopor config secrets refuse" in answer.err
    assert TOKEN not in answer.out + answer.err

    edit(pets, "List pets", "List all pets")
    assert "looks like" not in pets("sopor commit -m 'Rename it'").err
    pets("sopor revert --to HEAD~2")
    edit(pets, "List pets", "List pets\n        x-other: Bearer " + TOKEN)
    assert "looks like" not in pets("sopor commit -m 'Note it elsewhere'").err
    edit(pets, "x-other: Bearer 8", "x-other: Bearer 9")
    (told,) = pets("sopor commit -m 'Another one' --json").json["secrets"]
    assert told.startswith("a bearer token in request")


def test_such_commits_can_be_refused(pets: Terminal) -> None:
    pets("sopor config secrets refuse")
    edit(pets, "List pets", "List pets\n        x-note: Bearer " + TOKEN)
    answer = pets("sopor commit -m 'Note it'", code=4)
    assert "error: the commit would add what looks like a bearer token in request" in answer.err
    assert "sopor commit --allow-secrets" in answer.err
    assert TOKEN not in answer.out + answer.err
    error = pets("sopor commit -m 'Note it' --json", code=4).error
    assert (error["code"], error["exit_code"]) == ("secrets-found", 4)
    assert pets("sopor log --oneline").out.count("\n") == 1

    assert "looks like" not in pets("sopor commit -m 'Note it' --allow-secrets").err
    assert pets("sopor log --oneline").out.count("\n") == 2
    edit(pets, "x-note: Bearer 8", "x-note: Bearer 9")
    pets("sopor commit -m 'Another one'", code=4)


def test_the_guard_can_be_turned_off(pets: Terminal) -> None:
    edit(pets, "List pets", "List pets\n        x-note: Bearer " + TOKEN)
    pets("sopor config secrets maybe")
    assert "the setting secrets is 'maybe'" in pets("sopor commit -m x", code=9).err
    pets("sopor config secrets allow")
    assert "looks like" not in pets("sopor commit -m x").err
