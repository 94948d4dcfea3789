"""Checks the commits that an entry brings against what only members can see (SPEC section 11)."""

from __future__ import annotations

from collections.abc import Iterable

from sopor.crypto.content_ids import ContentIds
from sopor.crypto.pack import ObjectKind, PackObject
from sopor.model.commit import Commit
from sopor.store import NewCommit, Store
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
    brought = {CommitId(item.id): item.data for item in objects if item.kind is ObjectKind.COMMIT}
    taken = 0
    for listed in entry.commits:
        known = store.commits.published(listed.id)
        if listed.id in brought:
            commit = Commit.parse(brought.pop(listed.id))
            _check(store, ids, entry, listed, commit, known=known)
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


def _check(
    store: Store,
    ids: ContentIds,
    entry: LogCheckedEntry,
    listed: ListedCommit,
    commit: Commit,
    *,
    known: bool,
) -> None:
    name = listed.id.short
    if (commit.parents, commit.root) != (listed.parents, listed.root):
        raise VerificationError(Layer.COMMIT, f"commit {name} is not as its entry lists it")
    if commit.author.account not in (None, entry.actor) and not known:
        raise VerificationError(Layer.COMMIT, f"commit {name} is pushed in another's name")
    check_state(store, ids, listed.id, commit)


def check_state(store: Store, ids: ContentIds, commit_id: CommitId, commit: Commit) -> None:
    """Folds a commit's delta and compares the root; every document of the delta must be here.

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
    store.commits.remember_state(commit_id, after)
