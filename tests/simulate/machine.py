"""Carries out the steps of a seed, and compares each with the model.

A step may fail for the weather or because it is refused in this state; whatever happens, nothing
that was committed may be gone, and nothing may be there that nobody made.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sopor.errors import (
    MergeConflicts,
    NotFound,
    PermissionDenied,
    PushRejected,
    SoporError,
    StateConflict,
    VerificationError,
    Weather,
)
from sopor.repository import Repository
from sopor_core.ids import CommitId
from tests.simulate.copies import Copy, Merging
from tests.simulate.front import Front
from tests.simulate.model import Broken, Known, Model, State, merge, settle
from tests.simulate.steps import Step, carry_out, invite_again

_ROUNDS = 8
_MAKES_ONE = {"commit", "revert_to", "undo", "settle"}
_MERGES = {"pull", "sync", "merge"}


class Machine:
    """Three copies of one project, and the model of what they hold."""

    def __init__(self, copies: Sequence[Copy], front: Front) -> None:
        """Takes copies that are equal, after a first push."""
        self.copies = copies
        self.front = front
        self.model = Model()
        self.outcomes: Counter[str] = Counter()
        self.subjects: Counter[str] = Counter()
        self.removed = False
        for copy in copies:
            copy.look()
            self._learn(copy, copy.head)

    # ------------------------------------------------------------------------------------- a step

    def do(self, step: Step) -> None:
        """Does one step; raises Broken if anything is not as it must be."""
        copy = self.copies[step.device]
        if step.command in {"rotate", "invite_again"}:
            copy = self.copies[0]
        self.front.sky.misled = False
        before = Before(copy)
        try:
            carry_out(step, self.copies)
        except SoporError as error:
            self._check_refusal(step, error)
            done = False
            self.outcomes[f"{step.command}: {type(error).__name__}"] += 1
        else:
            done = True
            self.outcomes[f"{step.command}: done"] += 1
        if step.command == "invite_again":
            self.removed = not done
        self.see(copy, step, before, done=done)

    def _check_refusal(self, step: Step, error: SoporError) -> None:
        if isinstance(error, Weather | StateConflict | PushRejected | MergeConflicts | NotFound):
            return
        if isinstance(error, VerificationError) and self.front.sky.misled:
            return
        if isinstance(error, PermissionDenied) and self.removed:
            return
        # A refusal may come where a request arrived twice, of which one was carried out.
        if step.command == "invite_again" and self.front.sky.badness:
            return
        raise Broken(f"unforeseen {type(error).__name__}: {error}") from error

    def see(self, copy: Copy, step: Step, before: Before, *, done: bool) -> None:
        """Compares a copy with what the step may have made of it."""
        copy.look()
        made = self._learn(copy, *copy.refs.values(), *copy.remotes.values())
        self._check_made(copy, step, before, made, done=done)
        self._check_branches(copy, step, before)
        self._check_merge(copy, step, before, done=done)
        self._check_files(copy, step, before, done=done)

    def _learn(self, copy: Copy, *heads: CommitId) -> list[CommitId]:
        """Reads commits that were not known, parents first."""
        made, todo = list[CommitId](), list(heads)
        while todo:
            commit = todo.pop()
            if commit in self.model.commits:
                continue
            known = copy.known(commit)
            missing = [each for each in known.parents if each not in self.model.commits]
            if missing:
                todo += [commit, *missing]
            else:
                self.model.add(commit, known)
                self.subjects[known.subject] += len(known.parents) < 2
                made.append(commit)
        return made

    def _check_made(
        self, copy: Copy, step: Step, before: Before, made: list[CommitId], *, done: bool
    ) -> None:
        allowed = 1 if step.command in _MAKES_ONE | _MERGES else 0
        if len(made) > allowed:
            raise Broken(f"{len(made)} commits were made by {step.command}")
        if done and step.command == "commit" and not made:
            raise Broken("a commit was told, and none is there")
        for commit in made:
            known = self.model.commits[commit]
            wanted = self._wanted(step, before, known)
            if before.head not in known.parents[:1]:
                raise Broken(f"{commit.short} does not follow from the branch's commit")
            if wanted is not None and wanted != known.state:
                raise Broken(
                    f"{commit.short} ({known.subject}) holds another state: "
                    f"{_differences(wanted, known.state)}"
                )

    def _wanted(self, step: Step, before: Before, known: Known) -> State | None:
        """Returns the state that a commit of this step must have, if that is foreseen."""
        model, head = self.model, before.head
        if before.merging is not None:
            if before.merging.sides is None:
                return None
            return settle(*before.merging.sides, ("ours", "theirs")[step.draw % 2])
        if step.command == "commit":
            return before.files
        if step.command in _MERGES:
            found = model.merge(head, known.parents[1])
            if found is None:
                return None
            if found.conflicts:
                raise Broken(f"{sorted(found.conflicts)} must have been in conflict")
            return found.state
        return None

    def _check_branches(self, copy: Copy, step: Step, before: Before) -> None:
        for name, old in before.refs.items():
            new = copy.refs.get(name)
            if new is None and step.command == "delete" and name != before.branch:
                continue
            if new is None or not self.model.holds(new, old):
                raise Broken(f"branch {name} lost {old.short}")
            if new != old and name != before.branch:
                raise Broken(f"branch {name} moved, which is not the current one")
        if {*copy.refs} - {*before.refs} and step.command not in {"create", "switch"}:
            raise Broken(f"{step.command} made a branch")
        for name, old in before.remotes.items():
            new = copy.remotes.get(name)
            if name == "main" and (new is None or not self.model.holds(new, old)):
                raise Broken(f"the server's {name} lost {old.short}")
        if copy.branch != before.branch and step.command != "switch":
            raise Broken("another branch is the current one")

    def _check_merge(self, copy: Copy, step: Step, before: Before, *, done: bool) -> None:
        status = copy.repository.merge_status()
        if status is None:
            if before.merging is not None and not (done and step.command in {"settle", "abort"}):
                raise Broken("the merge under way is gone")
            copy.merging = None
        elif before.merging is None:
            copy.merging = self._began(copy, step, status.theirs)
            told = {str(each.id) for each in status.conflicts}
            if copy.merging.sides is not None:
                found = merge(*copy.merging.sides)
                if told != found.conflicts:
                    raise Broken(f"{sorted(told)} conflict where {sorted(found.conflicts)} do")

    def _began(self, copy: Copy, step: Step, theirs: CommitId | None) -> Merging:
        if step.command not in _MERGES | {"undo"}:
            raise Broken(f"{step.command} began a merge")
        if theirs is None:
            return Merging("undo", None, None)
        base = self.model.base(copy.head, theirs)
        state = self.model.state
        sides = base and (state(base), state(copy.head), state(theirs))
        return Merging("merge", theirs, sides or None)

    def _check_files(self, copy: Copy, step: Step, before: Before, *, done: bool) -> None:
        found, new = copy.read(), self.model.state(copy.head)
        if copy.merging is not None:
            if before.merging is not None or copy.merging.sides is None:
                copy.files = found
                return
            merged = merge(*copy.merging.sides)
            wanted, open_ = merged.state, merged.conflicts
        else:
            wanted, open_ = new, frozenset[str]()
        kept = before.kept if step.command != "edit" else None
        if step.command == "edit":
            wanted = copy.files
        elif (step.command == "restore" and done) or before.merging is not None:
            kept = {}
        for name in {*wanted, *found} - open_:
            right = kept[name] if kept is not None and name in kept else wanted.get(name)
            if found.get(name) != right:
                raise Broken(f"{name} in the working files is {found.get(name)}, not {right}")
        copy.files = found

    # ------------------------------------------------------------------------------------ the end

    def end(self, folder: Path) -> None:
        """Lets the weather clear up, brings all together, and compares everything."""
        self.front.sky.clear_up()
        if self.removed:
            invite_again(self.copies)
            self.removed = False
            # Who was removed, saw it, and joined again can't seal anything before they know it.
            self.copies[-1].repository.fetch()
        for copy in self.copies:
            self._come_to_rest(copy)
        required = self.model.ancestors(
            *(ref for copy in self.copies for ref in copy.refs.values())
        )
        for _ in range(_ROUNDS):
            moved = [self._bring_together(copy) for copy in self.copies]
            if not any(moved):
                break
        else:
            raise Broken("the copies do not come to agree")
        for copy in self.copies:
            self._check_whole(copy.repository, required)
        self._check_fresh(folder, required)
        if self.front.failures:
            raise Broken(f"the server failed: {self.front.failures[0]!r}")
        doubled = [name for name, times in self.subjects.items() if times > 1]
        if doubled:
            raise Broken(f"committed twice: {doubled}")

    def _come_to_rest(self, copy: Copy) -> None:
        if copy.merging is not None:
            self.do(Step(copy.number, "settle", 0))
        with suppress(StateConflict):
            copy.repository.commit(f"rest of {copy.number}")
        copy.look()
        self._learn(copy, copy.head)
        copy.files = copy.read()

    def _bring_together(self, copy: Copy) -> bool:
        copy.repository.fetch()
        copy.look()
        before = (dict(copy.refs), dict(copy.remotes))
        for name in sorted({*copy.refs, *copy.remotes}):
            copy.repository.switch(name)
            copy.look()
            copy.files = copy.read()
            for _ in range(3):
                self.do(Step(copy.number, "sync", 0))
                if copy.merging is None:
                    break
                self.do(Step(copy.number, "settle", 0))
        copy.look()
        return (dict(copy.refs), dict(copy.remotes)) != before

    def _check_whole(self, repository: Repository, required: frozenset[CommitId]) -> None:
        refs = repository.context.store.refs
        if refs.all() != refs.remotes():
            raise Broken(f"branches differ from the server's: {refs.all()}, {refs.remotes()}")
        first = self.copies[0].repository.context.store
        if refs.all() != first.refs.all() or repository.context.store.log.pin != first.log.pin:
            raise Broken("the copies do not agree")
        report = repository.fsck()
        if not report.clean:
            raise Broken(f"fsck finds {report}")
        if not repository.status().clean:
            raise Broken("a copy is not clean")
        told = Counter(commit.id for commit in repository.log(all_branches=True))
        if lost := required - told.keys():
            raise Broken(f"{[self.model.commits[each].subject for each in lost]} are lost")
        if set(told.values()) != {1}:
            raise Broken("a commit is told twice")

    def _check_fresh(self, folder: Path, required: frozenset[CommitId]) -> None:
        device, name = self.copies[1].device, self.copies[0].repository.root.name
        fresh = device.clone(name, f"{name}-fresh")
        with fresh:
            for branch in self.copies[0].refs:
                if branch != fresh.context.store.refs.current:
                    fresh.switch(branch)
            self._check_whole(fresh, required)
            copy = Copy(9, device, fresh, {})
            copy.look()
            if copy.read() != self.model.state(copy.head):
                raise Broken("a fresh clone has other files")
        shutil.rmtree(fresh.root)


class Before:
    """What a copy was before a step."""

    def __init__(self, copy: Copy) -> None:
        copy.look()
        self.refs, self.remotes, self.branch = copy.refs, copy.remotes, copy.branch
        self.head = copy.head
        self.files, self.merging = copy.files, copy.merging
        old = copy.known(self.head).state
        self.kept = {
            name: self.files.get(name)
            for name in {*old, *self.files}
            if old.get(name) != self.files.get(name)
        }


def _differences(wanted: State, found: State) -> str:
    return "; ".join(
        f"{name} is {found.get(name)}, not {wanted.get(name)}"
        for name in sorted({*wanted, *found})
        if wanted.get(name) != found.get(name)
    )
