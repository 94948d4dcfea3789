"""What a push needs to know of commits that earlier entries listed, with as few reads as it can.

Most pushes need none: their commits stand on branch heads, which came with the project.
"""

from __future__ import annotations

from collections.abc import Iterable

from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import CommitId
from sopor_core.push_entry import ListedCommit, PushEntry
from sopor_server.ports.metadata import MetadataStore
from sopor_server.ports.records import Project

_ANCESTORS = 512
_MOST_LOOKUPS = 1_000_000
"""A bound on the work that one entry can cause: each of its reverts may walk the whole history."""


class KnownCommits:
    """Answers `sopor_core.push_log.LogPosition.commit` for one entry.

    Of a commit that the entry lists itself it tells only what it knows without a read: whether it
    was listed differently before is the append's to find out.
    """

    def __init__(self, store: MetadataStore, project: Project, entry: PushEntry) -> None:
        self.listed = {commit.id: commit for commit in entry.commits}
        self._store = store
        self._project = project.id
        self._recent = project.known
        self._known = {branch.head.id: branch.head for branch in project.branches.values()}
        self._lookups = 0
        self._asked: set[CommitId] = set()
        self._named = _named(entry)
        self._walks = any(commit.same for commit in entry.commits)

    def find(self, commit: CommitId) -> ListedCommit | None:
        """Returns what earlier entries listed of a commit, or None.

        Raises:
            VerificationError: layer ``ops``, after a million questions.
        """
        self._lookups += 1
        if self._lookups > _MOST_LOOKUPS:
            raise VerificationError(
                Layer.OPS, "the entry needs too much work", hint="push fewer reverts at once"
            )
        if commit not in self._known and commit not in self.listed:
            self._load({commit} if commit in self._recent else {commit, *self._unasked()})
        return self._known.get(commit)

    def unknown(self) -> list[CommitId]:
        """Returns the commits of the entry that no earlier entry listed."""
        self._load(self.listed)
        return [commit for commit in self.listed if commit not in self._known]

    def _unasked(self) -> set[CommitId]:
        return set() if self._asked else self._named

    def _load(self, commits: Iterable[CommitId]) -> None:
        missing = set(commits) - self._known.keys() - self._asked
        recent = [commit for commit in missing if commit in self._recent]
        self._known.update((commit, self._recent[commit]) for commit in recent)
        missing.difference_update(recent)
        if missing:
            self._asked |= missing
            ancestors = _ANCESTORS if self._walks else 0
            self._known |= self._store.commits(self._project, missing, ancestors=ancestors)


def _named(entry: PushEntry) -> set[CommitId]:
    """Returns the commits that an entry names without listing them."""
    named = {op.new for op in entry.ops if op.new is not None}
    for commit in entry.commits:
        named.update(commit.parents)
        if commit.same is not None:
            named.add(commit.same)
    return named - {commit.id for commit in entry.commits}
