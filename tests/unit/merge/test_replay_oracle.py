"""The oracle of the replays finds what a merge lost; else they would show nothing."""

from __future__ import annotations

from typing import Any

from tests.support.replay import Project, lost_fields, split

BASE: Project = {"req_1": {"name": "a", "url": "/", "headers": [{"name": "A", "value": "1"}]}}


def version(**members: Any) -> Project:
    return {"req_1": {**BASE["req_1"], **members}}


def lost(merged: Project, **conflicts: Any) -> list[str]:
    ours = version(name="b", headers=[{"name": "A", "value": "2"}])
    theirs = version(url="/x", headers=[{"name": "A", "value": "3"}])
    return [*lost_fields(BASE, ours, theirs, merged, conflicts)]


def test_what_is_lost_is_named() -> None:
    conflict = ("headers", "A", "value")
    right = version(name="b", url="/x", headers=[{"name": "A", "value": "2"}])
    assert lost(right, req_1=[conflict]) == []
    assert lost(right) == ["req_1: headers.A.value"]
    assert lost(version(name="b"), req_1=[conflict]) == ["req_1: url"]
    assert lost({}, req_1=[conflict])[0].startswith("req_1: ")


def test_a_text_and_a_list_hold_what_both_added() -> None:
    base, ours, theirs, both = (
        {"d": {"text": text}} for text in ("a\nb\n", "a\nb\nc\n", "x\na\nb\n", "x\na\nb\nc\n")
    )
    assert [*lost_fields(base, ours, theirs, both, {})] == []
    assert [*lost_fields(base, ours, theirs, ours, {})] == ["d: text"]


def test_a_deleted_document_may_only_be_dropped_if_nobody_changed_it() -> None:
    edited = version(name="b")
    assert [*lost_fields(BASE, {}, edited, {}, {})] == ["req_1: the whole document"]
    assert [*lost_fields(BASE, {}, version(modified=3), {}, {})] == []


def test_edits_are_split_between_two_lines() -> None:
    both = {**version(name="b", url="/x"), "req_2": {"name": "new"}}
    versions = [BASE, version(name="b"), both, {**both, "req_2": {"name": "newer"}}]
    base, odd, even = split(versions)
    assert base == BASE
    assert odd == version(name="b")
    assert even == {**version(url="/x"), "req_2": {"name": "newer"}}
