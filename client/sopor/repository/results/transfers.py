"""What merges, pushes and pulls did, and what is on the server."""

from __future__ import annotations

from sopor.moments import Moment
from sopor.records import dataclass
from sopor.repository.results.state import ConflictInfo
from sopor_core.ids import CommitId, OrgId, ProjectId


@dataclass(frozen=True, slots=True)
class MergeOutcome:
    """What a merge or a pull did to the current branch."""

    kind: str
    head: CommitId | None
    commit: CommitId | None
    changed: int
    conflicts: tuple[ConflictInfo, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BranchPush:
    """What a push did, or would do, to one branch."""

    branch: str
    old: CommitId | None
    new: CommitId | None
    commits: int


@dataclass(frozen=True, slots=True)
class PushResult:
    """What a push did; ``seq`` is its entry in the push log, None if there was nothing to do."""

    seq: int | None
    branches: tuple[BranchPush, ...]
    bytes: int
    created_project: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class FetchResult:
    """What a fetch brought: verified entries, new commits, branches that moved."""

    entries: int
    commits: int
    branches: tuple[BranchPush, ...]


@dataclass(frozen=True, slots=True)
class PullResult:
    """A fetch, and what it did to the current branch."""

    fetched: FetchResult
    merge: MergeOutcome


@dataclass(frozen=True, slots=True)
class SyncResult:
    """A pull and a push."""

    pull: PullResult
    push: PushResult


@dataclass(frozen=True, slots=True)
class ProjectInfo:
    """A project of the account; names, role and status are from the verified membership log."""

    id: ProjectId
    name: str
    organization: OrgId
    organization_name: str
    role: str
    status: str
    seq: int
    bytes: int
    updated: Moment
