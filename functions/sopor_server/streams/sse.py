"""The text of a stream of events (HTML Living Standard, section 9.2)."""

from __future__ import annotations

import json

from sopor_core.canonical import Json
from sopor_core.wire.events import Bye, Cursor, EventName

ALIVE = b":\n\n"


def comment(text: str) -> bytes:
    """Returns a comment."""
    return f": {text}\n\n".encode("ascii")


def retry(milliseconds: int) -> bytes:
    """Returns how long a client waits before it opens another stream."""
    return f"retry: {milliseconds}\n\n".encode("ascii")


def identified(cursor: Cursor) -> bytes:
    """Returns the line before an event that names the cursor after it."""
    return f"id: {cursor}\n".encode("ascii")


def event(name: EventName, data: dict[str, Json]) -> bytes:
    """Returns an event; its id, where it has one, goes before."""
    line = json.dumps(data, separators=(",", ":"))
    return f"event: {name}\ndata: {line}\n\n".encode("ascii")


def bye(reason: Bye, wait: int) -> bytes:
    """Returns the last event of a stream."""
    return event(EventName.BYE, {"reason": str(reason), "wait": wait})
