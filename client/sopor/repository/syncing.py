"""Push, fetch, pull, sync: plans with `sopor.sync.plan` and carries the steps out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sopor.errors import MergeConflicts, NotFound, PushRejected, StateConflict
from sopor.lazy import lazy_module
from sopor.merge.graph import is_ancestor, merge_bases
from sopor.repository.connection import Connection
from sopor.repository.context import Context
from sopor.repository.merge_state import refuse_during_merge
from sopor.repository.results import (
    BranchPush,
    FetchResult,
    MergeOutcome,
    PullResult,
    PushResult,
    SyncResult,
)
from sopor.sync.plan import FastForward, Intent, Merge, Publish, Reject, Step, plan
from sopor.sync.publish import BranchMove, Prepared
from sopor_core.ids import CommitId

if TYPE_CHECKING:
    from sopor.repository import merging, publishing
else:
    merging = lazy_module("sopor.repository.merging")
    publishing = lazy_module("sopor.repository.publishing")

_ATTEMPTS = 50


def fetch(context: Context) -> FetchResult:
    """Receives and verifies what is new, and changes no local branch and no file.

    Raises:
        RollbackError, ForkError, VerificationError: the server shows something else than it did.
    """
    with context.store.exclusive():
        return _fetch(context, Connection.of(context))


def _fetch(context: Context, connection: Connection) -> FetchResult:
    before = context.store.refs.remotes()
    received = connection.fetch()
    after = context.store.refs.remotes()
    moved = tuple(
        BranchPush(name, before.get(name), after.get(name), 0)
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    )
    return FetchResult(received.entries, received.commits, moved)


def push(
    context: Context,
    branch: str | None = None,
    *,
    all_branches: bool = False,
    upto: CommitId | None = None,
    dry_run: bool = False,
    org: str | None = None,
) -> PushResult:
    """Publishes commits: of the current branch, a named one, or all of them in one entry.

    A project that is on no server yet is created in the organization ``org``, by default in the
    account's own.

    Raises:
        StateConflict: ``org`` is named, and the project is in an organization already.
        PushRejected: the branch moved on the server, and both sides have new commits.
        NotFound: there is no such branch, or it has no commit yet.
    """
    refs = context.store.refs
    names = list(refs.all()) if all_branches else [branch or refs.current]
    heads = {name: upto or refs.get(name) for name in names}
    for name, head in heads.items():
        if head is None:
            raise NotFound(
                f"branch {name!r} has no commit to push", hint="run `sopor commit` first"
            )
    with context.store.exclusive():
        created = None
        if context.org is not None and org is not None:
            raise StateConflict(
                "the project is in an organization already", hint="push without --org"
            )
        if context.org is None and not dry_run:
            created = publishing.publish_project(context, org)
        if context.org is None:
            return _dry_run(context, _publishing(context, heads))
        connection = Connection.of(context)
        for _ in range(_ATTEMPTS):
            if not dry_run:
                connection.get_ready()
            steps = _publishing(context, heads)
            if dry_run or not steps:
                return _dry_run(context, steps, created, dry_run=dry_run)
            prepared = connection.prepare([BranchMove(step.branch, step.new) for step in steps])
            context.progress(f"sending {prepared.bytes:,} bytes")
            if connection.send(prepared):
                return _pushed(steps, prepared, created)
    raise PushRejected(
        "the project's log moved again at every attempt", hint="run the command again"
    )


def _publishing(context: Context, heads: dict[str, CommitId | None]) -> list[Publish]:
    publishing: list[Publish] = []
    for name, head in heads.items():
        for step in _plan(context, Intent.PUSH, name, head):
            if isinstance(step, Reject):
                raise _rejection(step)
            if isinstance(step, Publish):
                publishing.append(step)
    return publishing


def _plan(context: Context, intent: Intent, name: str, head: CommitId | None) -> list[Step]:
    remote = context.store.refs.remotes().get(name)
    base = None
    if head is not None and remote is not None and head != remote:
        bases = merge_bases(context.graph, head, remote)
        base = bases[0] if bases else None
    return plan(
        intent, name, head, remote, lambda old, new: is_ancestor(context.graph, old, new), base
    )


def _rejection(step: Reject) -> PushRejected:
    expected = step.expected.short if step.expected else "nothing"
    return PushRejected(
        f"{step.branch} moved since your last pull (expected {expected}, found {step.found.short})",
        hint="run `sopor pull`, then push again; `sopor sync` does both",
    )


def _dry_run(
    context: Context,
    steps: list[Publish],
    created: str | None = None,
    *,
    dry_run: bool = True,
) -> PushResult:
    return PushResult(None, tuple(_moves(context, steps)), 0, created, dry_run)


def _moves(context: Context, steps: list[Publish]) -> list[BranchPush]:
    return [
        BranchPush(
            step.branch, step.old, step.new, len(context.store.commits.unpublished([step.new]))
        )
        for step in steps
    ]


def _pushed(steps: list[Publish], prepared: Prepared, created: str | None) -> PushResult:
    count = len(prepared.new_commits)
    moves = [BranchPush(step.branch, step.old, step.new, count) for step in steps]
    return PushResult(prepared.entry.seq, tuple(moves), prepared.bytes, created)


def delete_remote_branch(context: Context, name: str) -> PushResult:
    """Deletes a branch on the server; its commits stay in the log.

    Raises:
        NotFound: the server has no such branch.
        StateConflict: the project is on no server.
    """
    with context.store.exclusive():
        connection = Connection.of(context)
        for _ in range(_ATTEMPTS):
            connection.get_ready()
            old = context.store.refs.remotes().get(name)
            if old is None:
                raise NotFound(f"the server has no branch {name!r}", hint="see `sopor branch -a`")
            prepared = connection.prepare([BranchMove(name, None)])
            if connection.send(prepared):
                move = BranchPush(name, old, None, 0)
                return PushResult(prepared.entry.seq, (move,), 0)
    raise PushRejected("the project's log moved at every attempt", hint="run the command again")


def pull(context: Context, *, keep_edits: bool = False) -> PullResult:
    """Fetches, then brings what is new into the current branch: forward, or by a merge.

    A merge that stops at conflicts is told by its outcome; what was fetched stays fetched.

    Args:
        context: the working copy.
        keep_edits: whether uncommitted edits of documents that change are merged with what comes,
            field by field, and stay uncommitted; without it they are in the way.

    Raises:
        StateConflict: uncommitted edits are in the way, or what comes changes the same places.
    """
    fetched = fetch(context)
    return PullResult(fetched, integrate(context, keep_edits=keep_edits))


def integrate(context: Context, *, keep_edits: bool = False, start: bool = True) -> MergeOutcome:
    """Brings what was fetched into the current branch; asks no server.

    Args:
        context: the working copy.
        keep_edits: as for `pull`.
        start: whether a merge that stops at conflicts is begun.

    Raises:
        StateConflict: a merge is under way, or uncommitted edits are in the way.
        MergeConflicts: there would be conflicts, and no such merge is to be started.
    """
    refs = context.store.refs
    refuse_during_merge(context.store)
    steps = _plan(context, Intent.PULL, refs.current, refs.head)
    outcome = MergeOutcome("up-to-date", refs.head, None, 0)
    label = f"remote/{refs.current}"
    for step in steps:
        if isinstance(step, FastForward):
            outcome = merging.merge_commit(
                context, step.new, label, policy=merging.Policy(keep_edits, start)
            )
        elif isinstance(step, Merge):
            outcome = merging.merge_commit(
                context, step.theirs, label, policy=merging.Policy(keep_edits, start)
            )
    return outcome


def sync(context: Context) -> SyncResult:
    """Pulls and pushes the current branch until both sides are equal.

    Raises:
        MergeConflicts: the pull stopped at conflicts, which are kept.
    """
    if context.org is None:
        published = push(context)
        nothing = MergeOutcome("up-to-date", context.store.refs.head, None, 0)
        return SyncResult(PullResult(FetchResult(0, 0, ()), nothing), published)
    for _ in range(_ATTEMPTS):
        pulled = pull(context)
        if pulled.merge.kind == "conflicts":
            from sopor.repository.describing import documents_are

            raise MergeConflicts(
                f"{documents_are(len(pulled.merge.conflicts))} in conflict",
                hint="see `sopor resolve`; settle them, run `sopor commit`, then sync again",
            )
        if context.store.refs.head is None:
            return SyncResult(pulled, PushResult(None, (), 0))
        try:
            return SyncResult(pulled, push(context))
        except PushRejected:
            context.progress("the branch moved meanwhile, pulling again")
    raise StateConflict("the branch moved at every attempt", hint="run `sopor sync` again")
