"""The buckets that limit attempts."""

import pytest

from sopor_core.wire.problems import Code
from sopor_server import throttle
from sopor_server.errors import Refused
from sopor_server.throttle import Throttle


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def test_a_burst_is_allowed_and_then_one_at_a_time() -> None:
    clock = Clock()
    bucket = Throttle(3, 10.0, clock)
    for _ in range(3):
        bucket.take("key")
    with pytest.raises(Refused) as caught:
        bucket.take("key")
    assert caught.value.problem is Code.RATE_LIMITED
    assert caught.value.retry_after == 10
    clock.time += 9.5
    with pytest.raises(Refused) as caught:
        bucket.take("key")
    assert caught.value.retry_after == 1
    clock.time += 0.5
    bucket.take("key")
    with pytest.raises(Refused):
        bucket.check("key")


def test_a_bucket_fills_up_again_and_no_further() -> None:
    clock = Clock()
    bucket = Throttle(2, 10.0, clock)
    for _ in range(2):
        bucket.take("key")
    clock.time += 1_000_000
    for _ in range(2):
        bucket.take("key")
    with pytest.raises(Refused):
        bucket.take("key")


def test_keys_are_apart_and_looking_takes_nothing() -> None:
    bucket = Throttle(1, 10.0, Clock())
    for _ in range(5):
        bucket.check("one")
    bucket.take("one")
    bucket.take("other")
    with pytest.raises(Refused):
        bucket.check("one")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_MOST_KEYS", 10)
    bucket = Throttle(1, 10.0, Clock())
    for number in range(100):
        bucket.take(str(number))
    assert len(bucket._full_at) == 10
    with pytest.raises(Refused):
        bucket.take("99")
