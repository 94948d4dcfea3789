"""Cuts off what is known already from an answer that may overlap with it (SPEC section 10.1).

Events come at least once, and others may have pulled meanwhile. What is left continues what is
known, so that `sopor.sync.receive` verifies it as an answer of pull. Nothing is verified here, but
that what is known stands in the answer as it is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Protocol, TypeVar

from sopor.records import dataclass
from sopor.store import Store
from sopor.sync.receive import Answer
from sopor_core.errors import ForkError
from sopor_core.ids import EntryHash, PackId
from sopor_core.membership import MembershipEntry, MembershipLog
from sopor_core.push_entry import Citation, PushEntry


class Missing(Exception):
    """Says that something is missing between what is known and what an answer brings."""


class _Entry(Protocol):
    """An entry of either log."""

    @property
    def seq(self) -> int:
        """Its number."""

    @property
    def hash(self) -> EntryHash:
        """Its hash."""

    @property
    def encoded(self) -> bytes:
        """Its canonical bytes."""


E = TypeVar("E", bound=_Entry)


@dataclass(frozen=True, slots=True)
class Rest:
    """What an answer brings beyond what is known; see `sopor.sync.receive.Answer`."""

    head: Citation
    members: Citation
    more: bool
    membership_entries: Sequence[bytes] = field(default=(), repr=False)
    entries: Sequence[bytes] = field(default=(), repr=False)
    packs: Mapping[PackId, bytes] = field(default_factory=dict, repr=False)


def beyond(answer: Answer, store: Store, membership: MembershipLog) -> Rest | None:
    """Returns what an answer brings beyond what is verified, or None if that is nothing.

    Raises:
        Missing: it does not continue what is known, or announces what it does not bring.
        ForkError: it shows something else in a place that is known.
        VerificationError: layer ``canonical`` or ``parse``: an entry has no right shape.
    """

    def check_push(cited: Citation) -> None:
        known = store.log.entry(cited.seq)
        if known is not None and known.hash != cited.hash:
            raise ForkError(f"entry {cited.seq} is another one than was verified before")

    def check_member(cited: Citation) -> None:
        if cited.seq:
            membership.check_citation(cited)

    pushed = list(map(PushEntry.parse, answer.entries))
    joined = list(map(MembershipEntry.parse, answer.membership_entries))
    new_members = _after(joined, membership.head, check_member)
    new_pushes = _after(pushed, store.log.pin, check_push)
    members = _end(new_members, membership.head, answer.members, check_member)
    head = _end(new_pushes, store.log.pin, answer.head, check_push)
    if not new_members and not new_pushes:
        behind = (head, members) != (store.log.pin, membership.head)
        if behind and not answer.more:
            raise Missing
        return None
    return Rest(
        head,
        members,
        answer.more,
        [entry.encoded for entry in new_members],
        [entry.encoded for entry in new_pushes],
        answer.packs,
    )


def _after(entries: Sequence[E], known: Citation, check: Callable[[Citation], None]) -> list[E]:
    """Returns the entries after the newest one that is known; compares the others with it."""
    new = [entry for entry in entries if entry.seq > known.seq]
    if new and new[0].seq > known.seq + 1:
        raise Missing
    for entry in entries:
        if entry.seq <= known.seq:
            check(Citation(entry.seq, entry.hash))
    return new


def _end(
    new: Sequence[E], known: Citation, told: Citation, check: Callable[[Citation], None]
) -> Citation:
    """Returns where a log ends by an answer, but for what was overtaken since it was made."""
    newest = Citation(new[-1].seq, new[-1].hash) if new else known
    if told.seq > newest.seq:
        return told
    if told.seq <= known.seq:
        check(told)
        return newest
    return told if told.seq == newest.seq else newest
