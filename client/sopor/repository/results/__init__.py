"""What the library answers: frozen values that know their JSON form.

Ids are lower-case hexadecimal, times ISO 8601 in UTC with milliseconds in the JSON form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sopor.lazy import lazy_names

if TYPE_CHECKING:
    from sopor.repository.results.checks import (
        Finding,
        FsckReport,
        RepairResult,
    )
    from sopor.repository.results.differences import (
        DocumentBlame,
        DocumentDiff,
        DocumentStep,
        FieldBlame,
        FieldChange,
    )
    from sopor.repository.results.json_form import (
        to_json,
    )
    from sopor.repository.results.state import (
        BranchInfo,
        ChangeKind,
        CommitDetail,
        CommitInfo,
        ConflictInfo,
        DocumentChange,
        MergeStatus,
        Status,
        Tracking,
        WatchStatus,
    )
    from sopor.repository.results.transfers import (
        BranchPush,
        FetchResult,
        MergeOutcome,
        ProjectInfo,
        PullResult,
        PushResult,
        SyncResult,
    )
else:
    __getattr__ = lazy_names(
        __name__,
        checks=[
            "Finding",
            "FsckReport",
            "RepairResult",
        ],
        differences=[
            "DocumentBlame",
            "DocumentDiff",
            "DocumentStep",
            "FieldBlame",
            "FieldChange",
        ],
        json_form=[
            "to_json",
        ],
        state=[
            "BranchInfo",
            "ChangeKind",
            "CommitDetail",
            "CommitInfo",
            "ConflictInfo",
            "DocumentChange",
            "MergeStatus",
            "Status",
            "Tracking",
            "WatchStatus",
        ],
        transfers=[
            "BranchPush",
            "FetchResult",
            "MergeOutcome",
            "ProjectInfo",
            "PullResult",
            "PushResult",
            "SyncResult",
        ],
    )

__all__ = [
    "BranchInfo",
    "BranchPush",
    "ChangeKind",
    "CommitDetail",
    "CommitInfo",
    "ConflictInfo",
    "DocumentBlame",
    "DocumentChange",
    "DocumentDiff",
    "DocumentStep",
    "FetchResult",
    "FieldBlame",
    "FieldChange",
    "Finding",
    "FsckReport",
    "MergeOutcome",
    "MergeStatus",
    "ProjectInfo",
    "PullResult",
    "PushResult",
    "RepairResult",
    "Status",
    "SyncResult",
    "Tracking",
    "WatchStatus",
    "to_json",
]
