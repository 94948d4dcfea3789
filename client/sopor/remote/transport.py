"""HTTP/1.1 to one server: one kept connection, bounded answers, retries where they are harmless.

Headers are as few as HTTP allows, since a push is meant to cost what changed. No redirect is
followed here, no proxy is used on this machine, and no ``.netrc`` is read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import field

from sopor.errors import ServerRefused, ServerUnreachable, SoporError
from sopor.records import dataclass
from sopor.remote.address import ServerAddress
from sopor.remote.channels import Channel, ChannelTo, Outgoing
from sopor.remote.direct import Direct
from sopor.remote.exchange import NoAnswer, Timeouts, Traffic
from sopor.remote.problems import MAX_PROBLEM_BYTES, Problem, error_of
from sopor.remote.retries import RETRIED_STATUSES, Retries, retry_after
from sopor.remote.ways import channel_to
from sopor_core.limits import MIB
from sopor_core.wire.problems import MEDIA_TYPE as PROBLEM
from sopor_core.wire.routes import ROUTE, Operation

JSON = "application/json"
MAX_JSON_BYTES = 4 * MIB


@dataclass(frozen=True, slots=True)
class Call:
    """One request, whatever connection it goes over.

    Attributes:
        operation: the endpoint.
        names: what its path names.
        query: the query string without ``?``.
        body: the bytes to send, if any.
        media_type: their media type.
        headers: further headers.
        token: the access token, for endpoints that need one.
        repeatable: whether sending it twice does no harm.
        limit: the most bytes of an answer that are read.
        accept: statuses that are no error beside 2xx.
    """

    operation: Operation
    names: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    body: bytes | None = field(default=None, repr=False)
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    token: str | None = field(default=None, repr=False)
    repeatable: bool = True
    limit: int = MAX_JSON_BYTES
    accept: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered; nothing about it is verified."""

    status: int
    media_type: str
    body: bytes = field(repr=False)
    retry_after: float | None = None
    location: str = field(default="", repr=False)


class Transport:
    """Sends calls to one server."""

    def __init__(
        self,
        address: ServerAddress,
        *,
        timeouts: Timeouts | None = None,
        retries: Retries | None = None,
        sleep: Callable[[float], None] = time.sleep,
        channel: ChannelTo = channel_to,
    ) -> None:
        """Takes where to, and what makes the connection; connects with the first call."""
        self.address = address
        self.traffic = Traffic()
        self._timeouts = timeouts or Timeouts()
        self._retries = retries or Retries()
        self._sleep = sleep
        self._channel_to = channel
        self._channel: Channel | None = None
        self.direct = Direct(address, self.traffic, self._timeouts, self._retries, sleep)

    def call(self, call: Call) -> Reply:
        """Sends a request and returns the answer.

        Raises:
            ServerUnreachable: no answer after all tries.
            VerificationError: layer ``wire``: the answer is larger than the call allows.
            SoporError: what the server refused, as `sopor.remote.problems` maps it.
        """
        delays = self._retries.delays() if call.repeatable else iter(())
        while True:
            try:
                reply = self._send(call)
            except NoAnswer as failure:
                delay = next(delays, None)
                if delay is None or (failure.refused and self.address.loopback):
                    raise self._unreachable(failure) from None
            else:
                if not _failed(reply.status, call):
                    return reply
                delay = self._delay_of(reply, delays)
                if delay is None:
                    raise self.error(reply)
            self._sleep(delay)

    def _delay_of(self, reply: Reply, delays: Iterator[float]) -> float | None:
        wanted = reply.retry_after or 0.0
        if reply.status not in RETRIED_STATUSES or wanted > self._retries.patience:
            return None
        delay = next(delays, None)
        return None if delay is None else max(delay, wanted)

    def _send(self, call: Call) -> Reply:
        route = ROUTE[call.operation]
        path = route.url(**call.names)
        if call.query:
            path = f"{path}?{call.query}"
        self.traffic.requests += 1
        self.traffic.sent += len(call.body or b"")
        if self._channel is None:
            self._channel = self._channel_to(self.address, self._timeouts)
        answer = self._channel.exchange(
            Outgoing(route.method, path, _headers(call), call.body),
            lambda status: MAX_PROBLEM_BYTES if _failed(status, call) else call.limit,
        )
        self.traffic.received += len(answer.body)
        headers = answer.headers
        return Reply(
            answer.status,
            headers.get("content-type", "").partition(";")[0].strip().lower(),
            answer.body,
            retry_after(headers.get("retry-after")),
            headers.get("location", ""),
        )

    def _unreachable(self, failure: NoAnswer) -> ServerUnreachable:
        if failure.refused and self.address.loopback:
            return ServerUnreachable(
                f"no server answers at {self.address}", hint="start it with `sopor serve`"
            )
        return ServerUnreachable(
            f"{self.address} cannot be reached ({failure.reason})", hint=failure.hint
        )

    def error(self, reply: Reply) -> SoporError:
        """Returns the error that an answer means."""
        if 300 <= reply.status < 400:
            return ServerRefused(
                f"{self.address} answered with a redirect, which sopor does not follow",
                hint="use the address that the server really has",
            )
        return error_of(self.problem(reply), str(self.address), reply.retry_after)

    def problem(self, reply: Reply) -> Problem:
        """Returns what an answer says is wrong."""
        body = reply.body if reply.media_type in (PROBLEM, JSON) else b""
        return Problem.parse(reply.status, body)

    def close(self) -> None:
        """Closes the connection; the next call opens another one."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        self.direct.close()

    def __repr__(self) -> str:
        return f"Transport({str(self.address)!r})"


def _failed(status: int, call: Call) -> bool:
    return status >= 300 and status not in call.accept


def _headers(call: Call) -> dict[str, str]:
    headers = dict(call.headers)
    if call.body is not None:
        headers["Content-Type"] = call.media_type
    if call.token is not None:
        headers["Authorization"] = f"Bearer {call.token}"
    return headers
