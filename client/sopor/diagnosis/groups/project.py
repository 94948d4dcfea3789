"""The working copy: a light form of `fsck`, and what was left in the middle."""

from __future__ import annotations

from collections.abc import Iterator

from sopor.diagnosis.checks import Check, Teller
from sopor.diagnosis.scope import Scope
from sopor.errors import Busy
from sopor.repository.context import Context
from sopor.repository.journal import read_move
from sopor.repository.merge_state import read_merge

_FSCK = "run `sopor fsck`, which tells what is lost; a new clone has all that was pushed"


def checks(scope: Scope) -> Iterator[Check]:
    """Yields what is true of the database, the packs, the log, and of what is under way."""
    tell, context = Teller("project"), scope.context
    if context is None:
        yield tell.ok("folder", f"{scope.folder} is in no working copy", found=False)
        return
    published = context.org is not None
    yield tell.ok("folder", f"a working copy in {context.root}", found=True, published=published)
    wrong = context.store.database.check()
    if wrong:
        yield tell.bad("database", f"the database: {wrong[0]}", _FSCK, faults=len(wrong))
    else:
        yield tell.ok("database", "the database is sound", faults=0)
    yield _packs(tell, context)
    yield _log(tell, context)
    yield _refs(tell, context)
    yield from _under_way(tell, context)


def _packs(tell: Teller, context: Context) -> Check:
    """Compares names and sizes; `fsck` reads what is inside."""
    count = size = 0
    missing = other = 0
    for pack, expected, _seq in context.store.objects.packs():
        count, size = count + 1, size + expected
        try:
            other += context.store.files.path(pack).stat().st_size != expected
        except FileNotFoundError:
            missing += 1
    facts = {"packs": count, "bytes": size, "missing": missing, "of_other_size": other}
    if missing or other:
        told = f"packs missing: {missing}, of another size: {other}, of {count}"
        return tell.bad("packs", told, _FSCK, **facts)
    return tell.ok("packs", f"packs there: {count}, with {size:,} bytes", **facts)


def _log(tell: Teller, context: Context) -> Check:
    store = context.store
    seq, members = store.log.pin.seq, len(store.log.membership_entries())
    gaps = sum(store.log.entry(number) is None for number in range(1, seq + 1))
    facts = {"entries": seq, "membership_entries": members, "gaps": gaps}
    if gaps:
        return tell.bad(
            "log", f"{gaps} of {seq} entries of the push log are missing", _FSCK, **facts
        )
    return tell.ok("log", f"verified entries of the push log: {seq}", **facts)


def _refs(tell: Teller, context: Context) -> Check:
    refs, commits = context.store.refs, context.store.commits
    heads = [*refs.all().items(), *refs.remotes().items()]
    lost = [name for name, head in heads if commits.listed(head) is None]
    count = sum(1 for _ in commits.all_ids())
    facts = {"branches": len(heads), "commits": count, "lost": len(lost)}
    if lost:
        return tell.bad("branches", f"branch {lost[0]!r} points at no commit", _FSCK, **facts)
    return tell.ok("branches", f"branches: {len(heads)}, commits: {count}", **facts)


def _under_way(tell: Teller, context: Context) -> Iterator[Check]:
    store = context.store
    merge, move = read_merge(store), read_move(store)
    halfway = move is not None or (merge is not None and (merge.writing or merge.given_up))
    if halfway:
        yield tell.warn(
            "interrupted",
            "a command was interrupted while it wrote the working files",
            "run `sopor status`: it ends what was begun",
            interrupted=True,
        )
    if merge is not None:
        left = sum(not conflict.resolved for conflict in merge.conflicts)
        yield tell.warn(
            "merge",
            f"a merge is under way, with {left} documents in conflict",
            "settle them with `sopor resolve` and `sopor commit`, or `sopor merge --abort`",
            conflicts=left,
        )
    unnamed = len(store.files.unnamed({pack for pack, _size, _seq in store.objects.packs()}))
    if unnamed:
        yield tell.warn(
            "leftovers",
            f"files that a killed command left behind: {unnamed}",
            "run `sopor fsck`, which deletes them",
            files=unnamed,
        )
    try:
        with store.exclusive(patience=0):
            pass
    except Busy:
        yield tell.warn("lock", "another sopor process works here", "wait for it to end", busy=True)
