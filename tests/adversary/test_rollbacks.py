"""Something older than a device has verified: each is refused by a process, with exit code 11 (P1).

Of the push log, its head and its packs see `test_histories` and `test_pulls` as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from random import randbytes
from typing import Any

import pytest

from sopor.errors import ForkError, RollbackError
from sopor_core.ids import OpId
from sopor_core.membership import MembershipEntry
from sopor_core.push_entry import Citation, PushEntry
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.parts import Part, PartKind
from tests.adversary.company import PROJECT, Company, answers, at_terminal
from tests.adversary.scene import asleep, assert_refused
from tests.support.tampering import Exchange, Tamper
from tests.support.world import Device

Lie = Callable[[Company], Tamper]


@pytest.fixture
def carol(company: Company) -> Device:
    """A device of Carol's that has seen everything; each test has its own."""
    return asleep(company.carol, randbytes(4).hex())


def place(company: Company, seq: int) -> Citation:
    return PushEntry.parse(company.pushed[seq - 1][0].data).citation


PULLS: dict[str, tuple[str, Lie]] = {
    "the push log ends earlier": (
        "rollback",
        lambda company: answers(place(company, 3), company.ends_after, []),
    ),
    "the push log is empty": (
        "rollback",
        lambda company: answers(EMPTY_LOG, company.ends_after, []),
    ),
    "its head is another one": (
        "fork",
        lambda company: answers(
            replace(place(company, 5), hash=place(company, 4).hash), company.ends_after, []
        ),
    ),
    "the members are those of before the removal, with the epoch of then": (
        "rollback",
        lambda company: answers(place(company, 5), company.ends_before, []),
    ),
    "both logs are as they were before": (
        "rollback",
        lambda company: answers(place(company, 2), company.ends_before, []),
    ),
    "the members' head is another one": (
        "fork",
        lambda company: answers(
            place(company, 5), replace(company.ends_after, hash=company.ends_before.hash), []
        ),
    ),
}


@pytest.mark.parametrize("name", PULLS)
def test_a_pull_that_goes_back_is_refused(company: Company, carol: Device, name: str) -> None:
    code, lie = PULLS[name]
    company.evil.tamper = lie(company)
    answer = at_terminal(carol)("sopor pull --json", code=11)
    assert answer.error["code"] == code
    with carol.open(PROJECT) as reader:
        assert len(reader.log()) == 4


def listing(change: Callable[[dict[str, Any]], None]) -> Tamper:
    """Changes what the server lists of its teams."""

    def tamper(exchange: Exchange) -> Exchange:
        if exchange.method != "GET" or not exchange.path.endswith("/organizations"):
            return exchange
        listed = exchange.json
        for item in listed["organizations"]:
            if item["kind"] == "team":
                change(item)
        return exchange.with_json(listed)

    return tamper


@pytest.mark.parametrize(
    ("code", "head"),
    [
        ("rollback", lambda company: company.ends_before),
        ("rollback", lambda _company: EMPTY_LOG),
        ("fork", lambda company: replace(company.ends_after, hash=EMPTY_LOG.hash)),
    ],
    ids=["earlier", "empty", "other"],
)
def test_the_ledger_of_a_device_refuses_older_members(
    company: Company, carol: Device, code: str, head: Callable[[Company], Citation]
) -> None:
    """No working copy is asked: the device itself knows what it verified of its teams."""
    known = carol.home.glob("organizations/*/*.log")
    before = {path: path.read_bytes() for path in known}
    shown = head(company)
    company.evil.tamper = listing(lambda item: item.update(head=[shown.seq, shown.hash.b64]))
    answer = at_terminal(carol)("sopor org members --json", code=11)
    assert answer.error["code"] == code
    assert {path: path.read_bytes() for path in before} == before


def test_a_restored_server_is_noticed_by_the_ledger(company: Company, carol: Device) -> None:
    """The server says that it has less, as an honest one does after a restore."""
    problem = {"title": "Shorter", "status": 409, "code": "log-shorter", "detail": "shorter"}

    def tamper(exchange: Exchange) -> Exchange:
        if "/entries?" not in exchange.path:
            return exchange
        return replace(
            exchange,
            status=409,
            media_type="application/problem+json",
            body=json.dumps(problem).encode(),
        )

    company.evil.tamper = tamper
    answer = at_terminal(carol)("sopor projects --json", code=11)
    assert answer.error["code"] == "rollback"


def test_a_clone_gets_no_older_members_than_the_device_knows(
    company: Company, carol: Device
) -> None:
    """The ledger knows of the removal; the clone is shown the team as it was before."""
    company.evil.tamper = answers(
        place(company, 2),
        MembershipEntry.parse(company.before[-1]).citation,
        [part for group in company.pushed[:2] for part in group],
    )
    with pytest.raises(RollbackError):
        carol.clone(PROJECT, "again")
    assert not (carol.folder / "again").exists()


def test_two_faces_are_found_out_by_the_first_entry_of_the_other_side(
    company: Company, carol: Device
) -> None:
    """The server showed Carol another removal of somebody than it showed Ada (P2)."""
    ada = company.ada.account().keys
    seen = MembershipEntry.parse(company.after[-1])
    other = replace(seen, time=seen.time + 1).sign(ada)
    with carol.open(PROJECT) as reader:
        company.evil.tamper = answers(place(company, 5), other.citation, [])
        refused = assert_refused(reader, reader.pull, ForkError)
        assert "another membership log" in refused.message
        cites = PushEntry.parse(company.pushed[-1][0].data)
        later = replace(
            cites, seq=6, prev=cites.hash, members=other.citation, op=OpId.random()
        ).sign(ada)
        company.evil.tamper = answers(
            later.citation, seen.citation, [Part(PartKind.PUSH_ENTRY, later.encoded)]
        )
        assert_refused(reader, reader.pull, ForkError)
