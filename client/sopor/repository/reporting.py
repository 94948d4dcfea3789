"""`status`: where the working copy stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sopor.lazy import lazy_module
from sopor.repository.branching import tracking
from sopor.repository.context import Context
from sopor.repository.describing import describe, in_order, kind_of
from sopor.repository.interrupted import end_if_free
from sopor.repository.merge_state import has_merge
from sopor.repository.results import DocumentChange, Status
from sopor.repository.watch_state import read_watch

if TYPE_CHECKING:
    from sopor.repository import resolving
    from sopor.worktree import Scan
else:
    resolving = lazy_module("sopor.repository.resolving")


def status(context: Context) -> Status:
    """Tells the branch, its distance from the remote one, edits, and a merge under way.

    Raises:
        InvalidInput: a working file does not read; the message names file and line.
    """
    ended = end_if_free(context)
    refs = context.store.refs
    scan = context.scan()
    return Status(
        project=context.project,
        project_name=context.project_name,
        server=context.server,
        branch=refs.current,
        head=refs.head,
        tracking=tracking(context, refs.current),
        changes=describe_scan(context, scan),
        merge=resolving.merge_status(context) if has_merge(context.store) else None,
        warnings=(*ended, *scan.warnings),
        watch=read_watch(context.store.folder),
    )


def describe_scan(context: Context, scan: Scan) -> tuple[DocumentChange, ...]:
    """Describes the edits of the working files against the present commit."""
    if not scan.changes:
        return ()
    head = context.store.commits.state(context.store.refs.head)
    changes = []
    for document_id, document in scan.changes.items():
        kind = kind_of(head.get(document_id), document)
        shown = document or context.load(head[document_id])
        changes.append(describe(kind, shown, scan.paths.get(document_id)))
    return in_order(changes)
