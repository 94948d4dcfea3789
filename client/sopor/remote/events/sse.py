"""Reads Server-Sent Events (HTML Living Standard 9.2) piece by piece, without any I/O.

What a piece ends with does not matter: events are the same however the bytes were cut. Nothing
that a server sends makes the parser hold more than its limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from typing import TypeAlias

from sopor.records import dataclass
from sopor_core.errors import Layer, VerificationError

_END = re.compile(rb"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"
_MAX_NAME_BYTES = 1024
_MAX_RETRY_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Told:
    """One event: its name, its data with lines joined by LF, and the last id that was set."""

    name: str
    data: bytes = field(repr=False)
    id: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A line that says nothing, but shows that the other side is there."""

    text: str


@dataclass(frozen=True, slots=True)
class Retry:
    """How long to wait before another connection, in milliseconds."""

    milliseconds: int


Frame: TypeAlias = Told | Comment | Retry


class SseParser:
    """Takes the bytes of a stream as they come."""

    def __init__(self, max_bytes: int) -> None:
        """Takes the most bytes of a line, and of the data of an event."""
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self._size = 0
        self._after_cr = False
        self._first = True
        self._name = ""
        self._id = ""
        self._data: list[bytes] = []
        self._data_size = 0

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """Yields what is complete with this piece; take all of it before the next piece.

        Raises:
            VerificationError: layer ``wire``: a line or an event is too long, or not UTF-8.
        """
        if not piece:
            return
        if self._after_cr and piece.startswith(b"\n"):
            piece = piece[1:]
        self._after_cr = piece.endswith(b"\r") if piece else False
        at = 0
        for end in _END.finditer(piece):
            self._keep(piece[at : end.start()])
            at = end.end()
            yield from self._line(self._taken())
        self._keep(piece[at:])

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._max_bytes:
            raise _refused("has a line longer than allowed")
        if piece:
            self._pieces.append(piece)

    def _taken(self) -> bytes:
        line = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        return line

    def _line(self, line: bytes) -> Iterator[Frame]:
        if not line:
            yield from self._dispatched()
            return
        name, colon, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if colon and not name:
            yield Comment(_text(value[:_MAX_NAME_BYTES], "replace"))
        elif name == b"data":
            self._add(value)
        elif name == b"event":
            self._name = _text(_short(value))
        elif name == b"id" and b"\0" not in value:
            self._id = _text(_short(value, self._max_bytes))
        elif name == b"retry" and value.isdigit():
            yield Retry(int(value[:_MAX_RETRY_DIGITS]))

    def _add(self, value: bytes) -> None:
        self._data_size += len(value) + 1
        if self._data_size > self._max_bytes:
            raise _refused("has an event larger than allowed")
        self._data.append(value)

    def _dispatched(self) -> Iterator[Frame]:
        name, data = self._name, b"\n".join(self._data)
        empty = not self._data
        self._name, self._data, self._data_size = "", [], 0
        if not empty:
            yield Told(name or "message", data, self._id)


def _short(value: bytes, most: int = _MAX_NAME_BYTES) -> bytes:
    if len(value) > most:
        raise _refused("has a name longer than allowed")
    return value


def _text(value: bytes, errors: str = "strict") -> str:
    try:
        return value.decode("utf-8", errors)
    except UnicodeDecodeError:
        raise _refused("is not UTF-8") from None


def _refused(problem: str) -> VerificationError:
    return VerificationError(Layer.WIRE, f"the stream of events {problem}")
