"""Random mutations of everything that a server stores or answers, verified in this process.

A `Hoard` is what an evil server has: stored byte strings by kind, and others of the same kinds that
are valid elsewhere. Each trial's ``run`` changes two things, has a client verify what comes of it,
and returns the layer that refused, or ``honest`` where the result is exactly the honest one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from sqlite3 import Connection
from typing import Any

from sopor.crypto.account import LoginKeys
from sopor.crypto.registration import unlock
from sopor.errors import VerificationError
from sopor.remote.answers import parse_answer, parse_entries
from sopor.remote.listings import parse_account
from sopor_core.account import AccountRecord
from sopor_core.ids import OrgId, PackId
from sopor_core.membership import MembershipEntry, MembershipLog
from sopor_core.push_entry import Citation
from sopor_core.wire.parts import Part, PartKind, join_parts
from tests.adversary.reading import Reader

HONEST = "honest"
_TABLES = (
    "commit_packs",
    "objects",
    "packs",
    "commits",
    "snapshots",
    "remote_branches",
    "entries",
    "membership",
)


@dataclass(frozen=True)
class Hoard:
    """What a server has to answer with: one client's true things, and valid ones from elsewhere."""

    members: tuple[bytes, ...]
    entries: tuple[bytes, ...]
    packs: tuple[bytes, ...]
    others: tuple[bytes, ...]


@dataclass
class Answered:
    """An answer in the making; ``stored`` is what single packs are fetched from."""

    members: list[bytes]
    entries: list[bytes]
    packs: list[bytes]
    stored: list[bytes]
    control: bytes

    @classmethod
    def honest(cls, hoard: Hoard, head: Citation, ends: Citation) -> Answered:
        control = {
            "head": [head.seq, head.hash.b64],
            "members": [ends.seq, ends.hash.b64],
            "more": False,
        }
        members, entries, packs = list(hoard.members), list(hoard.entries), list(hoard.packs)
        return cls(members, entries, packs, list(packs), json.dumps(control).encode())

    def body(self) -> bytes:
        """Returns the bytes of the answer: each entry is followed by the packs that it had."""
        parts = [Part(PartKind.CONTROL, self.control)]
        parts += [Part(PartKind.MEMBERSHIP_ENTRY, data) for data in self.members]
        packs = iter(self.packs)
        for entry in self.entries:
            parts.append(Part(PartKind.PUSH_ENTRY, entry))
            parts += [Part(PartKind.PACK, pack) for pack in [next(packs, None)] if pack is not None]
        return join_parts(parts)


def flip(drawn: Random, data: bytes) -> bytes:
    """Flips one bit."""
    changed = bytearray(data or b"\0")
    changed[drawn.randrange(len(changed))] ^= 1 << drawn.randrange(8)
    return bytes(changed)


def cut(drawn: Random, data: bytes) -> bytes:
    """Cuts off the end, the beginning, or a piece in the middle."""
    start, end = sorted(drawn.choices(range(len(data) + 1), k=2))
    return drawn.choice([data[:start], data[end:], data[:start] + data[end:]])


def change_one(drawn: Random, items: list[bytes], others: Sequence[bytes]) -> None:
    """Flips, cuts, swaps, doubles, leaves out or replaces one of several byte strings."""
    if not items:
        items.append(drawn.choice(others))
        return
    at = drawn.randrange(len(items))
    way = drawn.randrange(6)
    if way == 0:
        items[at] = flip(drawn, items[at])
    elif way == 1:
        items[at] = cut(drawn, items[at])
    elif way == 2:
        with_ = drawn.randrange(len(items))
        items[at], items[with_] = items[with_], items[at]
    elif way == 3:
        items.insert(drawn.randrange(len(items) + 1), items[at])
    elif way == 4:
        del items[at]
    else:
        items[at] = drawn.choice(others)


def mutate(drawn: Random, answer: Answered, others: Sequence[bytes]) -> None:
    """Changes one stored thing; a pack is changed wherever it is."""
    kind = drawn.choice(("members", "entries", "packs", "control", "fields", "fields"))
    if kind == "control":
        answer.control = drawn.choice((flip, cut))(drawn, answer.control)
    elif kind == "fields":
        swap_fields(drawn, answer)
    elif kind == "packs":
        change_one(drawn, answer.packs, others)
        answer.stored = list(answer.packs)
    else:
        change_one(drawn, getattr(answer, kind), others)


