"""The programs that measure events measure what they say: some pushes, some streams."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import events, streams
from tests.bench.backends import resident_mib, sqlite


def test_a_push_is_timed_until_it_is_in_the_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite(tmp_path) as backend:
        found = events.measure(backend, tmp_path, pushes=3, documents=5)
    assert len(found) == 3
    for each in found:
        assert min(each.push, each.rest) > 0
        assert each.whole == each.push + each.rest
    events.show("here", found, 5)
    assert "3 pushes of 1 change among 5 documents" in capsys.readouterr().out


def test_every_stream_hears_of_every_push(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite(tmp_path) as backend:
        found = streams.measure(backend, streams=100, pushes=2)
        assert resident_mib(backend.streaming) > 10
    assert [len(times) for times in found.deliveries] == [100, 100]
    for answered, times in zip(found.answers, found.deliveries, strict=True):
        assert min(answered, *times) > 0
        assert times == sorted(times)
    assert found.after < streams.GOAL_MIB
    streams.show("here", found, 100)
    assert "100 streams" in capsys.readouterr().out


def test_percentiles_are_values_that_were_measured() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    found = [events.percentile(values, share) for share in (0.0, 0.5, 0.99, 1.0)]
    assert found == [1.0, 3.0, 5.0, 5.0]
