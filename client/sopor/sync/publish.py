"""Makes the entry and the packs of a push, and records them once the server has taken them.

Ordering: packs reach the server before the entry that lists them, and the local log after the
server's answer. A push that was killed in between is found again in the log by the next pull, as
its commits are known by their ids; so there is no journal to replay and nothing is sent twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import field

from sopor.crypto.keys import ProjectKeys
from sopor.crypto.labels import seal_branch_label
from sopor.crypto.pack import Base, PackObject, open_pack, write_packs
from sopor.records import dataclass
from sopor.store import Store
from sopor.sync.receive import Receiver
from sopor_core.errors import InvalidValue
from sopor_core.ids import AccountId, BranchId, Cid, CommitId, OpId, PackId, ProjectId
from sopor_core.limits import MAX_BASE_CHAIN, MAX_LISTED_COMMITS, MAX_LISTED_PACKS
from sopor_core.membership import MembershipLog
from sopor_core.push_entry import BranchOp, ListedCommit, ListedPack, PushEntry, Signer
from sopor_core.push_log import LogCheckedEntry, check_entry


@dataclass(frozen=True, slots=True)
class BranchMove:
    """A wish: the remote branch of this name shall be at ``new`` (None: be deleted)."""

    name: str
    new: CommitId | None


@dataclass(frozen=True)
class Prepared:
    """An entry that passed this side's own checks, and what goes with it."""

    entry: LogCheckedEntry
    packs: dict[PackId, bytes] = field(repr=False)
    new_commits: tuple[CommitId, ...]
    documents: tuple[Cid, ...] = field(repr=False)
    objects: dict[PackId, tuple[PackObject, ...]] = field(repr=False)

    @property
    def bytes(self) -> int:
        """The size of the packs."""
        return sum(map(len, self.packs.values()))


