"""Merges sequences three ways by their longest common runs: the lines of a text, a plain list.

This is diff3 (Khanna, Kunal and Pierce, "A formal investigation of Diff3", 2007): an element that
both sides kept is solid ground; what lies between two such places is one hunk, and conflicts if
both sides changed it differently. Changes that touch each other are one hunk.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Generic, TypeVar

from sopor.merge.algebra import merge3
from sopor.records import dataclass

T = TypeVar("T")
H = TypeVar("H", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Span:
    """Part of a sequence, from ``start`` to before ``stop``."""

    start: int
    stop: int

    def of(self, sequence: Sequence[T]) -> Sequence[T]:
        """Returns the elements of a sequence that lie in the span."""
        return sequence[self.start : self.stop]

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Hunk:
    """The same stretch in base, ours and theirs; ``solid`` if all three are equal there."""

    base: Span
    ours: Span
    theirs: Span
    solid: bool = False


@dataclass(frozen=True, slots=True)
class Settled(Generic[T]):
    """A stretch that merged, with its result."""

    merged: Sequence[T]


@dataclass(frozen=True, slots=True)
class Clash(Generic[T]):
    """A stretch that both sides changed differently."""

    base: Sequence[T]
    ours: Sequence[T]
    theirs: Sequence[T]


def common_runs(first: Sequence[H], second: Sequence[H]) -> Iterator[tuple[int, int, int]]:
    """Yields ``(start in first, start in second, length)`` of what both share, in order."""
    head = _common_head(first, second)
    tail = _common_head(first[head:][::-1], second[head:][::-1])
    if head:
        yield 0, 0, head
    left, right = first[head : len(first) - tail], second[head : len(second) - tail]
    for match in SequenceMatcher(None, left, right).get_matching_blocks():
        if match.size:
            yield head + match.a, head + match.b, match.size
    if tail:
        yield len(first) - tail, len(second) - tail, tail


def _common_head(first: Sequence[H], second: Sequence[H]) -> int:
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count


def hunks(base: Sequence[H], ours: Sequence[H], theirs: Sequence[H]) -> Iterator[Hunk]:
    """Yields the stretches of three sequences, in order and without gaps."""
    to_ours, to_theirs = _partners(base, ours), _partners(base, theirs)
    solid = at = (0, 0, 0)
    for index in [index for index in to_ours if index in to_theirs]:
        ground = (index, to_ours[index], to_theirs[index])
        if ground != at:
            yield from _solid(solid, at)
            yield _hunk(at, ground)
            solid = ground
        at = (ground[0] + 1, ground[1] + 1, ground[2] + 1)
    yield from _solid(solid, at)
    end = (len(base), len(ours), len(theirs))
    if end != at:
        yield _hunk(at, end)


def _solid(start: tuple[int, int, int], stop: tuple[int, int, int]) -> Iterator[Hunk]:
    if start != stop:
        yield _hunk(start, stop, solid=True)


def _partners(base: Sequence[H], side: Sequence[H]) -> dict[int, int]:
    return {
        start + offset: other + offset
        for start, other, length in common_runs(base, side)
        for offset in range(length)
    }


def _hunk(start: tuple[int, int, int], stop: tuple[int, int, int], *, solid: bool = False) -> Hunk:
    base, ours, theirs = (Span(*ends) for ends in zip(start, stop, strict=True))
    return Hunk(base, ours, theirs, solid)


def merge_sequences(
    base: Sequence[H], ours: Sequence[H], theirs: Sequence[H]
) -> Iterator[Settled[H] | Clash[H]]:
    """Merges three sequences stretch by stretch; what comes out, put together, is the merge."""
    for hunk in hunks(base, ours, theirs):
        clash = Clash(hunk.base.of(base), hunk.ours.of(ours), hunk.theirs.of(theirs))
        yield _settled(clash.base, clash.ours, clash.theirs) or clash


def _settled(
    base: Sequence[H] | None, ours: Sequence[H] | None, theirs: Sequence[H] | None
) -> Settled[H] | None:
    merged = merge3(base, ours, theirs, on_conflict=lambda *_: None)
    return None if merged is None else Settled(merged)
