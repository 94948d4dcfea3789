"""Where a working copy and its branches stand."""

from __future__ import annotations

from enum import Enum

from sopor.model.document import DocumentId
from sopor.moments import Moment
from sopor.records import dataclass
from sopor_core.ids import AccountId, CommitId, ProjectId


class ChangeKind(Enum):
    """How a document changed."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """One document that differs between two states."""

    kind: ChangeKind
    id: DocumentId
    type: str
    name: str
    file: str | None = None


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """A commit as `log` shows it; ``branches`` are the names that point at it."""

    id: CommitId
    parents: tuple[CommitId, ...]
    author: str
    account: AccountId | None
    time: Moment
    message: str
    branches: tuple[str, ...] = ()
    published: bool = False

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


@dataclass(frozen=True, slots=True)
class CommitDetail:
    """A commit with the documents that it changed against its first parent.

    ``secrets`` says of a commit that was just made what in it looks like a secret.
    """

    commit: CommitInfo
    changes: tuple[DocumentChange, ...]
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tracking:
    """How far a branch is from its remote one; both zero if they are equal."""

    remote: CommitId
    ahead: int
    behind: int


@dataclass(frozen=True, slots=True)
class BranchInfo:
    """A branch; ``remote`` says that only the remote has it."""

    name: str
    head: CommitId
    subject: str
    current: bool
    tracking: Tracking | None
    remote: bool = False


@dataclass(frozen=True, slots=True)
class ConflictInfo:
    """A document that a merge could not settle; kept until it is resolved.

    ``fields`` are the places inside the document, empty where the whole document is in conflict.
    ``notes`` tell what settling it took elsewhere, so that no document lost its folder.
    """

    id: DocumentId
    type: str
    name: str
    kind: str
    fields: tuple[str, ...]
    resolved: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MergeStatus:
    """A merge that waits for conflicts to be resolved or for its commit.

    ``theirs`` is None while one commit is undone (`revert`).
    """

    theirs: CommitId | None
    label: str
    conflicts: tuple[ConflictInfo, ...]


@dataclass(frozen=True, slots=True)
class WatchStatus:
    """A `watch` of the working copy, as it last said of itself.

    Attributes:
        alive: whether its process still runs.
        pid: the process.
        started: when it began.
        auto: whether it commits and pushes.
        files: how it notices saved files: ``watchfiles``, or ``polling``.
        state: ``connecting``, ``streaming``, ``polling`` or ``offline``.
        since: since when it is in this state.
        every: the seconds between two polls, or tries.
        reason: why it is offline.
        last_event: what it told last, and when.
        last_push: when it pushed.
        waiting: the documents that wait for somebody to do something.
        problem: what it waits for, in words.
        error: what ended it.
    """

    alive: bool
    pid: int
    started: Moment
    auto: bool
    files: str
    state: str
    since: Moment
    every: float | None
    reason: str | None
    last_event: str | None
    last_event_time: Moment | None
    last_push: Moment | None
    waiting: tuple[str, ...]
    problem: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """What `status` shows."""

    project: ProjectId
    project_name: str
    server: str | None
    branch: str
    head: CommitId | None
    tracking: Tracking | None
    changes: tuple[DocumentChange, ...]
    merge: MergeStatus | None
    warnings: tuple[str, ...]
    watch: WatchStatus | None = None

    @property
    def clean(self) -> bool:
        """Whether the working copy equals the branch's head."""
        return not self.changes and self.merge is None
