"""Commits by id, their graph, and the states that follow from them.

A state is the fold of the deltas along first parents; a snapshot every so often keeps that walk
short, so that nothing replays history in daily work.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sopor.errors import DamagedStore, InvalidInput, NotFound
from sopor.model.commit import Commit
from sopor.model.state import NodeHasher, State
from sopor.records import dataclass
from sopor.store.database import Database
from sopor_core.ids import CommitId, PackId, StateRoot

if TYPE_CHECKING:
    from sopor_core.push_entry import ListedCommit

_SNAPSHOT_EVERY = 32
_STATES_IN_MEMORY = 64
_MIN_PREFIX = 4


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit that was made here or verified, with its id.

    ``same`` is the older commit whose state it restores, where it is a revert to one.
    """

    id: CommitId
    commit: Commit
    same: CommitId | None = None


class Commits:
    """The commits that this working copy holds."""

    def __init__(self, database: Database) -> None:
        """Takes the database."""
        self._database = database
        self._states: OrderedDict[CommitId, State] = OrderedDict()

    def add(self, new: NewCommit, packs: Iterable[int], seq: int | None) -> None:
        """Stores a commit; one that is here already gets the entry that lists it.

        Args:
            new: the commit.
            packs: local numbers of the packs that were written with it, until it is published.
            seq: the entry that lists it, or None for a local one.
        """
        commit = new.commit
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO commits (id, parents, root, time, seq, same, data)"
                " VALUES (?,?,?,?,?,?,?)"
                " ON CONFLICT (id) DO UPDATE SET seq = coalesce(seq, excluded.seq)",
                (
                    new.id,
                    b"".join(commit.parents),
                    commit.root,
                    commit.time,
                    seq,
                    new.same,
                    commit.encoded,
                ),
            )
            connection.executemany(
                "INSERT OR IGNORE INTO commit_packs VALUES (?,?)",
                [(new.id, number) for number in packs],
            )

    def get(self, commit: CommitId) -> Commit:
        """Returns a commit; raises DamagedStore if it is not here."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT data FROM commits WHERE id = ?", (commit,)).fetchone()
        if row is None:
            raise _missing(commit)
        return Commit.parse(row[0])

    def listed(self, commit: CommitId) -> ListedCommit | None:
        """Returns the public part of a commit, or None if it is not here."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT parents, root, same FROM commits WHERE id = ?", (commit,)
            ).fetchone()
        if row is None:
            return None
        from sopor_core.push_entry import ListedCommit

        same = CommitId(row[2]) if row[2] else None
        return ListedCommit(commit, _ids(row[0]), StateRoot(row[1]), same)

    def parents(self, commit: CommitId) -> tuple[CommitId, ...]:
        """Returns a commit's parents; raises DamagedStore if it is not here."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT parents FROM commits WHERE id = ?", (commit,)
            ).fetchone()
        if row is None:
            raise _missing(commit)
        return _ids(row[0])

    def time(self, commit: CommitId) -> int:
        """Returns a commit's time in milliseconds; raises DamagedStore."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT time FROM commits WHERE id = ?", (commit,)).fetchone()
        if row is None:
            raise _missing(commit)
        return int(row[0])

    def number(self, commit: CommitId) -> int:
        """Returns the place in the order in which commits came here: parents before children."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT number FROM commits WHERE id = ?", (commit,)
            ).fetchone()
        if row is None:
            raise _missing(commit)
        return int(row[0])

    def published(self, commit: CommitId) -> bool:
        """Tells whether an entry of the push log lists the commit."""
        return self.seq(commit) is not None

    def seq(self, commit: CommitId) -> int | None:
        """Returns the entry that first listed the commit, or None."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT seq FROM commits WHERE id = ?", (commit,)).fetchone()
        return row[0] if row else None

    def find(self, prefix: str) -> CommitId:
        """Returns the commit whose hexadecimal id starts so.

        Raises:
            NotFound: there is none.
            InvalidInput: several start so, or the prefix is too short.
        """
        text = prefix.lower()
        if len(text) < _MIN_PREFIX or not set(text) <= set("0123456789abcdef"):
            raise NotFound(f"there is no commit or branch {prefix!r}", hint="see `sopor log`")
        with self._database.reading() as connection:
            digits = 2 * CommitId.SIZE
            bounds = (bytes.fromhex(text[:digits].ljust(digits, fill)) for fill in "0f")
            rows = connection.execute(
                "SELECT id FROM commits WHERE id BETWEEN ? AND ? LIMIT 2", tuple(bounds)
            ).fetchall()
        if not rows:
            raise NotFound(f"there is no commit {prefix!r}", hint="see `sopor log`")
        if len(rows) > 1:
            raise InvalidInput(f"several commits start with {prefix!r}", hint="type more of it")
        return CommitId(rows[0][0])

    def all_ids(self) -> list[CommitId]:
        """Returns every commit in the order in which they came: parents before children."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT id FROM commits ORDER BY number").fetchall()
        return [CommitId(commit) for (commit,) in rows]

    def state(self, commit: CommitId | None) -> State:
        """Returns the state of a commit; the empty one for None. Raises DamagedStore."""
        path: list[CommitId] = []
        state: State | None = State() if commit is None else None
        while state is None and commit is not None:
            state = self._known_state(commit)
            if state is None:
                path.append(commit)
                parents = self.parents(commit)
                commit = parents[0] if parents else None
                state = State() if commit is None else None
        result = state or State()
        for step in reversed(path):
            result = result.apply(self.get(step).changes)
        if path:
            self.remember_state(path[0], result)
        return result

    def _known_state(self, commit: CommitId) -> State | None:
        known = self._states.get(commit)
        if known is None:
            with self._database.reading() as connection:
                row = connection.execute(
                    "SELECT data FROM snapshots WHERE commit_id = ?", (commit,)
                ).fetchone()
            known = State.from_snapshot(row[0]) if row else None
        return known

    def remember_state(self, commit: CommitId, state: State) -> None:
        """Keeps a state in memory, as one of the last few."""
        self._states[commit] = state
        if len(self._states) > _STATES_IN_MEMORY:
            self._states.popitem(last=False)

    def snapshot_if_due(self, commit: CommitId, hasher: NodeHasher) -> None:
        """Stores the state of a branch head when the last snapshot is far behind it."""
        with self._database.transaction() as connection:
            steps, at = 0, commit
            find = "SELECT 1 FROM snapshots WHERE commit_id = ?"
            while steps < _SNAPSHOT_EVERY and not connection.execute(find, (at,)).fetchone():
                parents = self.parents(at)
                if not parents:
                    return
                steps, at = steps + 1, parents[0]
            if steps == _SNAPSHOT_EVERY:
                data = self.state(commit).to_snapshot(hasher)
                connection.execute("INSERT INTO snapshots VALUES (?,?)", (commit, data))

    def unpublished(self, heads: Iterable[CommitId]) -> list[CommitId]:
        """Returns what the heads reach and no entry lists yet, parents before children."""
        order: list[CommitId] = []
        seen: set[CommitId] = set()
        todo = [(head, False) for head in heads]
        while todo:
            commit, parents_done = todo.pop()
            if parents_done:
                order.append(commit)
            elif commit not in seen and not self.published(commit):
                seen.add(commit)
                todo.append((commit, True))
                todo.extend((parent, False) for parent in self.parents(commit))
        return order

    def mark_published(self, commits: Iterable[CommitId], seq: int) -> None:
        """Records the entry that lists commits which were local so far."""
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE commits SET seq = ? WHERE id = ? AND seq IS NULL",
                [(seq, commit) for commit in commits],
            )

    def packs_of(self, commits: Iterable[CommitId]) -> list[PackId]:
        """Returns the packs that were written with these local commits, each once."""
        found: dict[PackId, None] = {}
        with self._database.reading() as connection:
            for commit in commits:
                rows = connection.execute(
                    "SELECT id FROM packs JOIN commit_packs USING (number) WHERE commit_id = ?"
                    " ORDER BY number",
                    (commit,),
                ).fetchall()
                found.update((PackId(pack), None) for (pack,) in rows)
        return list(found)

    def release_packs(self, commits: Iterable[CommitId]) -> set[PackId]:
        """Forgets which packs were written with these commits; returns those packs."""
        commits = list(commits)
        packs = set(self.packs_of(commits))
        with self._database.transaction() as connection:
            connection.executemany(
                "DELETE FROM commit_packs WHERE commit_id = ?", [(commit,) for commit in commits]
            )
        return packs


def _ids(joined: bytes) -> tuple[CommitId, ...]:
    size = CommitId.SIZE
    return tuple(CommitId(joined[at : at + size]) for at in range(0, len(joined), size))


def _missing(commit: CommitId) -> DamagedStore:
    return DamagedStore(
        f"commit {commit.short} is not in .sopor", hint="run `sopor fsck` to see more"
    )
