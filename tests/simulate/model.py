"""What three devices committed, as plain dictionaries; knows how a merge must come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sopor_core.ids import CommitId

Fields = Mapping[str, str]
State = Mapping[str, Fields]
"""The requests of a project, by their ids."""


class Broken(AssertionError):
    """Something is lost, doubled, made up, or not as the model says."""


@dataclass(frozen=True)
class Known:
    """A commit as it was when it was made."""

    parents: tuple[CommitId, ...]
    state: State
    subject: str


@dataclass(frozen=True)
class Merged:
    """What a merge must give: the requests, and those that conflict, which may stand otherwise."""

    state: State
    conflicts: frozenset[str] = frozenset()


@dataclass
class Model:
    """All commits that were ever made."""

    commits: dict[CommitId, Known] = field(default_factory=dict)
    _ancestors: dict[CommitId, frozenset[CommitId]] = field(default_factory=dict)

    def add(self, commit: CommitId, known: Known) -> None:
        """Takes a commit whose parents are known."""
        self.commits[commit] = known
        above = frozenset[CommitId]().union(*(self._ancestors[each] for each in known.parents))
        self._ancestors[commit] = above | {commit}

    def ancestors(self, *commits: CommitId) -> frozenset[CommitId]:
        """Returns the commits and all that they follow from."""
        return frozenset[CommitId]().union(*(self._ancestors[each] for each in commits))

    def holds(self, descendant: CommitId, ancestor: CommitId) -> bool:
        """Tells whether a commit follows from another, or is it."""
        return ancestor in self._ancestors[descendant]

    def state(self, commit: CommitId) -> State:
        """Returns the requests as of a commit."""
        return self.commits[commit].state

    def base(self, ours: CommitId, theirs: CommitId) -> CommitId | None:
        """Returns the merge base, or None where there are several."""
        common = self._ancestors[ours] & self._ancestors[theirs]
        best = [
            each
            for each in common
            if not any(each != other and each in self._ancestors[other] for other in common)
        ]
        return best[0] if len(best) == 1 else None

    def merge(self, ours: CommitId, theirs: CommitId) -> Merged | None:
        """Returns how the merge of two commits must come out; None where that is not foreseen."""
        base = self.base(ours, theirs)
        if base is None:
            return None
        return merge(self.state(base), self.state(ours), self.state(theirs))


def merge(base: State, ours: State, theirs: State) -> Merged:
    """Merges field by field."""
    merged: dict[str, Fields] = {}
    conflicts = set()
    for name in {*base, *ours, *theirs}:
        before, one, other = base.get(name), ours.get(name), theirs.get(name)
        if other in (one, before):
            chosen, conflict = one, False
        elif one == before:
            chosen, conflict = other, False
        elif one is None or other is None:
            chosen, conflict = one or other, True
        else:
            chosen, conflict = _merge_fields(before or {}, one, other)
        if chosen is not None:
            merged[name] = chosen
        if conflict:
            conflicts.add(name)
    return Merged(merged, frozenset(conflicts))


def _merge_fields(base: Fields, ours: Fields, theirs: Fields) -> tuple[Fields, bool]:
    merged, conflict = dict(ours), False
    for name in ours:
        if theirs[name] != ours[name]:
            if ours[name] == base.get(name):
                merged[name] = theirs[name]
            elif theirs[name] != base.get(name):
                conflict = True
    return merged, conflict


def settle(base: State, ours: State, theirs: State, choice: str) -> State:
    """Returns the merge with each place in conflict as it is on one side."""
    side = ours if choice == "ours" else theirs
    found = merge(base, ours, theirs)
    settled = dict(found.state)
    for name in found.conflicts:
        one, other, chosen = ours.get(name), theirs.get(name), side.get(name)
        if chosen is None:
            settled.pop(name, None)
        elif one is None or other is None:
            settled[name] = chosen
        else:
            before = base.get(name, {})
            settled[name] = {
                key: chosen[key]
                if one[key] != other[key] and before.get(key) not in {one[key], other[key]}
                else settled[name][key]
                for key in one
            }
    return settled
