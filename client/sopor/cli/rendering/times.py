"""Times for people: in their own time zone."""

from __future__ import annotations

from datetime import datetime


def short_time(milliseconds: int) -> str:
    """Returns a time such as ``2025-11-24 10:02``, in the local zone."""
    return _format(milliseconds, "%Y-%m-%d %H:%M")


def full_time(milliseconds: int) -> str:
    """Returns a time as git writes it: ``Mon Nov 24 10:02:45 2025 +0100``, in the local zone."""
    return _format(milliseconds, "%a %b %d %H:%M:%S %Y %z")


def _format(milliseconds: int, form: str) -> str:
    try:
        return datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime(form)
    except (OverflowError, ValueError, OSError):
        # A clock can be set to anything, and a commit says what its author's clock said.
        return f"{milliseconds} ms after 1970"
