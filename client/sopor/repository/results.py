"""What the library answers: frozen values that know their JSON form.

Ids are lower-case hexadecimal, times ISO 8601 in UTC with milliseconds in the JSON form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum

from sopor.model.document import DocumentId, Json
from sopor.moments import Moment
from sopor_core.ids import AccountId, CommitId, Id, OrgId, ProjectId


def to_json(value: object) -> Json:
    """Returns the JSON form of a result: ids as hexadecimal, tuples as lists."""
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if is_dataclass(value) and not isinstance(value, Moment):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    return _scalar(value)


def _scalar(value: object) -> Json:
    match value:
        case Enum():
            result: Json = str(value.value)
        case Id():
            result = value.hex()
        case Moment():
            result = value.iso
        case None | bool() | int() | float() | str():
            result = value
        case _:
            raise TypeError(f"{type(value).__name__} has no JSON form")
    return result


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

    @property
    def clean(self) -> bool:
        """Whether the working copy equals the branch's head."""
        return not self.changes and self.merge is None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One place of a document that differs; ``before`` or ``after`` is absent where null."""

    path: str
    kind: str
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class DocumentDiff:
    """The places of one document that differ."""

    change: DocumentChange
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class DocumentStep:
    """A commit that changed one document, with the places that it changed in it."""

    commit: CommitInfo
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class FieldBlame:
    """One field of a document, and the commit that gave it its value."""

    path: str
    value: Json
    commit: CommitInfo


@dataclass(frozen=True, slots=True)
class DocumentBlame:
    """A document, field by field, in the order of its fields."""

    id: DocumentId
    type: str
    name: str
    fields: tuple[FieldBlame, ...]


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


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `fsck` found wrong: what, where, and what to do."""

    what: str
    hint: str


@dataclass(frozen=True, slots=True)
class FsckReport:
    """What `fsck` checked and found."""

    commits: int
    documents: int
    packs: int
    entries: int
    findings: tuple[Finding, ...]
    swept: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class RepairResult:
    """What `repair` published again: entries of the push log and of the membership log."""

    entries: int
    membership_entries: int
