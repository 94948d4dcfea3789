"""Makes epochs of a scope, and opens all of them from the newest (SPEC sections 6 and 8.2)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Protocol

from sopor.crypto.keys import FIRST_EPOCH, EpochSecret, ProjectKeys, u32
from sopor.crypto.primitives import RandomSource, hkdf, open_sealed, seal
from sopor.crypto.wraps import HOME, WrapContext, wrap
from sopor.records import dataclass
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import AccountId, InviteId, OrgId
from sopor_core.membership import Access, Epoch, MembershipLog, Recipient, Scope, ScopeKeys
from sopor_core.push_entry import Citation

_PREVIOUS = "sopor/1 previous"


class Unwrapper(Protocol):
    """Holds a private encryption key: an account's keys, or an invite's."""

    def unwrap(self, wrapped: bytes, context: WrapContext, commitment: bytes) -> EpochSecret:
        """Unwraps an epoch secret; raises VerificationError (``epoch``)."""


@dataclass(frozen=True)
class Addresses:
    """The public encryption keys of everybody whom a scope's secret is wrapped for."""

    accounts: Mapping[AccountId, bytes]
    invites: Mapping[InviteId, bytes]

    @classmethod
    def of(cls, log: MembershipLog, access: Access, scope: Scope) -> Addresses:
        """Returns the keys that a verified log knows for the recipients in ``access``.

        ``access`` is that of after the entry in which the epoch will stand.
        """
        wanted = access.recipients(scope)
        return cls(
            {account: log.identity(account).encryption for account in wanted.accounts},
            {invite: access.invites[invite].encryption for invite in wanted.invites},
        )


def wrap_context(org: OrgId, home: Scope, scope: Scope, epoch: int, to: Recipient) -> WrapContext:
    """Returns what a wrap in an organization's log is bound to."""
    return WrapContext(HOME if scope == home else org, scope, epoch, to)


def first_epoch(org: OrgId, scope: Scope, secret: EpochSecret, to: Addresses) -> Epoch:
    """Makes the first epoch of a scope; ``org`` is `HOME` for a home."""
    return _epoch(org, scope, FIRST_EPOCH, secret, to)


def next_epoch(
    org: OrgId,
    keys: ProjectKeys,
    to: Addresses,
    cut: Citation | None,
) -> tuple[EpochSecret, Epoch]:
    """Makes the epoch after the newest one, with a new secret.

    ``cut`` is the head of the project's push log; None for a home.
    """
    secret, scope, number = EpochSecret.random(), keys.project, keys.newest + 1
    previous = seal_previous(secret, scope, number, keys.secret(keys.newest))
    bound = HOME if cut is None else org
    return secret, _epoch(bound, scope, number, secret, to, previous, cut)


def _epoch(
    bound: OrgId,
    scope: Scope,
    number: int,
    secret: EpochSecret,
    to: Addresses,
    previous: bytes = b"",
    cut: Citation | None = None,
) -> Epoch:
    def wrapped(recipient: Recipient, key: bytes) -> bytes:
        return wrap(secret, key, WrapContext(bound, scope, number, recipient))

    return Epoch(
        number,
        secret.commitment(scope, number),
        {account: wrapped(account, key) for account, key in to.accounts.items()},
        {invite: wrapped(invite, key) for invite, key in to.invites.items()},
        previous,
        cut,
    )


def seal_previous(
    secret: EpochSecret,
    scope: Scope,
    number: int,
    before: EpochSecret,
    random: RandomSource = secrets.token_bytes,
) -> bytes:
    """Seals the secret of epoch ``number - 1`` under that of ``number``; returns 60 bytes."""
    return seal(
        _previous_key(secret, scope, number), before.reveal(), _associated(scope, number), random
    )


def _previous_key(secret: EpochSecret, scope: Scope, number: int) -> bytes:
    return hkdf(secret.reveal(), scope, _PREVIOUS, u32(number))


def _associated(scope: Scope, number: int) -> bytes:
    return _PREVIOUS.encode("ascii") + b"\0" + scope + u32(number)


def open_epochs(
    newest: EpochSecret, scope: Scope, epochs: Sequence[Epoch]
) -> dict[int, EpochSecret]:
    """Returns the secrets of all epochs, from the newest one down.

    Args:
        newest: the secret of the last epoch, compared with its commitment already.
        scope: the scope.
        epochs: all epochs of the scope from the verified log.

    Raises:
        VerificationError: layer ``epoch``, if an earlier secret does not open or is another one.
    """
    found = {epochs[-1].number: newest}
    for epoch, before in zip(reversed(epochs), reversed(epochs[:-1]), strict=False):
        secret = found[epoch.number]
        key = _previous_key(secret, scope, epoch.number)
        associated = _associated(scope, epoch.number)
        plain = open_sealed(key, epoch.previous, associated, Layer.EPOCH, "the key of an epoch")
        earlier = EpochSecret(plain)
        earlier.check_commitment(scope, before.number, before.commitment)
        found[before.number] = earlier
    return found


def unlock_scope(log: MembershipLog, scope: Scope, who: Recipient, key: Unwrapper) -> ProjectKeys:
    """Returns all keys of a scope, from the wrap for one recipient in a verified log.

    Raises:
        VerificationError: layer ``membership`` for a scope that is not there; layer ``epoch`` if
            there is no wrap for the recipient, or something does not open.
    """
    present = log.keys(scope)
    wrapped = wrap_for(present, who)
    if wrapped is None:
        raise VerificationError(
            Layer.EPOCH,
            "the project's key is not wrapped for this account",
            hint="ask an admin of the organization to share the project with you",
        )
    context = wrap_context(log.org, log.home, scope, present.epoch, who)
    newest = key.unwrap(wrapped, context, present.commitment)
    return ProjectKeys(scope, open_epochs(newest, scope, log.epochs(scope)))


def wrap_for(keys: ScopeKeys, who: Recipient) -> bytes | None:
    """Returns the wrap of the present epoch's secret for somebody, or None."""
    return keys.invites.get(who) if isinstance(who, InviteId) else keys.wraps.get(who)
