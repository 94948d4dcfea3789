"""Revisions as people type them: branches, remote branches, abbreviated ids, ``~n`` and ``^``.

HEAD            the commit that the working copy is on
main            a local branch
remote/main     a remote branch, as of the last fetch
3f2a91bc        a commit's id, at least four hexadecimal digits of it
main~3  HEAD^2  the third ancestor along first parents; the second parent
"""

from __future__ import annotations

import re

from sopor.errors import InvalidInput, NotFound
from sopor.store import Store
from sopor_core.ids import CommitId

HEAD = "HEAD"
REMOTE_PREFIX = "remote/"
_STEP = re.compile(r"([~^])(\d*)")
_REVISION = re.compile(r"(.+?)((?:[~^]\d*)*)", re.DOTALL)


def resolve(store: Store, text: str) -> CommitId:
    """Returns the commit that a revision names.

    Raises:
        NotFound: there is no such commit, branch or ancestor.
        InvalidInput: the abbreviation is ambiguous, or the text is no revision.
    """
    match = _REVISION.fullmatch(text)
    if match is None:
        raise InvalidInput("a revision is empty", hint="name a branch or a commit")
    commit = _named(store, match[1])
    for kind, count in _STEP.findall(match[2]):
        number = int(count or 1)
        commit = _ancestor(store, commit, number) if kind == "~" else _parent(store, commit, number)
    return commit


def _named(store: Store, name: str) -> CommitId:
    if name in (HEAD, "@"):
        head = store.refs.head
        if head is None:
            raise NotFound(
                f"branch {store.refs.current!r} has no commit yet", hint="run `sopor commit` first"
            )
        return head
    branch = store.refs.get(name)
    if branch is None and name.startswith(REMOTE_PREFIX):
        branch = store.refs.remotes().get(name.removeprefix(REMOTE_PREFIX))
    return branch or store.commits.find(name)


def _ancestor(store: Store, commit: CommitId, steps: int) -> CommitId:
    for _ in range(steps):
        commit = _parent(store, commit, 1)
    return commit


def _parent(store: Store, commit: CommitId, number: int) -> CommitId:
    if number == 0:
        return commit
    parents = store.commits.parents(commit)
    if number > len(parents):
        raise NotFound(f"commit {commit.short} has no parent {number}", hint="see `sopor log`")
    return parents[number - 1]
