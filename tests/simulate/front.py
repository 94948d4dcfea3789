"""A server at a real socket of this process, whose data and whose weather can be changed at will.

with front(answering(data)) as server:
    server.sky = Sky(seed, 0.3)
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Request

from sopor_core.wire.problems import MEDIA_TYPE as PROBLEM
from sopor_server.bootstrap import build
from sopor_server.config import Config
from tests.support.serving import serving


@dataclass(frozen=True)
class Asked:
    """A request; ``cut`` of its bytes do not arrive."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    cut: int = 0


@dataclass(frozen=True)
class Answered:
    """An answer; ``cut`` of its bytes do not arrive."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    cut: int = 0


Answering = Callable[[Asked], Answered | None]
"""Answers a request; None cuts the connection."""


def answering(data: Path) -> Answering:
    """Returns what a server on a data folder answers, with SQLite and files."""
    made = build(Config(data=data, login_rate=1_000_000, request_rate=1_000_000, log="off"))
    wsgi = Request.application(made)

    def answer(asked: Asked) -> Answered:
        place = urlsplit(asked.path)
        arrived = asked.body[: len(asked.body) - asked.cut]
        builder = EnvironBuilder(
            place.path,
            query_string=place.query,
            method=asked.method,
            headers=list(asked.headers.items()),
            input_stream=BytesIO(arrived),
            content_length=len(asked.body),
        )
        pieces, status, headers = run_wsgi_app(wsgi, builder.get_environ())
        return Answered(int(status[:3]), tuple(headers.items()), b"".join(pieces))

    return answer


class Weather(Enum):
    """What happens to one request."""

    LOST = "it does not arrive"
    ANSWER_LOST = "it is carried out, and no answer comes"
    DELAYED = "it arrives later, and is waited for"
    DOUBLED = "it arrives twice"
    REQUEST_CUT = "a part of it arrives"
    ANSWER_CUT = "a part of the answer comes"
    LATE = "it arrives after some others, when nobody waits for it any more"
    STALE = "the answer to an earlier one comes"
    BROKEN = "500 comes instead"
    UNAVAILABLE = "503 comes instead"
    TOO_MANY = "429 comes instead"


_OFTEN = (18, 22, 6, 10, 8, 10, 8, 3, 5, 6, 4)
_STATUS = {Weather.BROKEN: 500, Weather.UNAVAILABLE: 503, Weather.TOO_MANY: 429}


class Sky:
    """Draws the weather from a seed and makes it; ``happened`` counts what it did."""

    def __init__(self, seed: int, badness: float) -> None:
        """Takes the part of all requests that something happens to."""
        self.badness = badness
        self.happened: dict[Weather, int] = dict.fromkeys(Weather, 0)
        self.misled = False
        self._random = random.Random(seed)
        self._held: list[tuple[int, Asked]] = []
        self._before: dict[str, list[Answered]] = {}

    def clear_up(self) -> None:
        """Ends the bad weather; what is still held arrives with the next requests."""
        self.badness = 0.0

    def __call__(self, asked: Asked, answer: Answering) -> Answered | None:
        """Passes a request on, or does to it what the weather is."""
        self._release(answer)
        weather = self._draw()
        if weather is None:
            return self._pass(asked, answer)
        self.happened[weather] += 1
        return self._make(weather, asked, answer)

    def _draw(self) -> Weather | None:
        if self._random.random() >= self.badness:
            return None
        return self._random.choices(list(Weather), _OFTEN)[0]

    def _make(  # noqa: PLR0911 (one for each weather)
        self, weather: Weather, asked: Asked, answer: Answering
    ) -> Answered | None:
        match weather:
            case Weather.LOST:
                return None
            case Weather.ANSWER_LOST:
                self._pass(asked, answer)
                return None
            case Weather.DELAYED:
                time.sleep(self._random.random() / 500)
            case Weather.DOUBLED:
                self._pass(asked, answer)
            case Weather.REQUEST_CUT:
                if asked.body:
                    answer(replace(asked, cut=self._random.randint(1, len(asked.body))))
                return None
            case Weather.ANSWER_CUT:
                found = self._pass(asked, answer)
                most = len(found.body) if found else 0
                return replace(found, cut=self._random.randint(1, most)) if found and most else None
            case Weather.LATE:
                self._held.append((self._random.randint(1, 12), asked))
                return None
            case Weather.STALE:
                return self._stale(asked, answer)
            case _:
                return _refusal(_STATUS[weather])
        return self._pass(asked, answer)

    def _pass(self, asked: Asked, answer: Answering) -> Answered | None:
        found = answer(asked)
        if asked.method == "GET" and found is not None:
            self._before.setdefault(asked.path, []).append(found)
        return found

    def _stale(self, asked: Asked, answer: Answering) -> Answered | None:
        """Answers what the same question was answered before: answers come in another order."""
        before = self._before.get(asked.path)
        if asked.method != "GET" or not before:
            return self._pass(asked, answer)
        self.misled = True
        return self._random.choice(before)

    def _release(self, answer: Answering) -> None:
        held, self._held = self._held, []
        for left, asked in held:
            if left == 0:
                answer(asked)
            else:
                self._held.append((left - 1, asked))


def _refusal(status: int) -> Answered:
    headers = (("Content-Type", PROBLEM), ("Retry-After", "0"))
    return Answered(status, headers if status == 429 else headers[:1], b"{}")


class Front:
    """The socket; everything may be exchanged while it is open."""

    def __init__(self, answer: Answering) -> None:
        self.answer = answer
        self.sky = Sky(0, 0.0)
        self.requests = 0
        self.failures: list[BaseException] = []
        self._lock = Lock()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def take(self, asked: Asked) -> Answered | None:
        """Answers one request at a time, so that the same seed gives the same story."""
        with self._lock:
            self.requests += 1
            try:
                return self.sky(asked, self.answer)
            except Exception as failure:
                self.failures.append(failure)
                raise

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = dict(self.headers.items())
                answer = front.take(Asked(self.command, self.path, headers, body))
                if answer is None:
                    self.close_connection = True
                    return
                head = [f"HTTP/1.1 {answer.status} x"]
                length = ("Content-Length", str(len(answer.body)))
                named = [each for each in answer.headers if each[0].lower() != "content-length"]
                head += [f"{name}: {value}" for name, value in (*named, length)]
                self.close_connection = answer.cut > 0
                sent = answer.body[: len(answer.body) - answer.cut]
                self.wfile.write("\r\n".join((*head, "", "")).encode("latin-1") + sent)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                """Says nothing."""

        return Handler


@contextmanager
def front(answer: Answering) -> Iterator[Front]:
    """Serves for the length of a ``with`` block."""
    server = Front(answer)
    with serving(server.http):
        yield server
