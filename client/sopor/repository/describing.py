"""Puts commits and differences into the words of results: names, types, files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sopor.model.document import Document, DocumentId
from sopor.model.state import Delta, State
from sopor.moments import Moment
from sopor.repository.context import Context
from sopor.repository.results import ChangeKind, CommitInfo, DocumentChange
from sopor.repository.selection import Candidate
from sopor_core.ids import Cid, CommitId

if TYPE_CHECKING:
    from sopor.worktree import Scan


def document_name(document: Document) -> str:
    """Returns what a person calls a document: its name, its file's name or path, else its id."""
    for field in ("name", "fileName", "path", "url"):
        value = document.body.get(field)
        if isinstance(value, str) and value.strip():
            return value
    return str(document.id)


def documents_are(count: int) -> str:
    """Returns the start of a sentence: ``1 document is``, ``2 documents are``."""
    return "1 document is" if count == 1 else f"{count} documents are"


def describe_delta(
    context: Context, before: Mapping[DocumentId, Cid], delta: Delta
) -> tuple[DocumentChange, ...]:
    """Describes a delta between two states whose documents are all stored."""
    changes = []
    for document_id, cid in delta.items():
        old = before.get(document_id)
        shown = cid if cid is not None else old
        if shown is not None:
            changes.append(describe(kind_of(old, cid), context.load(shown)))
    return in_order(changes)


def kind_of(old: object | None, new: object | None) -> ChangeKind:
    """Returns how a document changed, by what is there of it before and after."""
    if new is None:
        return ChangeKind.DELETED
    return ChangeKind.ADDED if old is None else ChangeKind.MODIFIED


def describe(kind: ChangeKind, document: Document, file: str | None = None) -> DocumentChange:
    """Describes one changed document."""
    return DocumentChange(kind, document.id, document.type, document_name(document), file)


def edited(context: Context, scan: Scan, head: State) -> list[Candidate]:
    """Returns the documents that a person may mean among the edits of the working files."""
    candidates = []
    for document_id, document in scan.changes.items():
        shown = document or context.load(head[document_id])
        candidates.append(Candidate(document_id, document_name(shown), scan.paths.get(document_id)))
    return candidates


def in_order(changes: Iterable[DocumentChange]) -> tuple[DocumentChange, ...]:
    """Sorts changes by file, type, name and id."""
    return tuple(sorted(changes, key=lambda c: (c.file or "", c.type, c.name, c.id)))


def describe_commit(
    context: Context, commit_id: CommitId, names: Mapping[CommitId, list[str]] | None = None
) -> CommitInfo:
    """Describes a commit; ``names`` are the branches that point at commits."""
    commit = context.store.commits.get(commit_id)
    return CommitInfo(
        id=commit_id,
        parents=commit.parents,
        author=commit.author.name,
        account=commit.author.account,
        time=Moment(commit.time),
        message=commit.message,
        branches=tuple((names or {}).get(commit_id, ())),
        published=context.store.commits.published(commit_id),
    )


def branch_names(context: Context) -> dict[CommitId, list[str]]:
    """Returns the names that point at commits, local ones first."""
    names: dict[CommitId, list[str]] = {}
    for name, head in context.store.refs.all().items():
        names.setdefault(head, []).append(name)
    for name, head in context.store.refs.remotes().items():
        names.setdefault(head, []).append(f"remote/{name}")
    return names
