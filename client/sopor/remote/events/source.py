"""Asks a server for events in the name of an account: its offer, polls and streams."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from sopor.errors import ServerRefused, SessionExpired, SoporError
from sopor.remote.events.failures import NoStream
from sopor.remote.events.messages import MAX_POLL_BYTES, PollAnswer, parse_poll
from sopor.remote.events.offer import Offer
from sopor.remote.events.stream import EventStream
from sopor.remote.exchange import Timeouts, read_bounded
from sopor.remote.problems import MAX_PROBLEM_BYTES
from sopor.remote.retries import retry_after
from sopor.remote.transport import JSON, Call, Reply
from sopor_core.wire.events import SILENCE_SECONDS, STREAM_TYPE, Cursor
from sopor_core.wire.problems import Code
from sopor_core.wire.routes import Operation

if TYPE_CHECKING:
    import requests

    from sopor.remote.address import ServerAddress
    from sopor.remote.events.line import Line
    from sopor.remote.remote import Remote

T = TypeVar("T")
PATH = "/v1/events"
PATIENCE = Timeouts(connect=10.0, read=SILENCE_SECONDS)
_MAX_ETAG = 200


class EventSource:
    """The events of the projects that a cursor names, for one account.

    `close` may be called by another thread than the one that asks, and ends what it waits for;
    whatever is asked later fails at once.
    """

    def __init__(
        self, remote: Remote, timeouts: Timeouts = PATIENCE, *, presence: bool = False
    ) -> None:
        """Takes the account's view of its server; streams say who is present if they are to."""
        self._remote = remote
        self._more = "&presence=1" if presence else ""
        self._timeouts = timeouts
        self._lock = Lock()
        self._lines: list[Line] = []
        self._closed = False
        self._streams: ServerAddress | None = None
        self._poll_line: Line | None = None

    @property
    def _server(self) -> ServerAddress:
        return self._remote.transport.address

    def offer(self) -> Offer:
        """Asks how the server tells events, and remembers where.

        Raises:
            ServerRefused: it tells none.
            VerificationError: layer ``wire``: it names a place where no token may go.
        """
        reply = self._remote.transport.call(Call(Operation.META, repeatable=False))
        offer = Offer.parse(reply.body, self._server)
        if not offer.polls:
            raise ServerRefused(
                f"{self._server} tells no events",
                hint="ask who runs the server to upgrade it; `sopor pull` works as before",
            )
        self._streams = offer.streams
        return offer

    def stream(self, after: Cursor, *, renew: bool = False) -> EventStream:
        """Opens a stream of what comes after a cursor; it holds a connection until it is closed.

        Args:
            after: what is known of each project.
            renew: whether to get a new access token before.

        Raises:
            NoStream: the answer is none of a sopor server.
            SoporError: as the methods of `sopor.remote.Remote` do.
        """
        if renew:
            self._remote.session.renew()
        return self._with_token(lambda token: self._stream(after, token))

    def _stream(self, after: Cursor, token: str) -> EventStream:
        line = self._line(self._streams or self._server)
        try:
            accept = {"Accept": STREAM_TYPE}
            response = self._get(line, after, token, accept, self._more)
            if response.status_code >= 400:
                raise self._refusal(line, response)
            if response.status_code != 200 or not _is_stream(response):
                raise NoStream(
                    f"{line.address} answers, but not with a stream of events",
                    hint="a proxy may be in between; events are polled meanwhile",
                )
        except BaseException:
            self._end(line)
            raise
        traffic = self._remote.transport.traffic
        return EventStream(line, response, after.places, traffic, lambda: self._end(line))

    def poll(self, after: Cursor, etag: str = "") -> PollAnswer | None:
        """Asks once for what comes after a cursor.

        Args:
            after: what is known of each project.
            etag: the tag of the last answer after the same cursor, if there is one.

        Returns:
            The answer, or None: nothing is new.

        Raises:
            SoporError: as the methods of `sopor.remote.Remote` do.
        """
        return self._with_token(lambda token: self._poll(after, etag, token))

    def _poll(self, after: Cursor, etag: str, token: str) -> PollAnswer | None:
        line = self._poll_line = self._poll_line or self._line(self._server)
        headers = {"Accept": JSON} | ({"If-None-Match": etag} if etag else {})
        response = self._get(line, after, token, headers)
        if response.status_code == 304:
            self._read(line, response, 0)
            return None
        if response.status_code != 200:
            raise self._refusal(line, response)
        if _media_type(response) != JSON:
            response.close()
            raise ServerRefused(
                f"{line.address} answers, but not as a sopor server does",
                hint="check the address; a proxy or a login page may be in between",
            )
        body = self._read(line, response, MAX_POLL_BYTES)
        return parse_poll(body, after.places, response.headers.get("ETag", "")[:_MAX_ETAG])

    def _with_token(self, ask: Callable[[str], T]) -> T:
        """Asks with the device's token, and once more with a new one if it has ended."""
        session = self._remote.session
        try:
            return ask(session.token())
        except SessionExpired as error:
            if error.problem in {Code.DEVICE_REVOKED, Code.SIGN_ON_REQUIRED}:
                raise
            return ask(session.renew())

    def _get(
        self, line: Line, after: Cursor, token: str, headers: dict[str, str], more: str = ""
    ) -> requests.Response:
        projects = ",".join(project.b64 for project in sorted(after.places))
        self._remote.transport.traffic.requests += 1
        authorization = {"Authorization": f"Bearer {token}"}
        return line.get(f"{PATH}?projects={projects}&after={after}{more}", headers | authorization)

    def _read(self, line: Line, response: requests.Response, limit: int) -> bytes:
        from sopor.remote.events.line import NETWORK_ERRORS

        try:
            with response:
                body = read_bounded(response, limit)
        except NETWORK_ERRORS as error:
            raise line.unreachable(error) from None
        self._remote.transport.traffic.received += len(body)
        return body

    def _refusal(self, line: Line, response: requests.Response) -> SoporError:
        """Returns the error that an answer means."""
        wait = retry_after(response.headers.get("Retry-After"))
        body = self._read(line, response, MAX_PROBLEM_BYTES)
        reply = Reply(response.status_code, _media_type(response), body, wait)
        return self._remote.transport.error(reply)

    def _line(self, address: ServerAddress) -> Line:
        from sopor.remote.events.line import Line

        line = Line(address, self._timeouts)
        with self._lock:
            self._lines.append(line)
            closed = self._closed
        if closed:
            line.close()
        return line

    def _end(self, line: Line) -> None:
        line.close()
        with self._lock:
            self._lines.remove(line)

    def close(self) -> None:
        """Ends every connection for good; for any thread."""
        with self._lock:
            self._closed = True
            lines = list(self._lines)
        for line in lines:
            line.close()


def _media_type(response: requests.Response) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _is_stream(response: requests.Response) -> bool:
    packed = response.headers.get("Content-Encoding", "identity") != "identity"
    return _media_type(response) == STREAM_TYPE and not packed
