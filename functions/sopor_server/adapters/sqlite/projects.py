"""Projects and their push logs in SQLite; each function runs in a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sopor_core.ids import (
    AccountId,
    BranchId,
    CommitId,
    EntryHash,
    OrgId,
    PackId,
    ProjectId,
    StateRoot,
)
from sopor_core.push_entry import Citation, ListedCommit, ListedPack
from sopor_server.adapters.sqlite import groups, organizations
from sopor_server.adapters.sqlite.logs import cut
from sopor_server.ports.errors import CommitDiffers, LogMoved, MembershipMoved
from sopor_server.ports.records import Branch, Project, ProjectSummary, PushAppend

_IDS_A_QUERY = 500


def find(db: sqlite3.Connection, project: ProjectId, commits: int) -> Project | None:
    """Returns a project with its branches and some of its newest commits."""
    row = db.execute(
        "SELECT org, seq, hash, cited, bytes, updated FROM projects WHERE project = ?", (project,)
    ).fetchone()
    if row is None:
        return None
    org, seq, head, cited, size, updated = row
    newest = db.execute(
        "SELECT id, parents, root FROM commits WHERE project = ? ORDER BY number DESC LIMIT ?",
        (project, commits),
    )
    return Project(
        project,
        OrgId(org),
        Citation(seq, EntryHash(head)),
        cited,
        size,
        updated,
        _branches(db, project),
        _Recent(newest),
        *groups.state(db, project),
    )


def of_account(db: sqlite3.Connection, account: AccountId) -> Sequence[ProjectSummary]:
    """Returns the projects of an account's organizations."""
    rows = db.execute(
        "SELECT project, projects.org, seq, hash, bytes, updated FROM projects"
        " JOIN members ON members.org = projects.org"
        " WHERE members.account = ? AND deleted IS NULL ORDER BY projects.org, project",
        (account,),
    )
    return [
        ProjectSummary(
            ProjectId(project), OrgId(org), Citation(seq, EntryHash(head)), size, updated
        )
        for project, org, seq, head, size, updated in rows
    ]


def entries(
    db: sqlite3.Connection, project: ProjectId, after: int, limit: int, max_bytes: int
) -> Sequence[bytes]:
    """Returns the entries after one, up to about ``max_bytes``."""
    rows = db.execute(
        "SELECT entry FROM push_entries WHERE project = ? AND seq > ? ORDER BY seq LIMIT ?",
        (project, after, limit),
    )
    return cut(rows, max_bytes)


def known_commits(
    db: sqlite3.Connection, project: ProjectId, ids: Collection[CommitId], ancestors: int
) -> Mapping[CommitId, ListedCommit]:
    """Returns the commits and about as many of their ancestors."""
    found = _by_id(db, project, ids)
    newest = list(found.values())
    while newest and len(found) < len(ids) + ancestors:
        parents = {parent for commit in newest for parent in commit.parents}
        older = _by_id(db, project, parents - found.keys())
        newest = list(older.values())
        found.update(older)
    return found


def append(db: sqlite3.Connection, append: PushAppend) -> None:
    """Appends an entry; raises LogMoved, MembershipMoved or CommitDiffers."""
    entry = append.entry
    if _has(db, entry.project, entry.citation):
        return
    row = db.execute(
        "SELECT seq, hash FROM projects WHERE project = ?", (entry.project,)
    ).fetchone()
    if row != (entry.seq - 1, entry.prev):
        raise LogMoved("the push log has moved")
    if organizations.head(db, append.organization) != entry.members:
        raise MembershipMoved("the membership has moved")
    _insert_commits(db, entry.project, entry.commits)
    for branch, value in append.branches.items():
        _set_branch(db, entry.project, branch, value)
    added = sum(
        _insert_pack(db, entry.project, pack, append.time, entry.seq) for pack in append.packs
    )
    db.execute(
        "INSERT INTO push_entries (project, seq, hash, entry) VALUES (?, ?, ?, ?)",
        (entry.project, entry.seq, entry.hash, entry.encoded),
    )
    db.execute(
        "UPDATE projects SET seq = ?, hash = ?, cited = ?, bytes = bytes + ?, updated = ?"
        " WHERE project = ?",
        (
            entry.seq,
            entry.hash,
            entry.members.seq,
            added + len(entry.encoded),
            append.time,
            entry.project,
        ),
    )


def stage(db: sqlite3.Connection, project: ProjectId, pack: ListedPack, time: int) -> None:
    """Counts a pack that no entry lists yet."""
    if db.execute("SELECT 1 FROM projects WHERE project = ?", (project,)).fetchone():
        added = _insert_pack(db, project, pack, time, None)
        db.execute("UPDATE projects SET bytes = bytes + ? WHERE project = ?", (added, project))


def unlisted(
    db: sqlite3.Connection, project: ProjectId, packs: Collection[PackId]
) -> Collection[PackId]:
    """Returns those of the packs that no entry lists."""
    rows = (
        db.execute(
            "SELECT 1 FROM packs WHERE project = ? AND pack = ? AND seq IS NOT NULL",
            (project, pack),
        ).fetchone()
        for pack in packs
    )
    return [pack for pack, row in zip(packs, rows, strict=True) if row is None]


