"""The function `events`: requests of ASGI in, polls and streams out.

A request is answered as by the function `api`, in a thread; only what is sent after the admission
of a stream happens in the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from types import FrameType
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response as Answer

from sopor_server.app import Application
from sopor_server.logs import FIELDS
from sopor_server.streams.hub import Hub
from sopor_server.streams.opening import StreamAnswer
from sopor_server.streams.stream import Stream
from sopor_server.streams.watches import Storage

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

SEND_SECONDS = 60.0
"""Who takes nothing for so long is cut off."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EventsFunction:
    """Answers requests in one event loop."""

    application: Application
    storage: Storage
    hub: Hub

    async def __call__(self, scope: Scope) -> Response:
        """Answers one request."""
        answer = await self.storage.ask(lambda: self.application(request_of(scope)))
        if isinstance(answer, StreamAnswer):
            return StreamResponse(self.hub, answer)
        return response_of(answer)

    def end_with_process(self) -> None:
        """Lets SIGTERM and SIGINT end the streams before whoever serves waits for them."""
        loop = asyncio.get_running_loop()

        def close() -> None:
            self.hub.close()
            loop.run_in_executor(None, self.hub.shut)

        for number in (signal.SIGTERM, signal.SIGINT):
            _before(number, lambda: loop.call_soon_threadsafe(close))


class StreamResponse(Response):
    """Sends a stream until it ends or its client goes away."""

    def __init__(self, hub: Hub, answer: StreamAnswer) -> None:
        super().__init__(headers=_headers(answer))
        del self.headers["content-length"]
        self._hub = hub
        self._admitted = answer.admitted
        self._request_id = answer.headers.get("X-Request-Id", "")

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it."""
        begun, reason = time.monotonic(), "gone"
        stream = Stream(self._hub, self._admitted, _body(send))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            reason = await self._run(stream, receive)
            if reason not in _BROKEN:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._admitted.seat.leave()
            self._note(reason, time.monotonic() - begun, stream.events)

    async def _run(self, stream: Stream, receive: Receive) -> str:
        telling = asyncio.create_task(stream.run())
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait((telling, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not telling.done():
                return "gone"
            return str(telling.result())
        except TimeoutError:
            return "slow"
        except OSError:
            return "gone"
        finally:
            for task in (telling, leaving):
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task

    def _note(self, reason: str, seconds: float, events: int) -> None:
        fields = {
            "request_id": self._request_id,
            "account": self._admitted.caller.account.hex(),
            "seconds": round(seconds, 1),
            "events": events,
            "reason": reason,
        }
        _log.info("stream", extra={FIELDS: fields})


_BROKEN = {"gone", "slow"}


def request_of(scope: Scope) -> Request:
    """Returns a request of ASGI as one of WSGI; bodies are never read here."""
    client, server = scope.get("client") or ("", 0), scope.get("server") or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogatepass").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": BytesIO(),
    }
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        key = name if name in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{name}"
        value = raw_value.decode("latin-1")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return Request(environ)


def response_of(answer: Answer) -> Response:
    """Returns an answer of WSGI as one of ASGI."""
    return Response(answer.get_data(), answer.status_code, _headers(answer))


def _headers(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "Content-Length"}


def _body(send: Send) -> Callable[[bytes], Any]:
    async def write(chunk: bytes) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})

    return write


async def _left(receive: Receive) -> None:
    """Returns when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        continue


def _before(number: signal.Signals, act: Callable[[], object]) -> None:
    """Acts at a signal before whoever handles it now does; only where somebody does."""
    handler = signal.getsignal(number)
    if not callable(handler):
        return

    def handle(received: int, frame: FrameType | None) -> None:
        with suppress(RuntimeError):
            act()
        handler(received, frame)

    signal.signal(number, handle)
