"""Merges texts of several lines, line by line."""

from __future__ import annotations

from collections.abc import Sequence

from sopor.merge.sequences import Clash, Settled, merge_sequences
from sopor_core.canonical import parse_json
from sopor_core.errors import VerificationError


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
    breaks_json = is_json(ours) and is_json(theirs) and not is_json(merged)
    return None if breaks_json else merged


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
