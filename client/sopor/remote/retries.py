"""When to try again, and how long to wait before."""

from __future__ import annotations

import random
from collections.abc import Iterator

from sopor.records import dataclass

RETRIED_STATUSES = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Retries:
    """How often, and how patiently.

    Attributes:
        times: how many further tries after the first.
        base: the mean wait before the first of them, in seconds; it doubles each time.
        longest: the longest wait between two tries.
        patience: the longest ``Retry-After`` that is waited for.
    """

    times: int = 4
    base: float = 0.3
    longest: float = 8.0
    patience: float = 30.0

    def delays(self) -> Iterator[float]:
        """Yields the waits, jittered so that many clients do not come back together."""
        for attempt in range(self.times):
            mean = min(self.base * 2**attempt, self.longest)
            yield random.uniform(mean / 2, mean * 3 / 2)  # noqa: S311 (not for secrets)


def retry_after(header: str | None) -> float | None:
    """Returns the seconds that a header ``Retry-After`` asks for; dates are not understood."""
    if header is None or not header.strip().isascii() or not header.strip().isdigit():
        return None
    return float(header.strip()[:9])
