"""The laws of merging orders, plain sequences and texts."""

from __future__ import annotations

from itertools import combinations

from hypothesis import assume, given

from sopor.merge.lines import diff_lines
from sopor.merge.order import join, merge_order
from sopor.merge.sequences import Clash, Settled, common_runs, hunks, merge_sequences
from sopor.merge.text import merge_text, merged_text, split_lines
from tests.properties.merging import LINES, Dice, dice, law, text


def shuffled(drawn: Dice, items: list[str]) -> list[str]:
    left = list(items)
    return [left.pop(drawn.upto(len(left) - 1)) for _ in items]


def turned(old: list[str], new: list[str]) -> set[tuple[str, str]]:
    """Returns the pairs that stand the other way round."""
    return {(a, b) for a, b in combinations(old, 2) if new.index(b) < new.index(a)}


def closed(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    while more := {(a, d) for a, b in pairs for c, d in pairs if b == c} - pairs:
        pairs = pairs | more
    return pairs


@law
@given(dice(40))
def test_a_joined_order_turns_what_either_side_turned_and_what_follows(drawn: Dice) -> None:
    old = list("abcdef")
    ours, theirs = shuffled(drawn, old), shuffled(drawn, old)
    joined = join(old, ours, theirs)
    assert sorted(joined) == old
    assert turned(old, joined) == closed(turned(old, ours) | turned(old, theirs))


def orders(drawn: Dice) -> tuple[list[str], list[str], list[str], set[str]]:
    """Makes three orders and the merged set; no element is added by both sides."""
    base = drawn.some(list("abcdef"))
    kept = {key for key in base if drawn.upto(3)}
    ours = shuffled(drawn, [*(k for k in base if k in kept or drawn.upto(1)), *drawn.some(["m"])])
    theirs = shuffled(drawn, [*(k for k in base if k in kept), *drawn.some(["s", "t"])])
    return base, ours, theirs, kept | {"m", "s", "t"} & {*ours, *theirs}


@law
@given(dice(80).map(orders))
def test_orders_merge_by_the_laws(drawn: tuple[list[str], list[str], list[str], set[str]]) -> None:
    base, ours, theirs, kept = drawn
    merged = merge_order(base, ours, theirs, kept)
    assert sorted(merged) == sorted(kept)
    assert merged == merge_order(base, theirs, ours, kept)
    assert merge_order(base, merged, theirs, kept) == merged
    assert merge_order(base, base, theirs, {*theirs}) == theirs
    assert merge_order(base, theirs, theirs, {*theirs}) == theirs


@law
@given(dice(60))
def test_common_runs_are_common_and_ordered(drawn: Dice) -> None:
    first, second = split_lines(text(drawn) + text(drawn)), split_lines(text(drawn) + text(drawn))
    at = (0, 0)
    for start, other, length in common_runs(first, second):
        assert length > 0
        assert (start, other) >= at
        assert start >= at[0]
        assert other >= at[1]
        assert first[start : start + length] == second[other : other + length]
        at = (start + length, other + length)


@law
@given(dice(80))
def test_hunks_cover_all_three_and_solid_ones_are_equal(drawn: Dice) -> None:
    base, ours, theirs = (split_lines(text(drawn)) for _ in range(3))
    found = list(hunks(base, ours, theirs))
    assert [x for hunk in found for x in hunk.base.of(base)] == base
    assert [x for hunk in found for x in hunk.ours.of(ours)] == ours
    assert [x for hunk in found for x in hunk.theirs.of(theirs)] == theirs
    for hunk in found:
        if hunk.solid:
            assert hunk.base.of(base) == hunk.ours.of(ours) == hunk.theirs.of(theirs)
        else:
            assert len(hunk.base) + len(hunk.ours) + len(hunk.theirs) > 0


@law
@given(dice(80))
def test_texts_merge_by_the_laws(drawn: Dice) -> None:
    base, ours, theirs = text(drawn), text(drawn), text(drawn)
    assert merged_text(base, ours, base) in (ours, None)
    assert merged_text(base, ours, ours) in (ours, None)
    assert merged_text(base, ours, theirs) == merged_text(base, theirs, ours)
    mirrored = [
        Clash(part.base, part.theirs, part.ours) if isinstance(part, Clash) else part
        for part in merge_text(base, theirs, ours)
    ]
    assert merge_text(base, ours, theirs) == mirrored


@law
@given(dice(60))
def test_changes_with_a_line_between_them_always_merge(drawn: Dice) -> None:
    """Ours and theirs rewrite stretches of a text of different lines that do not touch."""
    base, merged = [], []
    ours: list[str] = []
    theirs: list[str] = []
    for number in range(1 + drawn.upto(6)):
        ground = [f"ground {number}\n"]
        old = [f"old {number}.{at}\n" for at in range(drawn.upto(2))]
        new = [f"new {number}.{at}\n" for at in range(drawn.upto(2))]
        who = drawn.upto(2)
        base += ground + old
        ours += ground + (new if who == 1 else old)
        theirs += ground + (new if who == 2 else old)
        merged += ground + (new if who else old)
    parts = list(merge_sequences(base, ours, theirs))
    assert all(isinstance(part, Settled) for part in parts)
    assert [line for part in parts if isinstance(part, Settled) for line in part.merged] == merged
    again = list(merge_sequences(base, merged, theirs))
    assert [line for part in again if isinstance(part, Settled) for line in part.merged] == merged


@law
@given(dice(60))
def test_different_changes_of_one_stretch_always_clash(drawn: Dice) -> None:
    before = [f"before {number}\n" for number in range(drawn.upto(3))]
    after = [f"after {number}\n" for number in range(drawn.upto(3))]
    base, ours, theirs = (
        [f"{who} {number}\n" for number in range(drawn.upto(3))] for who in ("base", "our", "their")
    )
    assume(ours and theirs)
    parts = list(merge_sequences(*([*before, *x, *after] for x in (base, ours, theirs))))
    (clash,) = [part for part in parts if isinstance(part, Clash)]
    assert (clash.base, clash.ours, clash.theirs) == (base, ours, theirs)


@law
@given(dice(80))
def test_a_diff_of_lines_leads_from_one_text_to_the_other(drawn: Dice) -> None:
    before, after = text(drawn) + text(drawn), text(drawn) + text(drawn)
    found = diff_lines(before, after, context=drawn.upto(2))
    old, new = split_lines(before), split_lines(after)
    result, at = [], 0
    for hunk in found:
        removed = [line.text for line in hunk.lines if line.sign != "+"]
        assert old[hunk.before_start : hunk.before_start + len(removed)] == removed
        result += old[at : hunk.before_start]
        assert len(result) == hunk.after_start
        result += [line.text for line in hunk.lines if line.sign != "-"]
        at = hunk.before_start + len(removed)
    assert result + old[at:] == new
    assert bool(found) == (before != after)


def test_lines_are_split_at_newlines_only() -> None:
    assert split_lines("a\r\nb\x0bc\u2028d\n\ne") == ["a\r\n", "b\x0bc\u2028d\n", "\n", "e"]
    assert all("".join(split_lines(line)) == line for line in LINES)