class Publisher:
    """Writes entries of one project in the name of one account."""

    def __init__(
        self,
        store: Store,
        receiver: Receiver,
        keys: ProjectKeys,
        membership: MembershipLog,
        account: AccountId,
        signer: Signer,
    ) -> None:
        """Takes who signs, and what is known of the project."""
        self._store = store
        self._receiver = receiver
        self._keys = keys
        self._membership = membership
        self._account = account
        self._signer = signer

    def prepare(self, project: ProjectId, moves: Sequence[BranchMove], now: int) -> Prepared:
        """Makes the entry that moves these branches, signed and checked.

        Raises:
            InvalidValue: more commits or packs than one entry takes.
            VerificationError: the entry would be refused by everybody else as well.
        """
        new = self._new_commits(move.new for move in moves if move.new is not None)
        documents = self._documents(new)
        packs, objects = self._packs(new, documents)
        pin = self._store.log.pin
        entry = PushEntry(
            project=project,
            seq=pin.seq + 1,
            prev=pin.hash,
            op=OpId.random(),
            epoch=self._membership.keys(project).epoch,
            members=self._membership.head,
            actor=self._account,
            time=now,
            ops=tuple(map(self._op, moves)),
            commits=tuple(self._listed(moves, new)),
            packs=tuple(ListedPack(pack, len(data)) for pack, data in packs.items()),
        ).sign(self._signer)
        checked = check_entry(entry, self._receiver.position(), self._membership)
        return Prepared(checked, packs, tuple(new), documents, objects)

    def record(self, prepared: Prepared) -> None:
        """Stores an entry that the server has taken; repacked objects move to the new pack."""
        store, entry = self._store, prepared.entry
        for pack, data in prepared.packs.items():
            if not store.files.path(pack).exists():
                store.files.write(pack, data)
        replaced: set[PackId] = set()
        with store.transaction():
            numbers = {p.id: store.objects.add_pack(p.id, p.size, entry.seq) for p in entry.packs}
            for pack, objects in prepared.objects.items():
                store.objects.add(numbers[pack], objects, published=True)
            store.commits.mark_published(prepared.new_commits, entry.seq)
            for op in entry.ops:
                self._receiver.move_branch(entry, op, self._keys)
            store.log.append(entry)
            store.objects.publish(prepared.documents)
            if prepared.objects:
                replaced = store.commits.release_packs(prepared.new_commits)
                replaced = {pack for pack in replaced if not store.objects.documents_of(pack)}
                store.objects.forget_packs(replaced)
        for pack in replaced:
            store.files.delete(pack)

    def _new_commits(self, heads: Iterable[CommitId]) -> list[CommitId]:
        """Returns commits that no entry lists yet; raises InvalidValue for more than one takes."""
        order = self._store.commits.unpublished(heads)
        if len(order) > MAX_LISTED_COMMITS:
            raise InvalidValue(
                f"{len(order)} commits are more than one push takes ({MAX_LISTED_COMMITS})",
                hint="push an earlier commit of the branch first: `sopor push --upto COMMIT`",
            )
        return order

    def _op(self, move: BranchMove) -> BranchOp:
        branch = self._branch_id(move.name)
        old = self._store.refs.remote_head(branch)
        label = None
        if old is None:
            epoch = self._membership.keys(self._keys.project).epoch
            label = seal_branch_label(self._keys, epoch, move.name)
        return BranchOp(branch, old, move.new, label)

    def _branch_id(self, name: str) -> BranchId:
        return self._keys.content_ids.branch_id(name)

    def _listed(
        self, moves: Sequence[BranchMove], new: Sequence[CommitId]
    ) -> Iterable[ListedCommit]:
        known_path: list[CommitId] = []
        for move in moves:
            old = self._store.refs.remote_head(self._branch_id(move.name))
            if move.new is not None and old is not None:
                path = _path(self._store.commits.parents, old, move.new)
                known_path += [step for step in path if self._store.commits.published(step)]
        for commit in dict.fromkeys([*known_path, *new]):
            listed = self._store.commits.listed(commit)
            if listed is not None:
                yield listed

    def _bases(self, new: Sequence[CommitId], packed: set[Cid]) -> dict[Cid, tuple[Cid, Base]]:
        """Finds previous versions as compression prefixes: what everybody has, or what is packed.

        Of a document that comes back, the version before its first return counts.
        """
        objects, bases = self._store.objects, dict[Cid, tuple[Cid, Base]]()
        for commit in new:
            parents = self._store.commits.parents(commit)
            before = self._store.commits.state(parents[0] if parents else None)
            for document_id, cid in self._store.commits.get(commit).changes.items():
                old = before.get(document_id)
                if cid is not None and cid in packed and old is not None and cid not in bases:
                    bases[cid] = (old, objects.base(old))
        return bases

    def _documents(self, new: Sequence[CommitId]) -> tuple[Cid, ...]:
        """Returns the contents that these commits bring and that no entry has brought yet."""
        commits = self._store.commits
        changed = (cid for commit in new for cid in commits.get(commit).changes.values())
        return tuple(self._store.objects.unpublished(filter(None, dict.fromkeys(changed))))

    def _goes_as_it_is(self, pack: PackId, data: bytes, epoch: int) -> bool:
        """Tells whether others can take a local pack in as it was written with its commit.

        Not one from before a removal, which is sealed under a key that the removed member has; nor
        one whose bases nobody else has, or has with other chains under them by now.
        """
        objects = self._store.objects
        opened = open_pack(self._keys, data, pack, len(data))
        if opened.epoch != epoch:
            return False
        depths = objects.depths(pack)
        for number, frame in enumerate(opened.index.frames, 1):
            below = [objects.published_depth(cid) for cid in frame.bases]
            known = [depth for depth in below if depth is not None]
            if len(known) < len(below):
                return False
            depth = 1 + max(known) if known else 0
            if depth > MAX_BASE_CHAIN or depths.get(number, depth) != depth:
                return False
        return True

    def _packs(
        self, new: Sequence[CommitId], documents: Sequence[Cid]
    ) -> tuple[dict[PackId, bytes], dict[PackId, tuple[PackObject, ...]]]:
        store, epoch = self._store, self._membership.keys(self._keys.project).epoch
        if len(new) <= 1:
            local = store.commits.packs_of(new)
            held = set().union(*map(store.objects.documents_of, local))
            found = {pack: store.files.read(pack) for pack in local}
            if held.issuperset(documents) and all(
                self._goes_as_it_is(pack, data, epoch) for pack, data in found.items()
            ):
                return found, {}
        sealed = write_packs(
            self._keys,
            epoch,
            {commit: store.commits.get(commit).encoded for commit in new},
            {cid: store.objects.read(cid) for cid in documents},
            self._bases(new, set(documents)),
        )
        if len(sealed) > MAX_LISTED_PACKS:
            raise InvalidValue(
                f"{len(sealed)} packs are more than one push takes ({MAX_LISTED_PACKS})",
                hint="push an earlier commit of the branch first: `sopor push --upto COMMIT`",
            )
        return {pack.id: pack.data for pack in sealed}, {pack.id: pack.objects for pack in sealed}


def _path(
    parents: Callable[[CommitId], tuple[CommitId, ...]], old: CommitId, new: CommitId
) -> list[CommitId]:
    """Returns commits from just after ``old`` to ``new``, along some chain of parents."""
    came_from: dict[CommitId, CommitId | None] = {new: None}
    todo = [new]
    for commit in todo:
        if commit == old:
            break
        for parent in parents(commit):
            if parent not in came_from:
                came_from[parent] = commit
                todo.append(parent)
    path: list[CommitId] = []
    step = came_from.get(old)
    while step is not None:
        path.append(step)
        step = came_from[step]
    return path