def uncount(db: sqlite3.Connection, project: ProjectId, pack: ListedPack) -> None:
    """Counts a staged pack no longer."""
    cursor = db.execute(
        "DELETE FROM packs WHERE project = ? AND pack = ? AND seq IS NULL", (project, pack.id)
    )
    db.execute(
        "UPDATE projects SET bytes = bytes - ? WHERE project = ?",
        (cursor.rowcount * pack.size, project),
    )


def deleted(db: sqlite3.Connection, before: int) -> Collection[ProjectId]:
    """Returns the projects that were deleted before a time and not erased since."""
    rows = db.execute(
        "SELECT project FROM projects"
        " WHERE deleted IS NOT NULL AND NOT erased AND deleted < ? ORDER BY deleted",
        (before,),
    )
    return [ProjectId(project) for (project,) in rows]


def erased(db: sqlite3.Connection, project: ProjectId) -> None:
    """Notes that the packs of a deleted project are erased."""
    db.execute(
        "UPDATE projects SET erased = 1 WHERE project = ? AND deleted IS NOT NULL", (project,)
    )


def _has(db: sqlite3.Connection, project: ProjectId, place: Citation) -> bool:
    row = db.execute(
        "SELECT hash FROM push_entries WHERE project = ? AND seq = ?", (project, place.seq)
    ).fetchone()
    return row is not None and row[0] == place.hash


def _insert_commits(
    db: sqlite3.Connection, project: ProjectId, listed: Sequence[ListedCommit]
) -> None:
    known = _by_id(db, project, [commit.id for commit in listed])
    for commit in listed:
        earlier = known.get(commit.id)
        if earlier is None:
            db.execute(
                "INSERT INTO commits (project, id, parents, root) VALUES (?, ?, ?, ?)",
                (project, commit.id, b"".join(commit.parents), commit.root),
            )
        elif (earlier.parents, earlier.root) != (commit.parents, commit.root):
            raise CommitDiffers(f"commit {commit.id.short} is listed differently")


def _insert_pack(
    db: sqlite3.Connection, project: ProjectId, pack: ListedPack, time: int, seq: int | None
) -> int:
    cursor = db.execute(
        "INSERT OR IGNORE INTO packs (project, pack, size, seq, stored) VALUES (?, ?, ?, ?, ?)",
        (project, pack.id, pack.size, seq, time),
    )
    if cursor.rowcount == 1:
        return pack.size
    if seq is not None:
        db.execute(
            "UPDATE packs SET seq = coalesce(seq, ?) WHERE project = ? AND pack = ?",
            (seq, project, pack.id),
        )
    return 0


def _set_branch(
    db: sqlite3.Connection, project: ProjectId, branch: BranchId, value: Branch | None
) -> None:
    if value is None:
        db.execute("DELETE FROM branches WHERE project = ? AND branch = ?", (project, branch))
    else:
        db.execute(
            "INSERT OR REPLACE INTO branches (project, branch, head, label, epoch)"
            " VALUES (?, ?, ?, ?, ?)",
            (project, branch, value.head.id, value.label, value.epoch),
        )


def _branches(db: sqlite3.Connection, project: ProjectId) -> dict[BranchId, Branch]:
    rows = db.execute(
        "SELECT branch, label, epoch, id, parents, root FROM branches"
        " JOIN commits ON commits.project = branches.project AND commits.id = branches.head"
        " WHERE branches.project = ? ORDER BY branch",
        (project,),
    )
    return {
        BranchId(branch): Branch(_commit(*public), label, epoch)
        for branch, label, epoch, *public in rows
    }


def _by_id(
    db: sqlite3.Connection, project: ProjectId, ids: Collection[CommitId]
) -> dict[CommitId, ListedCommit]:
    found: dict[CommitId, ListedCommit] = {}
    asked = list(ids)
    for start in range(0, len(asked), _IDS_A_QUERY):
        some = asked[start : start + _IDS_A_QUERY]
        marks = ",".join("?" * len(some))
        rows = db.execute(
            f"SELECT id, parents, root FROM commits WHERE project = ? AND id IN ({marks})",  # noqa: S608
            (project, *some),
        )
        found.update(_commits(rows))
    return found


class _Recent(Mapping[CommitId, ListedCommit]):
    """Commits of which a push asks for few: each is made when it is asked for."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._rows = {row[0]: row for row in rows}

    def __getitem__(self, commit: CommitId) -> ListedCommit:
        return _commit(*self._rows[commit])

    def __iter__(self) -> Iterator[CommitId]:
        return map(CommitId, self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def _commits(rows: Iterable[tuple[Any, ...]]) -> dict[CommitId, ListedCommit]:
    return {commit.id: commit for commit in (_commit(*row) for row in rows)}


def _commit(commit: bytes, parents: bytes, root: bytes) -> ListedCommit:
    return ListedCommit(
        CommitId(commit),
        tuple(CommitId(parents[i : i + 32]) for i in range(0, len(parents), 32)),
        StateRoot(root),
    )
