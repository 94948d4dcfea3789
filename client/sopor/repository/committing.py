"""Makes commits: from the working files, or from states that a merge or a revert computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sopor.crypto.pack import Base, SealedPack, write_packs
from sopor.errors import MergeConflicts, StateConflict
from sopor.formats.record import is_record
from sopor.model.commit import Commit
from sopor.model.document import Document, DocumentId, parent_of
from sopor.model.state import Delta, State
from sopor.moments import now
from sopor.repository.context import Content, Context
from sopor.repository.describing import (
    describe_commit,
    describe_delta,
    documents_are,
    edited,
)
from sopor.repository.interrupted import begin
from sopor.repository.merge_state import (
    MergeState,
    read_merge,
    refuse_given_up,
    write_merge,
)
from sopor.repository.results import CommitDetail
from sopor.repository.secrets import check_secrets, remember_told, tell
from sopor.repository.selection import select
from sopor.store import NewCommit
from sopor_core.ids import Cid, CommitId

if TYPE_CHECKING:
    from sopor.worktree import Scan


def content_of(context: Context, document: Document) -> Content:
    """Returns a document's content; raises InvalidInput for one over the limit."""
    data = context.encode(document)
    return Content(document, data, context.ids.cid(data))


def commit(
    context: Context,
    message: str,
    wanted: Sequence[str] = (),
    *,
    allow_empty: bool = False,
    allow_secrets: bool = False,
    refuse_secrets: bool = False,
) -> CommitDetail:
    """Commits the changes of the working files, all of them or those of chosen documents.

    Finishes a merge whose conflicts are resolved; that takes all changes.

    Raises:
        StateConflict: there is nothing to commit, or documents were chosen during a merge.
        MergeConflicts: conflicts are left.
        NotFound: a chosen document has no change.
        SecretsFound: something that is added looks like a secret, and the setting or
            ``refuse_secrets`` refuses that.
    """
    with begin(context):
        merge = read_merge(context.store)
        if merge is not None:
            _check_mergeable(merge, wanted)
        scan = context.scan()
        head = context.store.refs.head
        before = context.store.commits.state(head)
        changes = _chosen(context, scan, before, wanted)
        contents = [content_of(context, document) for document in changes.values() if document]
        cids = {content.document.id: content.cid for content in contents}
        delta = before.minimal({document_id: cids.get(document_id) for document_id in changes})
        if not delta and not allow_empty and merge is None:
            raise StateConflict("nothing to commit: the working files equal the last commit")
        parents = [parent for parent in (head, merge.theirs if merge else None) if parent]
        fresh = check_secrets(
            context, contents, parents, allow=allow_secrets, refuse=refuse_secrets
        )
        new = make_commit(context, parents, before, delta, message)
        with context.store.transaction():
            save_commit(context, new, contents)
            remember_told(context, fresh)
            context.store.refs.set(context.store.refs.current, new.id)
            context.files.rebase(delta, scan.paths)
            write_merge(context.store, None)
        made = detail(context, new.id, before, delta)
        return made if allow_secrets else replace(made, secrets=tuple(map(tell, fresh)))


def detail(
    context: Context, commit_id: CommitId, before: Mapping[DocumentId, Cid], delta: Delta
) -> CommitDetail:
    """Describes a commit with what it changed."""
    return CommitDetail(describe_commit(context, commit_id), describe_delta(context, before, delta))


def _check_mergeable(merge: MergeState, wanted: Sequence[str]) -> None:
    refuse_given_up(merge)
    left = [conflict for conflict in merge.conflicts if not conflict.resolved]
    if left:
        raise MergeConflicts(
            f"{documents_are(len(left))} still in conflict",
            hint="see `sopor resolve`; or give the merge up with `sopor merge --abort`",
        )
    if wanted:
        raise StateConflict(
            "a merge is committed as a whole", hint="run `sopor commit` without documents"
        )


def _chosen(
    context: Context, scan: Scan, before: State, wanted: Sequence[str]
) -> dict[DocumentId, Document | None]:
    if not wanted:
        return dict(scan.changes)
    chosen = dict.fromkeys(select(wanted, edited(context, scan, before), "changed document"))
    for document_id in list(chosen):
        chosen.update(dict.fromkeys(_needed_with(scan, document_id)))
    return {document_id: scan.changes[document_id] for document_id in chosen}


def _needed_with(scan: Scan, document_id: DocumentId) -> Iterable[DocumentId]:
    """Yields changes without which a document would hang in the air: new parents, its file."""
    path = scan.paths.get(document_id, "")
    for record_id, record in scan.changes.items():
        if record is not None and is_record(record) and _holds(scan.paths[record_id], path):
            yield record_id
    document = scan.changes[document_id]
    parent = parent_of(document) if document else None
    seen = {document_id}
    while parent is not None and parent in scan.changes and parent not in seen:
        seen.add(parent)
        yield parent
        above = scan.changes[parent]
        parent = parent_of(above) if above else None


def _holds(place: str, path: str) -> bool:
    """Tells whether the record at a place (a file, or a tree's folder) is that of a path."""
    if place.endswith("/"):
        return place == "./" or path.startswith(place)
    return place == path


def make_commit(
    context: Context,
    parents: Sequence[CommitId],
    before: State,
    delta: Delta,
    message: str,
    same: CommitId | None = None,
) -> NewCommit:
    """Makes a commit of a delta to the first parent's state; raises InvalidValue for long texts."""
    after = before.apply(delta)
    made = Commit(
        parents=tuple(parents),
        root=after.root(context.ids),
        changes=dict(delta),
        author=context.author(),
        time=now(),
        message=message,
    )
    made.check_limits()
    commit_id = context.ids.commit_id(made.encoded)
    context.store.commits.remember_state(commit_id, after)
    return NewCommit(commit_id, made, same)


def save_commit(context: Context, new: NewCommit, contents: Iterable[Content]) -> None:
    """Stores a commit with its new documents, sealed in packs; belongs into a transaction."""
    store = context.store
    fresh = {content.cid: content for content in contents}
    needed = {cid for cid in new.commit.changes.values() if cid}
    missing = store.objects.missing(needed)
    packs = write_packs(
        context.keys,
        context.keys.newest,
        {new.id: new.commit.encoded},
        {cid: fresh[cid].data for cid in fresh if cid in missing},
        _bases(context, new, missing),
    )
    numbers = [_store_pack(context, pack) for pack in packs]
    store.commits.add(new, numbers, None)
    store.commits.snapshot_if_due(new.id, context.ids)


def _store_pack(context: Context, pack: SealedPack) -> int:
    store = context.store
    store.files.write(pack.id, pack.data)
    number = store.objects.add_pack(pack.id, pack.size, None)
    store.objects.add(number, pack.objects, published=False)
    return number


def _bases(context: Context, new: NewCommit, missing: set[Cid]) -> dict[Cid, tuple[Cid, Base]]:
    """Finds the previous versions of changed documents, as compression prefixes.

    Only documents that the first parent's state holds: whoever reads the pack has those.
    """
    if not new.commit.parents:
        return {}
    before = context.store.commits.state(new.commit.parents[0])
    bases = {}
    for document_id, cid in new.commit.changes.items():
        old = before.get(document_id)
        if cid is not None and cid in missing and old is not None:
            bases[cid] = (old, context.store.objects.base(old))
    return bases
