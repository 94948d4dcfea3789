"""Merges texts: those of several lines line by line, prose word by word as well."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sopor.merge.sequences import Clash, Hunk, Settled, hunks, merge_sequences
from sopor_core.canonical import parse_json
from sopor_core.errors import VerificationError

PROSE = frozenset({"name", "description", "summary", "title"})
"""Members whose texts are for people, so that words from both sides make sense together."""

_WORDS = re.compile(r"\S+|\s+")


def split_lines(text: str) -> list[str]:
    """Splits a text behind each newline; joined together again it is the same text."""
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def merge_text(base: str, ours: str, theirs: str) -> list[Settled[str] | Clash[str]]:
    """Merges three texts; each part of the result holds lines that merged, or that clash."""
    return list(merge_sequences(split_lines(base), split_lines(ours), split_lines(theirs)))


def merged_text(base: str, ours: str, theirs: str) -> str | None:
    """Returns the merge of three texts, or ``None`` if lines clash.

    Only texts of several lines are merged: half a line from here and half from there makes an
    address or a token that nobody meant. JSON stays JSON, or counts as a clash.
    """
    if "\n" not in base:
        return None
    parts = merge_text(base, ours, theirs)
    if any(isinstance(part, Clash) for part in parts):
        return None
    merged = "".join(_lines(parts))
    breaks_json = _are_json(ours, theirs) and not is_json(merged)
    return None if breaks_json else merged


def merged_prose(base: str, ours: str, theirs: str) -> str | None:
    """Returns the merge of three texts for people, by lines and else by words.

    Words are what white space separates. Returns ``None`` if both sides changed words between which
    no word is as it was.
    """
    by_lines = merged_text(base, ours, theirs)
    if by_lines is not None or _are_json(ours, theirs):
        return by_lines
    old, left, right = (_WORDS.findall(text) for text in (base, ours, theirs))
    merged = _merged_words(old, left, right)
    if merged is None:
        return None
    # Words that come again and again may be taken for others; then merging again would add more.
    words = _WORDS.findall(merged)
    again = {_merged_words(old, words, side) for side in (left, right)}
    return merged if again <= {merged, None} else None


def _are_json(ours: str, theirs: str) -> bool:
    return is_json(ours) and is_json(theirs)


def _merged_words(base: list[str], ours: list[str], theirs: list[str]) -> str | None:
    merged: list[str] = []
    changed_by: set[str] = set()
    for hunk in hunks(base, ours, theirs):
        words = hunk.base.of(base)
        if hunk.solid:
            merged += words
            if any(not word.isspace() for word in words):
                changed_by = set()
            continue
        changed_by |= _changed_by(hunk, base, ours, theirs)
        left, right = hunk.ours.of(ours), hunk.theirs.of(theirs)
        if len(changed_by) > 1 and left != right:
            return None
        merged += right if left == words else left
    return "".join(merged)


def _changed_by(hunk: Hunk, base: list[str], ours: list[str], theirs: list[str]) -> set[str]:
    """Tells who changed a hunk: nobody alone, if both did the same."""
    words, left, right = hunk.base.of(base), hunk.ours.of(ours), hunk.theirs.of(theirs)
    if left == right:
        return set()
    return {who for who, found in (("ours", left), ("theirs", right)) if found != words}


def _lines(parts: Sequence[Settled[str] | Clash[str]]) -> list[str]:
    return [line for part in parts if isinstance(part, Settled) for line in part.merged]


def is_json(text: str) -> bool:
    """Tells whether a text is a JSON object or list in which no key comes twice."""
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        parse_json(text.encode())
    except (VerificationError, UnicodeEncodeError):
        return False
    return True
