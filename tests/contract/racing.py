"""Runs the same call many times at once, in threads and in processes."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def in_threads(calls: Iterable[Callable[[], T]]) -> list[T | Exception]:
    """Starts all calls at the same moment; returns what each returned or raised."""
    todo = list(calls)
    start = threading.Barrier(len(todo))

    def run(call: Callable[[], T]) -> T:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(todo)) as pool:
        return _outcomes(pool, [(run, call) for call in todo])


def in_processes(calls: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Runs (function, arguments...) in four new processes; returns what each returned or raised."""
    with ProcessPoolExecutor(4, multiprocessing.get_context("spawn")) as pool:
        return _outcomes(pool, list(calls))


def _outcomes(pool: Executor, calls: list[tuple[Any, ...]]) -> list[Any]:
    futures: list[Future[Any]] = [pool.submit(*call) for call in calls]
    return [future.exception() or future.result() for future in futures]


def successes(outcomes: Iterable[object], expected_error: type[Exception]) -> int:
    """Counts the calls that raised nothing; the others must have raised the expected error."""
    failures = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert all(isinstance(failure, expected_error) for failure in failures), failures
    return len(list(outcomes)) - len(failures)
