"""The planner: every relation of two heads, for every intent."""

from __future__ import annotations

import pytest

from sopor.sync.plan import FastForward, Intent, Merge, Publish, Reject, plan
from sopor_core.ids import CommitId

A, B, C = (CommitId(bytes([number]) * 32) for number in range(3))
#  A <- B   and   A <- C
ANCESTORS = {A: {A}, B: {A, B}, C: {A, C}}


def is_ancestor(old: CommitId, new: CommitId) -> bool:
    return old in ANCESTORS[new]


@pytest.mark.parametrize("intent", Intent)
def test_equal_heads_need_nothing(intent: Intent) -> None:
    assert plan(intent, "main", A, A, is_ancestor) == []
    assert plan(intent, "main", None, None, is_ancestor) == []


def test_commits_of_this_side_are_published_unless_only_pulling() -> None:
    publish = [Publish("main", A, B)]
    assert plan(Intent.PUSH, "main", B, A, is_ancestor) == publish
    assert plan(Intent.SYNC, "main", B, A, is_ancestor) == publish
    assert plan(Intent.PULL, "main", B, A, is_ancestor) == []


def test_a_branch_that_the_remote_lacks_is_created_there() -> None:
    assert plan(Intent.PUSH, "new", B, None, is_ancestor) == [Publish("new", None, B)]
    assert plan(Intent.PULL, "new", B, None, is_ancestor) == []


def test_commits_of_the_other_side_are_taken_over_unless_only_pushing() -> None:
    forward = [FastForward("main", B)]
    assert plan(Intent.PULL, "main", A, B, is_ancestor) == forward
    assert plan(Intent.SYNC, "main", A, B, is_ancestor) == forward
    assert plan(Intent.PUSH, "main", A, B, is_ancestor) == []


def test_a_branch_without_a_commit_takes_what_the_remote_has() -> None:
    assert plan(Intent.PULL, "main", None, B, is_ancestor) == [FastForward("main", B)]
    assert plan(Intent.PUSH, "main", None, B, is_ancestor) == []


def test_diverged_branches_are_merged_or_the_push_is_rejected() -> None:
    assert plan(Intent.PULL, "main", B, C, is_ancestor) == [Merge("main", C)]
    assert plan(Intent.SYNC, "main", B, C, is_ancestor) == [Merge("main", C)]
    assert plan(Intent.PUSH, "main", B, C, is_ancestor, A) == [Reject("main", A, C)]
