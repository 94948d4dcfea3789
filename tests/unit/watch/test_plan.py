"""What a watch does next, against a clock of its own."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sopor.watch.plan import Doing, Merging, Options, Plan, Step


def started(*, auto: bool = True) -> Plan:
    """Returns the plan of a watch that has nothing to do at 100 seconds."""
    plan = Plan(Options(auto))
    assert plan.next(100) == Step(Doing.INTEGRATE)
    plan.integrated(moved=False)
    assert plan.next(100) == Step(Doing.COMMIT)
    plan.committed(anything=False)
    if auto:
        assert plan.next(100) == Step(Doing.PUSH)
        plan.pushed()
    assert plan.next(100) == Step(Doing.WAIT)
    return plan


def test_a_burst_is_one_commit_and_one_push() -> None:
    plan = started()
    for tenth in range(20):
        plan.files_changed(100 + tenth / 10)
    assert plan.next(102) == Step(Doing.WAIT, 102.9)
    assert plan.next(102.9).doing is Doing.COMMIT
    plan.committed(anything=True)
    assert plan.next(103).doing is Doing.PUSH
    plan.pushed()
    assert plan.next(200) == Step(Doing.WAIT)


def test_files_that_never_settle_are_committed_every_ten_seconds() -> None:
    plan, commits = started(), []
    for half in range(60):
        moment = 100 + half / 2
        plan.files_changed(moment)
        while plan.next(moment).doing is not Doing.WAIT:
            if plan.next(moment).doing is Doing.COMMIT:
                commits.append(moment)
                plan.committed(anything=True)
            else:
                plan.pushed()
    assert commits == [110, 120.5]


def test_what_the_watch_wrote_itself_leads_to_no_push() -> None:
    plan = started()
    plan.news()
    assert plan.next(101).doing is Doing.INTEGRATE
    plan.integrated(moved=False)
    plan.files_changed(101)
    assert plan.next(102).doing is Doing.COMMIT
    plan.committed(anything=False)
    assert plan.next(103) == Step(Doing.WAIT)


def test_a_merge_of_two_lines_is_pushed() -> None:
    plan = started()
    plan.news()
    plan.integrated(moved=True)
    assert plan.next(101).doing is Doing.PUSH


@pytest.mark.parametrize("auto", [True, False])
def test_what_waits_for_files_is_tried_again_when_they_are_saved(auto: bool) -> None:
    plan = started(auto=auto)
    plan.news()
    plan.not_integrated()
    assert plan.next(150) == Step(Doing.WAIT)
    plan.files_changed(150)
    assert plan.next(150) == Step(Doing.WAIT, 151)
    assert plan.next(151).doing is Doing.COMMIT
    plan.committed(anything=auto)
    assert plan.next(151).doing is Doing.INTEGRATE
    plan.integrated(moved=False)
    assert plan.next(151).doing is (Doing.PUSH if auto else Doing.WAIT)


def test_without_auto_nothing_is_pushed() -> None:
    plan = started(auto=False)
    plan.news()
    plan.integrated(moved=True)
    assert plan.next(101) == Step(Doing.WAIT)
    plan.store_changed(101, Merging.NO)
    plan.integrated(moved=False)
    assert plan.next(102) == Step(Doing.WAIT)


def test_a_push_is_tried_ever_later_and_at_once_when_the_server_is_back() -> None:
    plan = started()
    plan.files_changed(100)
    plan.committed(anything=True)
    tries, now = [], 101.0
    for _ in range(9):
        step = plan.next(now)
        if step.doing is Doing.WAIT:
            assert step.until is not None
            now = step.until
        assert plan.next(now).doing is Doing.PUSH
        tries.append(now)
        plan.push_failed(now)
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    # Commits go on meanwhile.
    plan.files_changed(now)
    assert plan.next(now + 1).doing is Doing.COMMIT
    plan.committed(anything=True)
    plan.online()
    assert plan.next(now + 1).doing is Doing.PUSH


def test_a_branch_that_moved_is_brought_in_before_the_next_push() -> None:
    plan = started()
    plan.files_changed(100)
    plan.committed(anything=True)
    plan.push_rejected(101)
    assert plan.next(101).doing is Doing.INTEGRATE
    plan.not_integrated()
    assert plan.next(101).doing is Doing.WAIT
    plan.files_changed(102)
    plan.committed(anything=True)
    assert plan.next(103).doing is Doing.INTEGRATE
    plan.integrated(moved=True)
    assert plan.next(103).doing is Doing.PUSH


def test_who_is_rejected_again_and_again_waits_no_longer_each_time() -> None:
    plan = started()
    plan.files_changed(100)
    plan.committed(anything=True)
    for now in range(101, 121):
        plan.push_rejected(now)
        plan.integrated(moved=True)
        assert plan.next(now).doing is (Doing.PUSH if now == 101 else Doing.WAIT)
        assert plan.next(now + 0.5).doing is Doing.PUSH


def test_a_merge_in_conflict_waits_until_it_is_settled() -> None:
    plan = started()
    plan.news()
    plan.stopped_at_conflicts()
    plan.files_changed(101)
    assert plan.next(101).doing is Doing.WAIT
    assert plan.next(102) == Step(Doing.WAIT)
    plan.news()
    assert plan.next(102).doing is Doing.WAIT
    plan.store_changed(103, Merging.SETTLED)
    assert plan.next(103).doing is Doing.WAIT
    assert plan.next(104).doing is Doing.FINISH
    plan.finished()
    assert plan.next(104).doing is Doing.INTEGRATE
    plan.integrated(moved=False)
    assert plan.next(104).doing is Doing.PUSH


def test_a_merge_that_was_given_up_leaves_edits_to_be_committed() -> None:
    plan = started()
    plan.stopped_at_conflicts()
    plan.store_changed(101, Merging.NO)
    assert plan.next(101).doing is Doing.INTEGRATE
    plan.integrated(moved=False)
    assert plan.next(102).doing is Doing.COMMIT


def test_what_was_refused_is_looked_at_when_somebody_committed_it() -> None:
    plan = started()
    plan.files_changed(100)
    plan.not_committed()
    assert plan.next(102) == Step(Doing.WAIT)
    plan.store_changed(105, Merging.NO)
    plan.integrated(moved=False)
    assert plan.next(106).doing is Doing.COMMIT
    plan.committed(anything=False)
    assert plan.next(106).doing is Doing.PUSH


def test_another_command_at_work_is_waited_for() -> None:
    plan = started()
    plan.news()
    plan.busy(100)
    assert plan.next(100.1) == Step(Doing.WAIT, 100.5)
    assert plan.next(100.5).doing is Doing.INTEGRATE
