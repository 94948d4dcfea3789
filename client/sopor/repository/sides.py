"""The three states that meet in a merge under way; found again from what is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sopor.merge.documents import merge_states
from sopor.merge.graph import merge_bases, virtual_base
from sopor.merge.projects import MendedMerge, merge_projects
from sopor.model.document import Document, DocumentId
from sopor.model.state import State
from sopor.records import dataclass
from sopor.repository.context import Context
from sopor.repository.merge_state import MergeState
from sopor_core.ids import Cid, CommitId


@dataclass(frozen=True, slots=True)
class Sides:
    """The states that a merge is made of."""

    base: State
    ours: State
    theirs: State

    def merge(self, load: Callable[[Cid], Document]) -> MendedMerge:
        """Merges them, with the content of documents from ``load``; the same each time."""
        return merge_projects(self.base, self.ours, self.theirs, load)


def sides_of_merge(context: Context, ours: CommitId, theirs: CommitId) -> Sides:
    """Returns the states of a merge of two commits.

    In criss-cross histories the base is the merge of all best common ancestors. Where those
    conflict among themselves, one side serves as well as the other: both lines have settled that
    conflict since, and what they disagree on is a conflict of its own.
    """

    def merge_pair(base: State, one: State, other: State) -> State:
        return one.apply(merge_states(base, one, other).delta)

    states = context.store.commits.state
    bases = merge_bases(context.graph, ours, theirs)
    base = virtual_base(context.graph, bases, load=states, merge=merge_pair, nothing=State())
    return Sides(base, states(ours), states(theirs))


def sides_of_undoing(context: Context, undone: CommitId, ours: CommitId) -> Sides:
    """Returns the states of a merge that undoes a commit, against its first parent."""
    commits = context.store.commits
    parents = commits.parents(undone)
    before = commits.state(parents[0] if parents else None)
    return Sides(commits.state(undone), commits.state(ours), before)


def sides_of_kept(context: Context, merge: MergeState) -> Sides | None:
    """Returns the states of a merge under way, None where an older version did not keep enough."""
    head = context.store.refs.head
    if head is None:
        return None
    if merge.theirs is not None:
        return sides_of_merge(context, head, merge.theirs)
    return sides_of_undoing(context, merge.undone, head) if merge.undone else None


def documents_of(
    load: Callable[[Cid], Document], merged: MendedMerge, *, with_conflicts: bool
) -> dict[DocumentId, Document | None]:
    """Returns what a merge makes of ours: documents to write, and None for those to drop.

    Args:
        load: returns a document by its content id.
        merged: the merge.
        with_conflicts: also documents in conflict, as far as they merged.
    """
    changes: Mapping[DocumentId, Document | None] = {
        key: None if cid is None else load(cid) for key, cid in merged.delta.items()
    }
    open_ones = {
        conflict.document_id: conflict.inside.document
        for conflict in merged.conflicts
        if with_conflicts and conflict.inside is not None
    }
    return {**changes, **merged.documents, **open_ones}
