"""How many streams there may be at once, in this process and for one account."""

from __future__ import annotations

from collections import Counter
from threading import Lock

from sopor_core.ids import AccountId
from sopor_core.wire.problems import Code
from sopor_server.errors import Refused

OF_AN_ACCOUNT = 64
_RETRY_SECONDS = 30


class Seats:
    """Counts streams; used by the threads that admit them and by the loop that ends them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._taken: Counter[AccountId] = Counter()

    def take(self, account: AccountId) -> Seat:
        """Returns a seat; raises Refused (``rate-limited``) where all are taken."""
        with self._lock:
            full = self._taken.total() >= self._most or self._taken[account] >= OF_AN_ACCOUNT
            if full:
                raise Refused(
                    Code.RATE_LIMITED,
                    "too many streams are open",
                    hint=f"poll, or try again after {_RETRY_SECONDS} seconds",
                    retry_after=_RETRY_SECONDS,
                )
            self._taken[account] += 1
        return Seat(self, account)

    def give_back(self, account: AccountId) -> None:
        """Frees one seat."""
        with self._lock:
            self._taken[account] -= 1
            if self._taken[account] == 0:
                del self._taken[account]


class Seat:
    """The right to one stream, until it is left."""

    def __init__(self, seats: Seats, account: AccountId) -> None:
        self._seats: Seats | None = seats
        self._account = account

    def leave(self) -> None:
        """Gives the seat back; again it does nothing."""
        if self._seats is not None:
            self._seats.give_back(self._account)
            self._seats = None
