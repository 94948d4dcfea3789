"""The state of a working copy, and of its branches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sopor.cli.paint import one_line, paint
from sopor.cli.rendering.changes import change_lines, count, short_lines, title
from sopor.cli.rendering.conflicts import merge_lines

if TYPE_CHECKING:
    from sopor.repository.results import BranchInfo, Status, Tracking, WatchStatus


def status_lines(status: Status) -> Iterator[str]:
    """Yields what git would say."""
    yield f"On branch {paint('branch', status.branch)}"
    if status.tracking:
        yield tracking_line(status.branch, status.tracking)
    if status.watch:
        yield watch_line(status.watch)
    if status.head is None:
        yield "No commits yet"
    if status.merge:
        yield ""
        yield from merge_lines(status.merge)
    if status.changes:
        yield ""
        yield "Changes not committed:"
        yield from change_lines(status.changes)
    if status.clean:
        yield "nothing to commit, working copy clean"


def watch_line(watch: WatchStatus) -> str:
    """Returns how the watch of a working copy goes, or how it ended."""
    name = f"sopor watch{' --auto' if watch.auto else ''}"
    since = watch.since.iso[:16].replace("T", " ")
    if watch.error is not None:
        return paint("warning", f"`{name}` ended: {one_line(watch.error)}")
    if not watch.alive:
        return paint("warning", f"`{name}` (process {watch.pid}) was killed; start it again")
    parts = [f"`{name}` (process {watch.pid}) is {watch.state} since {since} UTC"]
    if watch.state == "offline" and watch.reason:
        parts.append(one_line(watch.reason))
    if watch.problem is not None:
        parts.append(one_line(watch.problem))
    return "; ".join(parts)


def short_status_lines(status: Status) -> Iterator[str]:
    """Yields one line for each document that changed or is in conflict."""
    for conflict in status.merge.conflicts if status.merge else ():
        if not conflict.resolved:
            name = title(conflict.type, conflict.name)
            yield f"{paint('delete', 'U')} {one_line(conflict.id)} {name}"
    yield from short_lines(status.changes)


def tracking_line(branch: str, tracking: Tracking) -> str:
    """Returns how far a branch is from its remote one, as of the last fetch."""
    remote = f"'remote/{branch}'"
    ahead, behind = tracking.ahead, tracking.behind
    if ahead and behind:
        return (
            f"Your branch and {remote} have diverged, "
            f"and have {ahead} and {behind} different commits each."
        )
    if ahead:
        return f"Your branch is ahead of {remote} by {count(ahead, 'commit')}."
    if behind:
        return (
            f"Your branch is behind {remote} by {count(behind, 'commit')}, "
            "and can be fast-forwarded."
        )
    return f"Your branch is up to date with {remote}."


def branch_lines(branches: Sequence[BranchInfo]) -> Iterator[str]:
    """Yields one line a branch; the current one has a star."""
    names = [f"remote/{branch.name}" if branch.remote else branch.name for branch in branches]
    width = max(map(len, names), default=0)
    for name, branch in zip(names, branches, strict=True):
        style = "add" if branch.current else "delete" if branch.remote else ""
        shown = paint(style, name) if style else name
        parts = [f"{'*' if branch.current else ' '} {shown}{' ' * (width - len(name))}"]
        parts.append(paint("hash", branch.head.short))
        parts += [distance] if (distance := _distance(branch.tracking)) else []
        yield " ".join([*parts, one_line(branch.subject)])


def _distance(tracking: Tracking | None) -> str:
    if tracking is None:
        return ""
    parts = [f"ahead {tracking.ahead}"] if tracking.ahead else []
    parts += [f"behind {tracking.behind}"] if tracking.behind else []
    return f"[{', '.join(parts)}]" if parts else ""
