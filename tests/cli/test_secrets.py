"""A commit stops at what looks like a secret, until that is allowed."""

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


def test_a_secret_stops_a_commit(pets: Terminal) -> None:
    edit(pets, "List pets", "List pets\n        x-note: Bearer " + TOKEN)

    answer = pets("sopor commit -m 'Note it'", code=4)
    assert "error: the commit would add what looks like a bearer token in request" in answer.err
    assert "(x-note)" in answer.err
    assert "private environment" in answer.err
    assert "sopor commit --allow-secrets" in answer.err
    assert TOKEN not in answer.out + answer.err
    error = pets("sopor commit -m 'Note it' --json", code=4).error
    assert (error["code"], error["exit_code"]) == ("secrets-found", 4)
    assert pets("sopor log --oneline").out.count("\n") == 1

    pets("sopor commit -m 'Note it' --allow-secrets")
    assert pets("sopor log --oneline").out.count("\n") == 2


def test_what_was_allowed_or_was_there_is_not_asked_about_again(pets: Terminal) -> None:
    edit(pets, "List pets", "List pets\n        x-note: Bearer " + TOKEN)
    pets("sopor commit -m 'Note it' --allow-secrets")
    edit(pets, "List pets", "List all pets")
    pets("sopor commit -m 'Rename it'")
    pets("sopor revert --to HEAD~2")
    edit(pets, "List pets", "List pets\n        x-other: Bearer " + TOKEN)
    pets("sopor commit -m 'Note it elsewhere'")
    edit(pets, "x-other: Bearer 8", "x-other: Bearer 9")
    pets("sopor commit -m 'Another one'", code=4)


def test_the_guard_can_be_turned_off(pets: Terminal) -> None:
    edit(pets, "List pets", "List pets\n        x-note: Bearer " + TOKEN)
    pets("sopor config secrets maybe")
    assert "the setting secrets is 'maybe'" in pets("sopor commit -m x", code=9).err
    pets("sopor config secrets allow")
    pets("sopor commit -m x")
