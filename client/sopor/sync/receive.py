"""Takes in what a server sent: verifies all of it, then stores it in one transaction (SPEC 11).

Nothing of an answer is believed. An answer that fails anywhere changes nothing on this side; pack
files that were already written are named by nothing then, and `Receiver` deletes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from sopor.crypto.keys import ProjectKeys
from sopor.crypto.labels import open_branch_label
from sopor.crypto.pack import PackObject, open_pack
from sopor.errors import fewer_members
from sopor.records import dataclass
from sopor.store import Store
from sopor.sync.verify import take_commits
from sopor_core.errors import ForkError, Layer, RollbackError, VerificationError
from sopor_core.ids import CommitId, OrgId, PackId, ProjectId
from sopor_core.membership import MembershipEntry, MembershipLog
from sopor_core.push_entry import BranchOp, Citation, ListedCommit, ListedPack, PushEntry
from sopor_core.push_log import LogCheckedEntry, LogPosition, check_entry

FetchPack = Callable[[PackId, int], bytes]
"""Fetches a pack that an answer names but does not hold: ``fetch(id, size)``."""


class Answer(Protocol):
    """What a pull, or a refused push, brings: nothing of it is verified."""

    @property
    def head(self) -> Citation:
        """Where the server says that the push log ends."""

    @property
    def members(self) -> Citation:
        """Where the server says that the membership log ends."""

    @property
    def more(self) -> bool:
        """Whether the server has further entries for another request."""

    @property
    def membership_entries(self) -> Sequence[bytes]:
        """Membership entries after the ones known here."""

    @property
    def entries(self) -> Sequence[bytes]:
        """Push entries after the pin."""

    @property
    def packs(self) -> Mapping[PackId, bytes]:
        """Packs of these entries, as far as they fit the answer."""


@dataclass(frozen=True, slots=True)
class Received:
    """What an answer brought: verified entries, and whether there is more to ask for."""

    entries: int
    commits: int
    more: bool

    def and_then(self, later: Received) -> Received:
        """Returns what two answers brought together."""
        return Received(self.entries + later.entries, self.commits + later.commits, later.more)


class Receiver:
    """Verifies and stores answers for one project of one organization."""

    def __init__(
        self,
        store: Store,
        project: ProjectId,
        org: OrgId,
        unlock: Callable[[MembershipLog], ProjectKeys],
        fetch: FetchPack,
    ) -> None:
        """Takes what verifying needs; ``unlock`` unwraps the project's keys from the log."""
        self._store = store
        self._project = project
        self._org = org
        self._unlock = unlock
        self._fetch = fetch
        self._written: list[PackId] = []

    def receive(self, answer: Answer) -> Received:
        """Verifies an answer and stores it.

        Raises:
            RollbackError: the server shows an older log than was verified before.
            ForkError: it shows another history.
            VerificationError: anything else that SPEC section 11 refuses.
        """
        self._written = []
        try:
            with self._store.transaction():
                received = self._receive(answer)
        except BaseException:
            self._store.log.forget_membership()
            for pack in self._written:
                self._store.files.delete(pack)
            raise
        return received

    def catch_up(self, verified: Sequence[bytes]) -> None:
        """Takes in the membership entries that this device verified elsewhere, from the first on.

        Raises:
            ForkError: they are of another history than this working copy's.
        """
        try:
            with self._store.transaction():
                log = self._store.log.membership(self._org)
                self._append_membership(log, verified[log.head.seq :])
        except BaseException:
            self._store.log.forget_membership()
            raise

    def _append_membership(self, log: MembershipLog, entries: Sequence[bytes]) -> None:
        for data in entries:
            entry = MembershipEntry.parse(data)
            log.append(entry)
            self._store.log.append_membership(entry)
        self._check_cuts(log)

    def _receive(self, answer: Answer) -> Received:
        membership = self._extend_membership(answer)
        keys = self._unlock(membership)
        self._store.objects.unlock(keys)
        commits = 0
        for data in answer.entries:
            commits += self._take_entry(PushEntry.parse(data), membership, keys, answer)
        self._check_head(answer)
        if answer.more and not answer.entries and not answer.membership_entries:
            raise VerificationError(Layer.WIRE, "the answer announces more and brings nothing")
        return Received(len(answer.entries), commits, answer.more)

    def _extend_membership(self, answer: Answer) -> MembershipLog:
        log = self._store.log.membership(self._org)
        self._append_membership(log, answer.membership_entries)
        if answer.members.seq < log.head.seq:
            raise fewer_members(answer.members.seq, log.head.seq)
        if answer.members.seq == log.head.seq and answer.members != log.head:
            raise ForkError("the server shows another membership log than was verified before")
        if not answer.more and answer.members != log.head:
            raise VerificationError(
                Layer.WIRE, "the answer lacks the membership entries that it announces"
            )
        return log

    def _check_cuts(self, membership: MembershipLog) -> None:
        """Compares what was verified before with where the members say that the log was cut."""
        log = self._store.log
        for cut in membership.cuts(self._project):
            entry = log.entry(cut.push.seq)
            if entry is not None and entry.hash != cut.push.hash:
                raise ForkError(f"entry {entry.seq} is another one than the members agreed on")
            behind = log.entry(cut.push.seq + 1)
            if behind is not None and behind.members.seq < cut.members:
                raise ForkError(
                    f"entry {behind.seq} was pushed after a change of the members that it does "
                    "not know",
                    hint="compare `sopor log` with another member's; somebody who was removed "
                    "may work together with the server",
                )

    def _check_head(self, answer: Answer) -> None:
        pin = self._store.log.pin
        if answer.head.seq < pin.seq:
            raise RollbackError(
                f"the server shows {answer.head.seq} entries where {pin.seq} were verified before",
                hint="ask who runs the server: if a backup was restored, `sopor repair` helps",
            )
        if answer.head.seq == pin.seq and answer.head != pin:
            raise ForkError("the server shows another history than was verified before")
        if not answer.more and answer.head != pin:
            raise VerificationError(Layer.WIRE, "the answer lacks the entries that it announces")

    def _take_entry(
        self, entry: PushEntry, membership: MembershipLog, keys: ProjectKeys, answer: Answer
    ) -> int:
        if self._store.log.holds_op(entry.op):
            raise VerificationError(Layer.CHAIN, f"entry {entry.seq} repeats an older operation")
        position = self.position()
        checked = check_entry(entry, position, membership)
        objects: list[PackObject] = []
        for listed in checked.packs:
            brought = self._open_pack(listed, checked, keys, answer)
            # A pack may build on an earlier one of its entry.
            number = self._store.objects.add_pack(listed.id, listed.size, checked.seq)
            self._store.objects.add(number, brought, published=True)
            objects += brought
        taken = take_commits(self._store, keys.content_ids, checked, objects)
        for op in checked.ops:
            self.move_branch(checked, op, keys)
        self._store.log.append(checked)
        return taken

    def position(self) -> LogPosition:
        """Returns what is known of the log so far."""
        log = self._store.log
        return LogPosition(
            project=self._project,
            head=log.pin,
            cited=log.cited,
            head_of=self._store.refs.remote_head,
            commit=self._published,
        )

    def _published(self, commit: CommitId) -> ListedCommit | None:
        commits = self._store.commits
        return commits.listed(commit) if commits.published(commit) else None

    def _open_pack(
        self, listed: ListedPack, entry: LogCheckedEntry, keys: ProjectKeys, answer: Answer
    ) -> list[PackObject]:
        data = answer.packs.get(listed.id)
        if data is None:
            data = self._fetch(listed.id, listed.size)
        opened = open_pack(keys, data, listed.id, listed.size, self._store.objects.known_base)
        if opened.epoch != entry.epoch:
            raise VerificationError(
                Layer.EPOCH,
                f"pack {listed.id.short} is sealed under epoch {opened.epoch}, "
                f"its entry {entry.seq} is of epoch {entry.epoch}",
            )
        objects = list(opened.objects())
        if not self._store.files.path(listed.id).exists():
            self._written.append(listed.id)
            self._store.files.write(listed.id, data)
        return objects

    def move_branch(self, entry: LogCheckedEntry, op: BranchOp, keys: ProjectKeys) -> None:
        """Records what an operation of a checked entry does; raises VerificationError (``ops``)."""
        refs = self._store.refs
        if op.new is None:
            refs.delete_remote(op.branch)
            return
        name = refs.remote_name(op.branch)
        if op.label is not None:
            name = open_branch_label(keys, entry.epoch, op.branch, op.label)
        if name is None:
            raise VerificationError(Layer.OPS, "a branch is moved that nobody created")
        refs.set_remote(op.branch, name, op.new)
