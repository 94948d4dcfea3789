"""What merges, pushes, fetches and pulls did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sopor.cli.paint import one_line, paint
from sopor.cli.rendering.changes import count
from sopor.cli.rendering.conflicts import conflict_lines

if TYPE_CHECKING:
    from sopor.repository.results import (
        BranchPush,
        FetchResult,
        MergeOutcome,
        PullResult,
        PushResult,
        SyncResult,
    )


def merge_lines(outcome: MergeOutcome, done: str = "Merged as") -> Iterator[str]:
    """Yields what a merge, or the undoing of a commit, did to the current branch."""
    if outcome.kind == "up-to-date":
        yield "Already up to date."
    elif outcome.kind == "conflicts":
        yield f"{count(len(outcome.conflicts), 'document')} in conflict:"
        yield from conflict_lines(outcome.conflicts)
    else:
        word = "Fast-forward to" if outcome.kind == "fast-forward" else done
        head = paint("hash", outcome.head.short) if outcome.head else "nothing"
        yield f"{word} {head}: {count(outcome.changed, 'document')} changed"
    for note in outcome.notes:
        yield f"  {one_line(note)}"


def push_lines(result: PushResult) -> Iterator[str]:
    """Yields what a push did, or would do."""
    if not result.branches:
        yield "Everything up to date"
        return
    yield from _moves(result.branches, "", " -> remote/")
    commits = count(max(move.commits for move in result.branches), "commit")
    if result.dry_run:
        yield f"would push {commits}"
    elif result.seq is not None:
        yield f"{commits}, {count(result.bytes, 'byte')}, entry {result.seq}"


def fetch_lines(result: FetchResult) -> Iterator[str]:
    """Yields what a fetch brought."""
    if not result.branches:
        yield "Nothing new"
        return
    yield from _moves(result.branches, "remote/", "")
    entries = "1 entry" if result.entries == 1 else f"{result.entries:,} entries"
    yield f"{count(result.commits, 'commit')}, {entries}"


def pull_lines(result: PullResult) -> Iterator[str]:
    """Yields what a pull brought and did."""
    if result.fetched.branches:
        yield from fetch_lines(result.fetched)
    yield from merge_lines(result.merge)


def sync_lines(result: SyncResult) -> Iterator[str]:
    """Yields what a sync brought, did and sent."""
    moved = bool(result.push.branches)
    if result.pull.fetched.branches or result.pull.merge.kind != "up-to-date" or not moved:
        yield from pull_lines(result.pull)
    if moved:
        yield from push_lines(result.push)


def _moves(moves: Iterable[BranchPush], before: str, after: str) -> Iterator[str]:
    for move in moves:
        name = one_line(move.branch)
        where = f"{before}{name}{after}{name if after else ''}"
        if move.new is None:
            yield f" - [deleted]     {before or 'remote/'}{name}"
        elif move.old is None:
            yield f" * [new branch]  {where}"
        else:
            yield f"   {paint('hash', f'{move.old.short}..{move.new.short}')}  {where}"
