"""Reads stretches of the logs."""

from __future__ import annotations

from collections.abc import Iterable


def cut(rows: Iterable[tuple[bytes]], max_bytes: int) -> list[bytes]:
    """Returns entries up to the one with which the sum of lengths reaches ``max_bytes``."""
    taken: list[bytes] = []
    for (entry,) in rows:
        taken.append(entry)
        max_bytes -= len(entry)
        if max_bytes <= 0:
            break
    return taken
