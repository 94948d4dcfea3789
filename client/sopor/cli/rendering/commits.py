"""Commits: one a line, or in full as git shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sopor.cli.paint import one_line, paint
from sopor.cli.rendering.changes import summary
from sopor.cli.rendering.times import full_time, short_time

if TYPE_CHECKING:
    from sopor.repository.results import CommitDetail, CommitInfo


def log_lines(
    commits: Sequence[CommitInfo],
    graph: Sequence[Sequence[str]] | None,
    current: str,
    *,
    form: str,
) -> Iterator[str]:
    """Yields a log.

    Args:
        commits: newest first.
        graph: the lines of the drawing for each commit, or None for no drawing.
        current: the name of the current branch.
        form: ``line`` (with time and author), ``oneline`` (without), or ``full``.
    """
    for number, commit in enumerate(commits):
        drawn = graph[number] if graph else ("",)
        lines = [*commit_line(commit, current, form=form)]
        yield from _beside(drawn, lines, root=not commit.parents)


def commit_line(commit: CommitInfo, current: str, *, form: str) -> Iterator[str]:
    """Yields one commit of a log; only the full form has several lines."""
    if form == "full":
        yield from full_lines(commit, current)
        yield ""
    else:
        yield _line(commit, current, short=form == "oneline")


def _beside(drawn: Sequence[str], lines: Sequence[str], *, root: bool) -> Iterator[str]:
    """Puts lines to the right of a commit's part of the graph, whose own line comes first."""
    own, *further = drawn
    below = own.replace("*", " " if root else "|")
    for number, line in enumerate(lines):
        lane = (own if number == 0 else below).rstrip()
        space = " " * (len(own) + 1 - len(lane)) if line else ""
        yield f"{paint('graph', lane)}{space}{line}" if own else line
    for lane in further:
        yield paint("graph", lane)


def _line(commit: CommitInfo, current: str, *, short: bool) -> str:
    parts = [paint("hash", commit.id.short)]
    if not short:
        parts += [paint("dim", short_time(commit.time.milliseconds)), one_line(commit.author)]
    parts += [names] if (names := decoration(commit, current)) else []
    return " ".join([*parts, one_line(commit.subject)])


def decoration(commit: CommitInfo, current: str) -> str:
    """Returns the branches that point at a commit, such as ``(HEAD -> main, remote/main)``."""
    names = [f"HEAD -> {name}" if name == current else name for name in commit.branches]
    names.sort(key=lambda name: not name.startswith("HEAD"))
    return paint("branch", f"({', '.join(names)})") if names else ""


def full_lines(commit: CommitInfo, current: str) -> Iterator[str]:
    """Yields a commit as git shows it: id, merge, author, date, message."""
    names = decoration(commit, current)
    yield paint("hash", f"commit {commit.id}") + (f" {names}" if names else "")
    if len(commit.parents) > 1:
        yield f"Merge: {' '.join(parent.short for parent in commit.parents)}"
    yield f"Author: {one_line(commit.author)}"
    yield f"Date:   {full_time(commit.time.milliseconds)}"
    yield ""
    for line in commit.message.rstrip("\n").split("\n"):
        yield f"    {line}".rstrip()


def made_lines(detail: CommitDetail, branch: str) -> Iterator[str]:
    """Yields what a new commit is: ``[main 3f2a91bc1d] Add the health check``."""
    commit = detail.commit
    place = f"{paint('branch', branch)} {paint('hash', commit.id.short)}"
    yield f"[{place}] {one_line(commit.subject)}"
    yield f" {summary(detail.changes)}"
