"""One organization as an account sees it: its verified log, and changes of it.

Nothing that the server says is believed before the log verifies; what was verified once is kept on
the device (`sopor.organization.ledger`), so an older or another log is refused ever after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from sopor.account import Account
from sopor.crypto.invites import InviteCode, inviter_hash
from sopor.crypto.labels import open_organization_label, open_project_label
from sopor.errors import InvalidInput, PushRejected
from sopor.moments import now
from sopor.organization.drafting import Drafting, join
from sopor.organization.ledger import Ledger
from sopor.organization.pins import PushPins
from sopor.remote import HeadsMoved, LogMoved
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import AccountId, InviteId, InviteToken, OrgId, ProjectId
from sopor_core.membership import Body, MembershipEntry, MembershipLog
from sopor_core.push_entry import Citation

_ATTEMPTS = 20
Draft = Callable[[Drafting], Body]
"""Makes the body of an entry from the newest state; called again when the log moved."""


class Organization:
    """An organization that this device has a verified log of."""

    def __init__(self, account: Account, org: OrgId) -> None:
        """Takes the account; asks nothing so far."""
        self.id = org
        self._account = account
        self._ledger = Ledger(account.entry.home, account.known.account)
        self._pins = PushPins(account.entry.home, account.known.account)
        self._heads: Mapping[ProjectId, Citation] | None = None

    @property
    def me(self) -> AccountId:
        """The account."""
        return self._account.known.account

    @cached_property
    def log(self) -> MembershipLog:
        """The log as far as this device has verified it."""
        return MembershipLog.replay(self.id, self._ledger.load(self.id))

    @property
    def entries(self) -> list[MembershipEntry]:
        """All verified entries."""
        return [MembershipEntry.parse(data) for data in self._ledger.load(self.id)]

    def refresh(self, shown: Citation | None = None) -> Organization:
        """Fetches and verifies what is new; returns itself.

        Args:
            shown: where the log ends in a listing of the server, if it was asked.

        Raises:
            RollbackError, ForkError: the server shows an older or another log than before.
            VerificationError: an entry does not verify, or the log names other keys for the
                account than it has.
        """
        if shown is not None:
            self._ledger.check_shown(self.log, shown.seq)
        known, upto = self.log.head.seq, None if shown is None else shown.seq
        if upto is None or upto > known:
            fetched = self._account.remote.organizations.entries(self.id, known, upto=upto)
            self._take(fetched)
        if self.log.head.seq == 0:
            raise VerificationError(Layer.MEMBERSHIP, "the server has no entry of the organization")
        if shown is not None:
            self.log.check_citation(shown)
        if self.me in self.log.access.members:
            check_own_place(self.log, self._account)
        return self

    def _take(self, fetched: tuple[bytes, ...]) -> None:
        self.__dict__.pop("drafting", None)
        try:
            self._ledger.extend(self.log, fetched)
        except BaseException:
            # What verified before the entry that failed must not stay in this process alone.
            del self.log
            raise

    # -------------------------------------------------------------------------------------- names

    @property
    def name(self) -> str:
        """The organization's name."""
        label = self.log.label(self.log.home)
        keys = self.drafting.unlock(self.log.home)
        return open_organization_label(keys, label.epoch, label.sealed)

    def project_name(self, project: ProjectId) -> str:
        """Returns the name of a project that the account has access to."""
        label = self.log.label(project)
        return open_project_label(self.drafting.unlock(project), label.epoch, label.sealed)

    # ------------------------------------------------------------------------------------ changes

    @cached_property
    def drafting(self) -> Drafting:
        """Makes entries after the newest one; keeps the keys that it unlocked."""
        return Drafting(self.log, self._account.keys, self._known_heads)

    def _known_heads(self) -> Mapping[ProjectId, Citation]:
        if self._heads is None:
            told = self._account.remote.organizations.heads(self.id).projects
            self._heads = self._pins.check(told)
        return self._heads

    def append(self, draft: Draft) -> MembershipEntry:
        """Appends an entry; whatever comes in between is verified, and the entry made anew.

        Raises:
            VerificationError: layer ``role`` or ``membership``: nobody would accept the entry.
            PushRejected: the log moved at every attempt.
            PermissionDenied, QuotaExceeded, ServerUnreachable, ...: the server did not take it.
        """
        return self._append(lambda: self.drafting.entry(draft(self.drafting), now()))

    def _append(
        self, make: Callable[[], MembershipEntry], token: InviteToken | None = None
    ) -> MembershipEntry:
        for _ in range(_ATTEMPTS):
            entry = make()
            self.log.check(entry)
            try:
                self._account.remote.organizations.append(self.id, entry, token)
            except LogMoved as moved:
                self._take(moved.answer.membership_entries)
            except HeadsMoved as moved:
                self._heads = {**(self._heads or {}), **self._pins.check(moved.heads)}
            else:
                self._heads = None
                self._take((entry.encoded,))
                return entry
        raise PushRejected(
            "the organization changed at every attempt", hint="run the command again"
        )

    # ------------------------------------------------------------------------------------ joining

    def join(self, code: InviteCode) -> MembershipEntry:
        """Becomes a member with an invite code.

        Raises:
            InvalidInput: the invite is not open, or the account is a member already.
            VerificationError: the log is not the one that the code names.
        """
        invite, token = code.keys.invite, code.keys.token
        self._take(self._account.remote.organizations.entries(self.id, self.log.head.seq, token))
        if self.log.head.seq == 0:
            raise InvalidInput("the invite was used or cancelled", hint="ask for a new one")
        return self._append(lambda: self._joining(code, invite), token)

    def _joining(self, code: InviteCode, invite: InviteId) -> MembershipEntry:
        if self.me in self.log.access.members:
            raise InvalidInput("you are a member of this organization already")
        body = join(self.log, code, self._account.keys, self._account.login)
        given = self.log.access.invites[invite]
        if inviter_hash(self.log.identity(given.inviter)) != code.inviter:
            raise VerificationError(
                Layer.MEMBERSHIP,
                "the server shows other keys for who invited you than the code names",
                hint="join nothing; tell who invited you, and who runs the server",
            )
        return self.drafting.entry(body, now())


def check_own_place(membership: MembershipLog, account: Account) -> None:
    """Raises VerificationError unless the log knows the account with the account's own keys."""
    following = account.next_keys
    mine = {account.identity} | ({following.identity} if following else set())
    if membership.identity(account.known.account) not in mine:
        raise VerificationError(
            Layer.MEMBERSHIP,
            "the membership log names other keys for this account",
            hint="if you changed your keys on another device, run `sopor login`",
        )
