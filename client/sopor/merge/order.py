"""Merges the order of a list whose elements have keys; never conflicts.

Two elements stand in one of two orders, so a pair that either side turned round is turned round.
Where that alone would go in circles, the order comes out that contains all those turns and no more
than follow from them: the join of both orders in the weak order of permutations (Bjoerner,
"Orderings of Coxeter groups", 1984). It is symmetric, idempotent, and yields to the side that moved
something.

Elements that a side added stay behind the element that they were put behind.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set

START = ""
"""Stands for the place before the first element; no key is empty."""

MAX_JOIN = 1000
"""Above this many elements, moved by both sides, one side's order is taken as a whole."""


def merge_order(
    base: Sequence[str], ours: Sequence[str], theirs: Sequence[str], kept: Set[str]
) -> list[str]:
    """Returns all of ``kept`` in their merged order.

    Each sequence holds its keys once. ``kept`` are the keys of the merged list, each of them in at
    least one of the sequences.

    The result is the same with the sides exchanged. Merging theirs again changes nothing, unless
    both sides had added the same two elements in different orders.
    """
    old = [key for key in base if key in kept]
    backbone = join(old, _along(old, ours), _along(old, theirs))
    behind_ours = _added(ours, set(old), kept)
    behind_theirs = _added(theirs, set(old), kept)
    _agree_on_places(backbone, behind_ours, behind_theirs)
    merged = []
    for anchor in [START, *backbone]:
        merged += [anchor] if anchor != START else []
        merged += weave(behind_ours.get(anchor, []), behind_theirs.get(anchor, []))
    return merged


def _along(old: Sequence[str], side: Sequence[str]) -> list[str]:
    """Returns the old elements in a side's order; those it lacks stay behind their predecessor."""
    known, present = set(old), set(side)
    order = [key for key in side if key in known]
    for index, key in enumerate(old):
        if key not in present:
            order.insert(order.index(old[index - 1]) + 1 if index else 0, key)
    return order


def join(old: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """Returns the least order that turns round every pair which ours or theirs turned round.

    The three are permutations of each other.
    """
    old, ours, theirs = list(old), list(ours), list(theirs)
    if ours in (old, theirs):
        return theirs
    if theirs == old:
        return ours
    if len(old) > MAX_JOIN:
        return min(ours, theirs)
    turned = _turned(old, ours)
    for index, later in enumerate(_turned(old, theirs)):
        turned[index] |= later
    return _ordered(old, _closure(turned))


def _turned(old: Sequence[str], new: Sequence[str]) -> list[int]:
    """Returns, for each old place, the set (as bits) of later places that come before it now."""
    place = {key: index for index, key in enumerate(old)}
    turned = [0] * len(old)
    seen = 0
    for key in new:
        index = place[key]
        turned[index] = seen >> (index + 1) << (index + 1)
        seen |= 1 << index
    return turned


def _closure(turned: list[int]) -> list[int]:
    # From the end, so that each set is closed before an earlier place takes it up.
    for index in reversed(range(len(turned))):
        for later in _bits(turned[index]):
            turned[index] |= turned[later]
    return turned


def _bits(number: int) -> list[int]:
    return [index for index in range(number.bit_length()) if number >> index & 1]


def _ordered(old: Sequence[str], turned: Sequence[int]) -> list[str]:
    """Sorts by how many elements come before each: earlier ones not turned, later ones turned."""
    before = [index + bits.bit_count() for index, bits in enumerate(turned)]
    for bits in turned:
        for later in _bits(bits):
            before[later] -= 1
    return [key for _, key in sorted(zip(before, old, strict=True))]


def _added(side: Sequence[str], old: Collection[str], kept: Set[str]) -> dict[str, list[str]]:
    """Returns the keys that a side added, under the old key that they stand behind."""
    runs: dict[str, list[str]] = {}
    anchor = START
    for key in side:
        if key in old:
            anchor = key
        elif key in kept:
            runs.setdefault(anchor, []).append(key)
    return runs


def _agree_on_places(
    backbone: Sequence[str], ours: dict[str, list[str]], theirs: dict[str, list[str]]
) -> None:
    """Leaves what both added at different places only at the later one."""
    place = {key: index for index, key in enumerate([START, *backbone])}
    where = {key: anchor for anchor, run in theirs.items() for key in run}
    for anchor, run in ours.items():
        for key in list(run):
            other = where.get(key, anchor)
            if place[other] > place[anchor]:
                run.remove(key)
            elif other != anchor:
                theirs[other].remove(key)


def weave(ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """Merges two sequences of additions made at one place, the same either way round.

    What both have holds the rest together; between that, the smaller run comes first.
    """
    if not ours or not theirs or ours == theirs:
        return [*(ours or theirs)]
    common = set(ours) & set(theirs)
    shared = min([key for key in ours if key in common], [key for key in theirs if key in common])
    runs = [_added(side, common, {*side}) for side in (ours, theirs)]
    woven = []
    for anchor in [START, *shared]:
        woven += [anchor] if anchor != START else []
        for run in sorted(each.get(anchor, []) for each in runs):
            woven += run
    return woven
