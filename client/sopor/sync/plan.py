"""Decides what a push, a pull or a sync has to do: a pure function of both sides and the graph.

`sopor.sync.execute` carries the steps out; ``push --dry-run`` prints them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias

from sopor.records import dataclass
from sopor_core.ids import CommitId

IsAncestor: TypeAlias = Callable[[CommitId, CommitId], bool]
"""``is_ancestor(old, new)``: whether ``new`` contains ``old``; a commit contains itself."""


class Intent(Enum):
    """What the person asked for."""

    PUSH = "push"
    PULL = "pull"
    SYNC = "sync"


@dataclass(frozen=True, slots=True)
class Publish:
    """Move the remote branch from ``old`` (None: create it) to ``new``."""

    branch: str
    old: CommitId | None
    new: CommitId


@dataclass(frozen=True, slots=True)
class FastForward:
    """Move the local branch forward to what the remote has."""

    branch: str
    new: CommitId


@dataclass(frozen=True, slots=True)
class Merge:
    """Merge the remote head into the local branch; the merge is published by a further plan."""

    branch: str
    theirs: CommitId


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse to push: the remote branch moved to ``found``, and both sides have new commits."""

    branch: str
    expected: CommitId | None
    found: CommitId


Step: TypeAlias = Publish | FastForward | Merge | Reject


def plan(
    intent: Intent,
    branch: str,
    local: CommitId | None,
    remote: CommitId | None,
    is_ancestor: IsAncestor,
    base: CommitId | None = None,
) -> list[Step]:
    """Returns the steps for one branch, in order; none if there is nothing to do.

    Args:
        intent: what was asked for.
        branch: the branch's name.
        local: its local head, or None if there is none.
        remote: its head by the verified log, or None if there is none.
        is_ancestor: the graph.
        base: a common ancestor, only to be named in a `Reject`.
    """
    if local == remote or (local is None and remote is None):
        return []
    if remote is None:
        return _publish(intent, branch, None, local)
    if local is None:
        return [FastForward(branch, remote)] if intent is not Intent.PUSH else []
    if is_ancestor(remote, local):
        return _publish(intent, branch, remote, local)
    if intent is not Intent.PUSH:
        behind = is_ancestor(local, remote)
        return [FastForward(branch, remote) if behind else Merge(branch, remote)]
    return [] if is_ancestor(local, remote) else [Reject(branch, base, remote)]


def _publish(intent: Intent, branch: str, old: CommitId | None, new: CommitId | None) -> list[Step]:
    if intent is Intent.PULL or new is None:
        return []
    return [Publish(branch, old, new)]
