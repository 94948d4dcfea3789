"""Stands between the adapter and the emulator of Cloud Storage, as Google's own front would.

    with StorageFront(storage_emulator) as front:
        blobs = GcsBlobStore.open(bucket, front.address)
        front.plan("POST", Fault.AFTER)
        ...
    assert front.billed == Billed(class_a=1)

It counts what is billed, makes bad weather, and adds what fake-gcs-server leaves out, as
Google documents it: the precondition of a compose; and for signed URLs their age, the headers that
must come with them, the precondition, the range of lengths and the hash of the body. No signature
is checked here: `tests/cloud/test_signing.py` does so.
"""

from __future__ import annotations

import hashlib
import http.client
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import NamedTuple, Self, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.weather import Billed, Fault

T = TypeVar("T")
_NOT_PASSED_ON = frozenset({"connection", "host", "content-length", "transfer-encoding", "date"})
_BILLED_A = Billed(class_a=1)
_BILLED_B = Billed(class_b=1)


class Asked(NamedTuple):
    """A request; names of headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return {k: v[0] for k, v in parse_qs(urlsplit(self.target).query).items()}


class Answered(NamedTuple):
    """An answer."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


class StorageFront:
    """Counts, fails when it is told to, and refuses what the emulator should."""

    def __init__(self, emulator: str) -> None:
        self._emulator = emulator
        self._lock = Lock()
        self._creating = Lock()
        self._plans: list[tuple[str, Fault]] = []
        self._changes: list[tuple[str, Callable[[Answered], Answered]]] = []
        self._on_the_way: list[tuple[str, Callable[[Asked], Asked]]] = []
        self.billed = Billed()
        self.asked: list[Asked] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self.address = f"127.0.0.1:{self._http.server_port}"
        self._thread = Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Ends the server."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def plan(self, part: str, *faults: Fault) -> None:
        """Lets the next requests fail whose method and target contain ``part``, one each."""
        self._plans += [(part, fault) for fault in faults]

    def change(self, part: str, change: Callable[[Answered], Answered]) -> None:
        """Changes the answer to the next request whose method and target contain ``part``."""
        self._changes.append((part, change))

    def on_the_way(self, part: str, change: Callable[[Asked], Asked]) -> None:
        """Changes the next request whose method and target contain ``part``."""
        self._on_the_way.append((part, change))

    def forget_plans(self) -> None:
        """Lets nothing more fail."""
        self._plans.clear()

    @property
    def is_done(self) -> bool:
        """Tells whether every planned fault has happened."""
        return not self._plans

    def answer(self, asked: Asked) -> Answered | None:
        """Returns the answer to a request, or None for none at all."""
        fault = self._note(asked)
        if fault in (Fault.BEFORE, Fault.ABORTED):
            return Answered(503)
        with self._lock:
            altered = _take(self._on_the_way, asked)
            change = _take(self._changes, asked)
        answered = self._careful(altered(asked) if altered else asked)
        answered = change(answered) if change else answered
        if fault is Fault.AFTER:
            return Answered(503)
        return None if fault is Fault.LOST else answered

    def _note(self, asked: Asked) -> Fault | None:
        with self._lock:
            self.asked.append(asked)
            self.billed += _bill(asked)
            return _take(self._plans, asked)

    def _careful(self, asked: Asked) -> Answered:
        if asked.path.endswith("/compose") and asked.query.get("ifGenerationMatch") == "0":
            name = asked.path.removesuffix("/compose")
            with self._creating:
                return Answered(412) if self._is_there(name) else self._pass_on(asked)
        if "X-Goog-Signature" not in asked.query:
            return self._pass_on(asked)
        if (refused := _refused(asked)) is not None:
            return Answered(refused)
        if asked.method == "GET":
            return self._pass_on(asked)
        bucket, _, key = unquote(asked.path).lstrip("/").partition("/")
        with self._creating:
            name = f"/storage/v1/b/{bucket}/o/{key.replace('/', '%2F')}"
            return Answered(412) if self._is_there(name) else self._pass_on(asked)

    def _is_there(self, name: str) -> bool:
        return self._pass_on(Asked("GET", name, {}, b"")).status == 200

    def _pass_on(self, asked: Asked) -> Answered:
        connection = http.client.HTTPConnection(self._emulator, timeout=60)
        try:
            headers = {k: v for k, v in asked.headers.items() if k not in _NOT_PASSED_ON}
            connection.request(asked.method, asked.target, asked.body or None, headers)
            found = connection.getresponse()
            return Answered(found.status, dict(found.getheaders()), found.read())
        finally:
            connection.close()


def _take(plans: list[tuple[str, T]], asked: Asked) -> T | None:
    """Takes the first plan out whose part is in the request."""
    for number, (part, plan) in enumerate(plans):
        if part in f"{asked.method} {asked.target}":
            del plans[number]
            return plan
    return None


def _refused(asked: Asked) -> int | None:
    """Returns the status with which a signed request is refused for what it is."""
    query = asked.query
    signed = set(query["X-Goog-SignedHeaders"].split(";"))
    sent = {name for name in asked.headers if name.startswith("x-goog-")}
    begun = datetime.strptime(query["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    late = datetime.now(UTC) > begun + timedelta(seconds=int(query["X-Goog-Expires"]))
    if late or not signed <= {*asked.headers} or not sent <= signed:
        return 403
    low, _, high = asked.headers.get("x-goog-content-length-range", f"0,{2**40}").partition(",")
    claimed = asked.headers.get("x-goog-content-sha256")
    if claimed is not None and claimed != hashlib.sha256(asked.body).hexdigest():
        return 400
    return None if int(low) <= len(asked.body) <= int(high) else 400


def _bill(asked: Asked) -> Billed:
    """Puts, lists and compositions are of class A, the rest of B; deletions are free."""
    if asked.method == "DELETE":
        return Billed()
    is_list = asked.method == "GET" and asked.path.endswith("/o")
    return _BILLED_A if asked.method in ("POST", "PUT") or is_list else _BILLED_B


def _handler(front: StorageFront) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answered = front.answer(
                Asked(self.command, self.path, headers, self.rfile.read(length))
            )
            if answered is None:
                self.close_connection = True
                return
            self.send_response_only(answered.status)
            for name, value in answered.headers.items():
                if name.lower() not in _NOT_PASSED_ON:
                    self.send_header(name, value)
            if answered.status != 204:
                self.send_header("Content-Length", str(len(answered.body)))
            self.end_headers()
            self.wfile.write(answered.body)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Says nothing."""

    return Handler
