"""Every lie about one entry of a log of 200 entries is refused, wherever it stands (P3)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from unittest.mock import patch

import pytest

from sopor.errors import ForkError, RollbackError, VerificationError
from sopor.remote.answers import PullAnswer
from sopor.repository.connection import Connection
from sopor.sync.publish import BranchMove
from sopor_core import canonical
from sopor_core.ids import OpId, ProjectId
from sopor_core.membership import MembershipEntry, MembershipLog, Role
from sopor_core.push_entry import Citation, PushEntry
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.parts import Part, PartKind
from tests.adversary.company import PROJECT, Company, at_terminal, groups_of, shows
from tests.adversary.reading import Reader, answer_of
from tests.adversary.scene import asleep, edit
from tests.support.evil import Parts
from tests.support.story import Keys, pack_id
from tests.support.teams import Team
from tests.support.world import Device

LENGTH = 200


@pytest.fixture(autouse=True)
def _nothing_to_sync() -> Iterator[None]:
    """No power is lost here, so no disk is waited for."""
    with patch("os.fsync"):
        yield


Lie = Callable[[Sequence[bytes], int], bytes]
"""Makes what is shown where an entry belongs, from the log and the place."""


def posing(lie: bytes, true: bytes) -> bytes:
    """Gives an entry the number, the past and the log of another."""
    names = ("seq", "prev", "project", "org")
    fields = {name: value for name, value in json.loads(true).items() if name in names}
    return canonical.encode(json.loads(lie) | fields)


LIES: dict[str, Lie] = {
    "it is left out, or exchanged with the next": lambda log, at: log[at + 1],
    "the one before is doubled": lambda log, at: log[at - 1],
    "an older one is replayed": lambda log, at: log[at // 2],
    "a later one comes early": lambda log, at: log[(at + LENGTH) // 2 + 1],
    "it is left out, and the next renumbered": lambda log, at: posing(log[at + 1], log[at]),
    "an older one is renumbered": lambda log, at: posing(log[at // 2], log[at]),
}


def lies(log: Sequence[bytes], foreign: Sequence[bytes], at: int) -> Iterator[bytes]:
    """Yields everything that is shown in the place of an entry."""
    yield from (lie(log, at) for lie in LIES.values())
    yield foreign[at]
    yield posing(foreign[at], log[at])


# ---------------------------------------------------------------------------- the membership log


def long_team() -> Team:
    """Founds a team, to which people come until its log is long."""
    owner = Keys("owner@example.com")
    team = Team.found(owner)
    team.act(owner, team.project_new())
    while len(team.entries) < LENGTH:
        number = len(team.entries)
        if number % 5 == 0:
            team.act(owner, team.rotate([team.access.home]))
        elif number % 7 == 0 and len(team.access.members) > 4:
            (gone, *_) = sorted(team.access.members.keys() - {owner.account})
            team.act(owner, team.remove(gone))
        else:
            role = Role.EDITOR if number % 2 else Role.VIEWER
            team.admit(owner, Keys(f"person{number}@example.com"), role)
    return team


def test_every_lie_about_an_entry_of_the_members_is_refused() -> None:
    team, other = long_team(), long_team()
    entries = team.entries
    log = MembershipLog(team.org)
    for at in range(LENGTH):
        for shown in set(lies(entries, other.entries, at)) - {entries[at]}:
            with pytest.raises(VerificationError):
                log.append(MembershipEntry.parse(shown))
        assert len(log.head.hash) == 32
        log.append(MembershipEntry.parse(entries[at]))
    assert log.head == MembershipEntry.parse(entries[LENGTH - 1]).citation


# ---------------------------------------------------------------------------------- the push log


def long_push_log(device: Device) -> tuple[Parts, ...]:
    """Pushes to nobody until the log is long; returns all entries with their packs."""
    with device.open(PROJECT) as author:
        connection = Connection.of(author.context)
        for number in range(author.context.store.log.pin.seq, LENGTH + 2):
            edit(author, "req_1", name=f"Push {number}")
            head = author.commit(f"Push {number}").commit.id
            prepared = connection.prepare([BranchMove(author.context.store.refs.current, head)])
            connection._publisher.record(prepared)
        return groups_of(author)


def push_part(entry: bytes) -> Part:
    return Part(PartKind.PUSH_ENTRY, entry)


def test_every_lie_about_an_entry_of_the_pushes_is_refused(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One foreign log is another past of the same project, the other one is of another project."""
    groups = long_push_log(asleep(company.ada, "long"))
    entries = [parts[0].data for parts in groups]
    keys, project = company.ada.account().keys, ProjectId.random()
    parsed = [PushEntry.parse(entry) for entry in entries]
    forked = [replace(entry, op=OpId.random()).sign(keys).encoded for entry in parsed]
    elsewhere = [replace(entry, project=project).sign(keys).encoded for entry in parsed]
    packs = {pack_id(part.data): part.data for parts in groups for part in parts[1:]}
    head = PushEntry.parse(entries[-1]).citation
    device = asleep(company.carol, "reads")
    with Reader.of(device, PROJECT) as reader:
        reader.stored = packs
        log = reader.repository.context.store.log
        members = log.membership(reader.org).head
        # No lie here brings members, so they need not be replayed after each.
        monkeypatch.setattr(log, "forget_membership", lambda: None)
        for at in range(log.pin.seq, LENGTH):
            shown_here = {*lies(entries, forked, at), *lies(entries, elsewhere, at)}
            for shown in shown_here - {entries[at]}:
                with pytest.raises(VerificationError):
                    reader.receive(answer_of([[push_part(shown)]], members, head))
                assert log.pin.seq == at
            honest = answer_of([groups[at]], members)
            reader.receive(honest)
        assert reader.repository.fsck().clean


def test_a_last_entry_that_is_left_out_is_missed(company: Company) -> None:
    """The server tells where the log ends, or it told so before."""
    device = asleep(company.carol, "misses")
    last, before = (PushEntry.parse(parts[0].data) for parts in reversed(company.pushed[-2:]))
    with Reader.of(device, PROJECT) as reader:
        members = reader.repository.context.store.log.membership(reader.org).head
        for head in (before.citation, Citation(last.seq, before.hash), EMPTY_LOG):
            with pytest.raises((RollbackError, ForkError)):
                reader.receive(PullAnswer(head, members, more=False))


def test_processes_refuse_such_lies(company: Company) -> None:
    """Left out, doubled, exchanged: the exit code says attack, and the error says where."""
    _, second, third, fourth, fifth = company.pushed
    asleep_device = asleep(company.asleep_carol, "processes")
    terminal = at_terminal(asleep_device)
    newer = company.after[len(company.before) :]
    for shown in ([fourth, fifth], [third, third, fourth, fifth], [fourth, third, fifth], [second]):
        company.evil.tamper = shows(shown, company.ends_after, newer)
        answer = terminal("sopor pull --json", code=10)
        assert answer.error["code"] == "verification-failed"
        assert "chain: " in answer.error["message"]
    company.evil.tamper = shows([third, fourth, fifth], company.ends_after, newer)
    assert terminal("sopor pull --json").json["merge"]["kind"] == "fast-forward"