def swap_fields(drawn: Random, answer: Answered) -> None:
    """Gives a field of one entry, or of the control part, the value that it has in another."""
    pool = drawn.choice([items for items in (answer.members, answer.entries) if items] or [[]])
    if not pool:
        return
    at, other = drawn.randrange(len(pool)), drawn.randrange(len(pool))
    try:
        here, there = json.loads(pool[at]), json.loads(pool[other])
        exchange(drawn, here, there)
    except (ValueError, AttributeError, IndexError):
        return
    pool[at] = json.dumps(here, sort_keys=True, separators=(",", ":")).encode()


def exchange(drawn: Random, here: Any, there: Any) -> None:
    """Takes over one field, or one field within a field that both have."""
    name = drawn.choice(sorted(here.keys() & there.keys()))
    inner, other = here[name], there[name]
    if isinstance(inner, dict) and isinstance(other, dict) and inner.keys() & other.keys():
        exchange(drawn, inner, other)
    else:
        here[name] = other


@contextmanager
def rolled_back(reader: Reader) -> Iterator[Connection]:
    """Undoes whatever was taken in, and the packs that were written for it."""
    store = reader.repository.context.store
    before = set(store.files.unnamed(set()))
    connection = store.database.connection
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    finally:
        connection.rollback()
        store.log.forget_membership()
        for path in set(store.files.unnamed(set())) - before:
            path.unlink()


@dataclass
class PullTrial:
    """A working copy that is shown mutated answers to its pull."""

    reader: Reader
    hoard: Hoard
    head: Citation
    ends: Citation
    knows_nothing: bool = False
    _honest: str = ""

    def learn(self) -> None:
        """Takes in the honest answer once: what counts as the truth from then on."""
        answer = Answered.honest(self.hoard, self.head, self.ends)
        assert self.show(answer, answer.body()) == HONEST

    def run(self, drawn: Random) -> str:
        """Shows one answer with two mutations; returns who refused it."""
        answer = Answered.honest(self.hoard, self.head, self.ends)
        wire = max(0, drawn.randrange(10) - 7)
        for _ in range(2 - wire):
            mutate(drawn, answer, self.hoard.others)
        body = answer.body()
        for _ in range(wire):
            body = drawn.choice((flip, cut))(drawn, body)
        return self.show(answer, body)

    def show(self, answer: Answered, body: bytes) -> str:
        """Shows an answer; returns who refused it."""
        self.reader.stored = {PackId(sha256(pack).digest()): pack for pack in answer.stored}
        with rolled_back(self.reader) as connection:
            if self.knows_nothing:
                for table in _TABLES:
                    connection.execute(f"DELETE FROM {table}")  # noqa: S608
            return self._judge(lambda: self.reader.receive(parse_answer(body)), self._state)

    def _judge(self, act: Callable[[], object], state: Callable[[], str]) -> str:
        try:
            act()
        except VerificationError as refused:
            return str(refused.layer)
        found = state()
        if not self._honest:
            self._honest = found
        assert found == self._honest, "a mutated answer was taken for another truth"
        return HONEST

    def _state(self) -> str:
        connection = self.reader.repository.context.store.database.connection
        return "\n".join(
            repr(tuple(row))
            for table in _TABLES
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()  # noqa: S608
        )


@dataclass
class MembersTrial:
    """A device that is shown a mutated membership log."""

    org: OrgId
    hoard: Hoard

    def run(self, drawn: Random) -> str:
        """Shows a log with two mutations; returns who refused it."""
        members = list(self.hoard.members)
        for _ in range(2):
            change_one(drawn, members, self.hoard.others)
        body = join_parts([Part(PartKind.MEMBERSHIP_ENTRY, data) for data in members])
        try:
            found = parse_entries(body)
            log = MembershipLog.replay(self.org, found)
            log.check_citation(MembershipEntry.parse(self.hoard.members[-1]).citation)
        except VerificationError as refused:
            return str(refused.layer)
        assert found == self.hoard.members, "a mutated log was taken for another truth"
        return HONEST


@dataclass
class LoginTrial:
    """A new device that has typed the password and is shown mutated records of the account."""

    keys: LoginKeys
    login: str
    record: bytes
    credentials: bytes
    others: tuple[bytes, ...]

    def run(self, drawn: Random) -> str:
        """Shows records with two mutations; returns who refused them."""
        parts = [self.record, self.credentials]
        for _ in range(2):
            change_one(drawn, parts, self.others)
        record, credentials, *_ = [*parts, b"null", b"null"]
        body = b'{"record":%s,"credentials":%s,"organizations":[]}' % (record, credentials)
        try:
            found = parse_account(body)
            keys = unlock(self.keys, found.record, found.credentials, self.login)
        except VerificationError as refused:
            return str(refused.layer)
        true = AccountRecord.verified(json.loads(self.record))
        assert keys.identity == true.identity, "a mutated record was taken for another truth"
        assert found.credentials.n == json.loads(self.credentials)["n"]
        return HONEST
