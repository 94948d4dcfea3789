"""How many streams there may be."""

from __future__ import annotations

import pytest

from sopor_core.ids import AccountId
from sopor_core.wire.problems import Code
from sopor_server.errors import Refused
from sopor_server.streams.seats import OF_AN_ACCOUNT, Seats


def test_an_account_has_only_so_many() -> None:
    seats, account = Seats(1000), AccountId.random()
    taken = [seats.take(account) for _ in range(OF_AN_ACCOUNT)]
    with pytest.raises(Refused) as caught:
        seats.take(account)
    assert (caught.value.problem, caught.value.retry_after) == (Code.RATE_LIMITED, 30)
    seats.take(AccountId.random())
    taken[0].leave()
    taken[0].leave()
    seats.take(account)
    with pytest.raises(Refused):
        seats.take(account)


def test_a_process_has_only_so_many() -> None:
    seats = Seats(2)
    first = seats.take(AccountId.random())
    seats.take(AccountId.random())
    with pytest.raises(Refused):
        seats.take(AccountId.random())
    first.leave()
    seats.take(AccountId.random())
