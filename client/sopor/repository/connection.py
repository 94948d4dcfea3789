"""A published project together with its account: receives, publishes, sends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from sopor.account import Account
from sopor.crypto.keys import ProjectKeys
from sopor.errors import NotFound, PermissionDenied, SoporError, StateConflict
from sopor.moments import now
from sopor.organization import Organization, check_own_place
from sopor.organization.ledger import Ledger
from sopor.organization.pins import PushPins
from sopor.organization.settling import due_for, settle
from sopor.remote import LogMoved, PullAnswer, Remote
from sopor.repository.context import Context
from sopor.repository.project_keys import unwrap_keys
from sopor.sync.publish import BranchMove, Prepared, Publisher
from sopor.sync.receive import Received, Receiver
from sopor_core.errors import Layer, RollbackError, VerificationError
from sopor_core.ids import OrgId, PackId
from sopor_core.membership import MembershipLog, Status


class Connection:
    """Talks to the server of a project in the name of the account that it belongs to."""

    def __init__(self, context: Context, org: OrgId, account: Account) -> None:
        """Takes a working copy whose project is published in ``org``."""
        self._context = context
        self.org = org
        self._account = account
        self._receiver = Receiver(
            context.store, context.project, org, self._unlock, self._fetch_pack
        )

    @classmethod
    def of(cls, context: Context) -> Connection:
        """Connects; raises StateConflict if the project is on no server yet."""
        org = context.org
        if org is None:
            raise StateConflict(
                "the project is on no server yet", hint="publish it with `sopor push`"
            )
        return cls(context, org, context.accounts.of(context.store))

    @cached_property
    def remote(self) -> Remote:
        """The server."""
        return self._account.remote

    @property
    def account(self) -> Account:
        """The account."""
        return self._account

    @property
    def membership(self) -> MembershipLog:
        """The verified membership log."""
        return self._context.store.log.membership(self.org)

    def _unlock(self, membership: MembershipLog) -> ProjectKeys:
        check_own_place(membership, self._account)
        return unwrap_keys(self._account.keys, membership, self._context.project)

    def _fetch_pack(self, pack: PackId, size: int) -> bytes:
        self._context.progress(f"fetching {size:,} bytes")
        try:
            return self.remote.get_pack(self._context.project, pack, size)
        except NotFound:
            raise VerificationError(
                Layer.PACK,
                f"the server does not have pack {pack.short}, which its log lists",
                hint="nothing here was changed; the device that pushed it still has it: "
                "ask who runs the server",
            ) from None

    def fetch(self) -> Received:
        """Receives everything that is new, and makes the keys that wait for this account."""
        self._agree_on_membership()
        received = self._fetch()
        if self._make_due_keys():
            received = received.and_then(self._fetch())
        return received

    def _make_due_keys(self) -> bool:
        """Makes the keys that wait for this account; tells whether there were any."""
        if not due_for(self.membership, self._account.known.account):
            return False
        settle(Organization(self._account, self.org).refresh())
        self._context.progress("made new keys, as a member left or changed keys")
        return True

    def _fetch(self) -> Received:
        entries = commits = 0
        more = True
        while more:
            pin = self._context.store.log.pin
            with self._explaining_absence():
                answer = self.remote.pull(self._context.project, pin, self.membership.head.seq)
            if answer is None:
                break
            received = self._receiver.receive(answer)
            entries, commits = entries + received.entries, commits + received.commits
            more = received.more
            self._context.progress(f"verified {entries} entries, {commits} commits")
            if answer.membership_entries:
                self._agree_on_membership()
        if entries:
            self._note_pin()
        self._check_reaches_cut()
        return Received(entries, commits, more=False)

    def take(self, answer: PullAnswer) -> None:
        """Takes in what an event brings, as far as it is new; makes no keys that wait.

        Raises:
            Missing: it does not continue what is known here.
            VerificationError: it does not verify; nothing was taken in.
        """
        from sopor.sync.overlap import beyond

        self._agree_on_membership()
        rest = beyond(answer, self._context.store, self.membership)
        if rest is None:
            return
        self._receiver.receive(rest)
        if rest.membership_entries:
            self._agree_on_membership()
        if rest.entries:
            self._note_pin()
        if not rest.more:
            self._check_reaches_cut()

    def _is_behind_cut(self) -> bool:
        cut = self.membership.last_cut(self._context.project)
        return self._context.store.log.pin.seq < cut.seq

    def _check_reaches_cut(self) -> None:
        if self._is_behind_cut():
            raise RollbackError(
                "the server hides entries of the push log that the members agreed on",
                hint="ask who runs the server: if a backup was restored, `sopor repair` helps",
            )

    def _note_pin(self) -> None:
        account = self._account
        pins = PushPins(account.entry.home, account.known.account)
        pins.note(self._context.project, self._context.store.log.pin)

    def _agree_on_membership(self) -> None:
        """Has working copy and device know the same members; raises ForkError if that cannot be.

        Who removed somebody on this device writes under the new keys from then on, though the
        server may hide the removal from the working copy.
        """
        ledger = Ledger(self._account.entry.home, self._account.known.account)
        verified = ledger.load(self.org)
        if len(verified) > self.membership.head.seq:
            self._receiver.catch_up(verified)
        present = self._context.store.log.membership_entries()
        if present != verified:
            ledger.adopt(self.org, present)

    def get_ready(self) -> None:
        """Receives what an entry of this account needs before it can be signed, if anything.

        Raises:
            PermissionDenied: the account may not push to the project, or nobody may.
        """
        self._agree_on_membership()
        mine = self._account.identity
        changed = self.membership.identity(mine.account) != mine
        if changed or self._make_due_keys() or self._is_behind_cut():
            self._fetch()
        self._check_may_push()

    def prepare(self, moves: list[BranchMove]) -> Prepared:
        """Makes the entry that moves branches."""
        context = self._context
        publisher = self._publisher
        return publisher.prepare(context.project, moves, now())

    def _check_may_push(self) -> None:
        if self._account.next_keys is not None:
            raise StateConflict(
                "the change of this account's keys is not finished", hint="run `sopor rekey` again"
            )
        membership, project = self.membership, self._context.project
        status = membership.status(project)
        if status is not Status.ACTIVE:
            raise PermissionDenied(
                f"the project is {status}",
                hint="an owner or admin can revive it: `sopor project revive`"
                if status is Status.ARCHIVED
                else "what you have stays here; nothing more is shared",
            )
        role = membership.access.role(self._account.known.account, project)
        if role is None:
            raise self._no_access()
        if not role.may_write:
            raise PermissionDenied(
                f"you are {role} of the project, and may not push",
                hint="ask an owner or admin for the role editor: `sopor org members`",
            )

    @property
    def _publisher(self) -> Publisher:
        return Publisher(
            self._context.store,
            self._receiver,
            self._context.keys,
            self.membership,
            self._account.identity.account,
            self._account.keys,
        )

    def send(self, prepared: Prepared) -> bool:
        """Sends an entry and records it; returns False if the log had moved, which is received.

        Raises:
            QuotaExceeded, PermissionDenied, ServerUnreachable, ...: it was not taken.
        """
        project, entry = self._context.project, prepared.entry
        try:
            with self._explaining_absence():
                if not entry.packs:
                    self.remote.change_branches(project, entry, {})
                elif len(entry.commits) == 1 and entry.commits[0].same is not None:
                    self.remote.revert(project, entry, prepared.packs)
                else:
                    self.remote.push(project, entry, prepared.packs)
        except LogMoved as moved:
            if self._receiver.receive(moved.answer).more:
                self.fetch()
            return False
        self._publisher.record(prepared)
        self._note_pin()
        return True

    @contextmanager
    def _explaining_absence(self) -> Iterator[None]:
        """Says why the server may have nothing for this account where it had something before."""
        try:
            yield
        except NotFound:
            raise self._absence() from None

    def _no_access(self) -> PermissionDenied:
        return PermissionDenied(
            f"you have no access to {self._context.project_name} any more",
            hint="ask an owner or admin: `sopor org members`; what you have stays here",
        )

    def _absence(self) -> SoporError:
        name = self._context.project_name
        try:
            organization = Organization(self._account, self.org).refresh()
        except NotFound:
            return NotFound(
                f"{name} is not there for you any more: you were removed from its organization, "
                "or the server lost it",
                hint="ask an owner of the organization; what you have stays here, and readable",
            )
        project = self._context.project
        if organization.log.access.role(organization.me, project) is None:
            return self._no_access()
        return NotFound(
            f"the server does not have {name}, which its organization lists",
            hint="if it was restored from a backup, `sopor repair` helps",
        )
