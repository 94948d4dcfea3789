"""Checks the commits that an entry brings against what only members can see (SPEC section 11)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sopor.crypto.content_ids import ContentIds
from sopor.crypto.pack import ObjectKind, PackObject
from sopor.model.commit import Commit
from sopor.model.document import Document, DocumentError, DocumentId
from sopor.store import NewCommit, Store
from sopor_core import canonical
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import Cid, CommitId
from sopor_core.push_entry import ListedCommit
from sopor_core.push_log import LogCheckedEntry


def take_commits(
    store: Store, ids: ContentIds, entry: LogCheckedEntry, objects: Iterable[PackObject]
) -> int:
    """Verifies and stores the commits of an entry, whose documents are stored already.

    Returns:
        how many commits were not known from the log before.

    Raises:
        VerificationError: layer ``commit``, ``state`` or ``cid``.
    """
    brought: dict[CommitId, bytes] = {}
    documents: dict[Cid, bytes] = {}
    for item in objects:
        if item.kind is ObjectKind.COMMIT:
            brought[CommitId(item.id)] = item.data
        else:
            documents[Cid(item.id)] = item.data

    def read(cid: Cid) -> bytes:
        return documents.get(cid) or store.objects.read(cid)

    taken = 0
    for listed in entry.commits:
        known = store.commits.published(listed.id)
        if listed.id in brought:
            commit = Commit.parse(brought.pop(listed.id))
            _check_listing(entry, listed, commit, known=known)
            check_state(store, ids, listed.id, commit, read)
            store.commits.add(NewCommit(listed.id, commit, listed.same), (), entry.seq)
        elif not known:
            raise VerificationError(
                Layer.COMMIT, f"commit {listed.id.short} is listed, but no pack brings it"
            )
        taken += not known
    if brought:
        raise VerificationError(Layer.COMMIT, "a pack brings a commit that is not listed")
    for op in entry.ops:
        if op.new is not None:
            store.commits.snapshot_if_due(op.new, ids)
    return taken


def _check_listing(
    entry: LogCheckedEntry, listed: ListedCommit, commit: Commit, *, known: bool
) -> None:
    name = listed.id.short
    if (commit.parents, commit.root) != (listed.parents, listed.root):
        raise VerificationError(Layer.COMMIT, f"commit {name} is not as its entry lists it")
    if commit.author.account not in (None, entry.actor) and not known:
        raise VerificationError(Layer.COMMIT, f"commit {name} is pushed in another's name")


def check_state(
    store: Store,
    ids: ContentIds,
    commit_id: CommitId,
    commit: Commit,
    read: Callable[[Cid], bytes],
) -> None:
    """Folds a commit's delta and compares the root; every document of the delta must be here.

    Args:
        store: holds the parents, and every document.
        ids: computes the root.
        commit_id: the commit's id.
        commit: the commit.
        read: returns the verified bytes of a document.

    Raises:
        VerificationError: layer ``commit``, ``state`` or ``cid``.
    """
    name = commit_id.short
    before = store.commits.state(commit.parents[0] if commit.parents else None)
    if not before.is_minimal(commit.changes):
        raise VerificationError(Layer.COMMIT, f"commit {name} repeats what its parent says")
    after = before.apply(commit.changes)
    if after.root(ids) != commit.root:
        raise VerificationError(Layer.STATE, f"commit {name} does not give the state it names")
    needed: set[Cid] = {cid for cid in commit.changes.values() if cid is not None}
    missing = store.objects.missing(needed)
    if missing:
        raise VerificationError(
            Layer.CID, f"{len(missing)} documents of commit {name} are in no pack"
        )
    for document_id, cid in commit.changes.items():
        if cid is not None:
            _check_document(document_id, read(cid))
    store.commits.remember_state(commit_id, after)


def _check_document(document_id: DocumentId, data: bytes) -> None:
    """Checks that content is a document and the one that a commit names it as (SPEC 3)."""
    value = canonical.decode(data)
    try:
        found = Document.from_json(value, f"document {document_id}").id
    except DocumentError as error:
        raise VerificationError(Layer.CID, error.message) from None
    if found != document_id:
        raise VerificationError(
            Layer.CID, f"the content of document {document_id} is that of another one"
        )
