"""Ends what a killed command began with the working files, before the next one starts.

- Files on the way to a commit (a switch, a fast-forward, a merge, a revert) go the rest of the way,
  and the branch with them.
- Files of a merge that stops at conflicts are written to the end; the merge waits, as it would.
- A merge that was being given up is given up.

What was edited since is kept: an edit is merged with what the command writes, as people's are, and
where that conflicts the edit stays, as a change that is not committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from sopor.errors import Busy, DamagedStore
from sopor.lazy import lazy_module
from sopor.model.document import Document, DocumentId
from sopor.model.state import State
from sopor.repository.checkout import put_documents
from sopor.repository.context import Context
from sopor.repository.journal import Move, arrive, read_move
from sopor.repository.merge_state import MergeState, has_merge, read_merge, write_merge
from sopor.repository.originals import drop_originals, restore_originals

if TYPE_CHECKING:
    from sopor.merge import fields
    from sopor.repository import keeping, settling, sides
else:
    fields = lazy_module("sopor.merge.fields")
    keeping = lazy_module("sopor.repository.keeping")
    settling = lazy_module("sopor.repository.settling")
    sides = lazy_module("sopor.repository.sides")


@contextmanager
def begin(context: Context) -> Iterator[None]:
    """Keeps other processes from writing in this working copy, and ends what was interrupted.

    Raises:
        Busy: another process is at work for long.
    """
    with context.store.exclusive():
        end_interrupted(context)
        yield
        if not has_merge(context.store):
            drop_originals(context)


def end_if_free(context: Context) -> tuple[str, ...]:
    """Ends what was interrupted unless another process is at work; returns what was done."""
    store = context.store
    merge = _readable_merge(context)
    half_done = merge is not None and (merge.given_up or merge.writing)
    if read_move(store) is None and not half_done:
        return ()
    with suppress(Busy), store.exclusive():
        return end_interrupted(context)
    return ()


def end_interrupted(context: Context) -> tuple[str, ...]:
    """Ends what was interrupted; returns what was done, in one sentence each."""
    done = []
    move = read_move(context.store)
    if move is not None:
        _end_move(context, move)
        done.append(f"went on to {move.target.short} on {move.branch}, which was interrupted")
    merge = _readable_merge(context)
    if merge is not None and merge.given_up:
        take_back(context)
        done.append("gave the merge up, which was interrupted")
    elif merge is not None and merge.writing:
        _end_merge_files(context, merge)
        done.append(f"went on with merging {merge.label}, which was interrupted")
    return tuple(done)


def _readable_merge(context: Context) -> MergeState | None:
    with suppress(DamagedStore):  # whoever needs it says so
        return read_merge(context.store)
    return None


def _end_move(context: Context, move: Move) -> None:
    commits = context.store.commits
    before, after = commits.state(context.store.refs.head), commits.state(move.target)
    carried = keeping.carry_edits(context.scan(), before, after, context.load)
    written = put_documents(context, carried.documents)
    with context.store.transaction():
        arrive(context.store, move)
        context.files.rebase(before.difference(after), {**carried.places, **written.paths})


def _end_merge_files(context: Context, merge: MergeState) -> None:
    kept = sides.sides_of_kept(context, merge)
    if kept is not None:
        merged = kept.merge(context.load)
        changes = sides.documents_of(context.load, merged, with_conflicts=True)
        wanted = settling.settle_records(context.load, kept, changes, merged.mends)
        put_documents(context, _missing(context, kept.ours, wanted))
    write_merge(context.store, replace(merge, writing=False))


def _missing(
    context: Context, before: State, wanted: Mapping[DocumentId, Document | None]
) -> dict[DocumentId, Document | None]:
    """Returns what is still to be written of the wanted documents, and what edits make of them."""
    changes = context.scan().changes
    missing: dict[DocumentId, Document | None] = {}
    for key, document in wanted.items():
        if key not in changes:
            missing[key] = document
        elif changes[key] != document:
            old = context.load(before[key]) if key in before else None
            # A file that was written before it was edited merges to what it is.
            merged = fields.merge_document(old, changes[key], document)
            if not merged.conflicts:
                missing[key] = merged.document
    return missing


def take_back(context: Context) -> None:
    """Makes the working files those of the last commit, and forgets the merge under way."""
    changes = context.scan().changes
    state = context.store.commits.state(context.store.refs.head)
    put_documents(
        context, {key: context.load(state[key]) if key in state else None for key in changes}
    )
    restore_originals(context)
    write_merge(context.store, None)
    drop_originals(context)
