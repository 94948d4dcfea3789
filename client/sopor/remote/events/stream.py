"""A stream of events that is open: messages as they come, until it ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sopor.remote.events.messages import (
    MAX_LINE_BYTES,
    MAX_WAIT_SECONDS,
    Beat,
    Message,
    Pace,
    parse_told,
)
from sopor.remote.events.sse import Frame, Retry, SseParser, Told
from sopor.remote.exchange import Traffic
from sopor_core.ids import ProjectId

if TYPE_CHECKING:
    import requests

    from sopor.remote.events.line import Line

_PIECE_BYTES = 64 * 1024


class EventStream:
    """Iterates over the messages of one answer, until the server or `EventSource.close` ends it."""

    def __init__(
        self,
        line: Line,
        response: requests.Response,
        projects: Collection[ProjectId],
        traffic: Traffic,
        end: Callable[[], None],
    ) -> None:
        """Takes an answer whose headers were checked; ``end`` closes its line."""
        self._line = line
        self._response = response
        self._projects = projects
        self._traffic = traffic
        self._end = end
        self._parser = SseParser(MAX_LINE_BYTES)

    def __iter__(self) -> Iterator[Message]:
        """Yields messages.

        Raises:
            ServerUnreachable: the connection broke, or nothing came for 45 seconds.
            VerificationError: layer ``wire``: what comes is out of shape.
        """
        while piece := self._read():
            self._traffic.received += len(piece)
            for frame in self._parser.feed(piece):
                yield self._message(frame)

    def _read(self) -> bytes:
        from sopor.remote.events.line import NETWORK_ERRORS

        try:
            return bytes(self._response.raw.read1(_PIECE_BYTES))
        except NETWORK_ERRORS as error:
            raise self._line.unreachable(error) from None

    def _message(self, frame: Frame) -> Message:
        if isinstance(frame, Told):
            return parse_told(frame, self._projects)
        if isinstance(frame, Retry):
            return Pace(min(frame.milliseconds / 1000, MAX_WAIT_SECONDS))
        return Beat()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()
        self._response.close()
