"""A server inside of the test's own process, so that a test sees what it asks of its storages.

with server_inside(tmp_path / "data") as server:
    before = server.operations
    ...  # a client of server.url
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request

from sopor_server.app import Application
from sopor_server.bootstrap import build
from sopor_server.config import Config
from sopor_server.service.context import Context
from tests.support.counting import CountingBlobs, CountingStore
from tests.support.serving import serving


@dataclass(frozen=True)
class Operations:
    """What was asked of the storages, in documents and blobs."""

    reads: int
    writes: int
    blob_reads: int
    blob_writes: int

    def __sub__(self, other: Operations) -> Operations:
        return Operations(
            self.reads - other.reads,
            self.writes - other.writes,
            self.blob_reads - other.blob_reads,
            self.blob_writes - other.blob_writes,
        )


@dataclass
class ServerInside:
    """The address of a server, and its counted storages."""

    url: str
    store: CountingStore
    blobs: CountingBlobs

    @property
    def operations(self) -> Operations:
        """What was asked of the storages so far."""
        store, blobs = self.store, self.blobs
        return Operations(store.reads, store.writes, blobs.reads, blobs.writes)


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing."""


@dataclass
class Served:
    """The address of a server."""

    url: str


@contextmanager
def served(context: Context) -> Iterator[Served]:
    """Serves a context for the length of a ``with`` block."""
    wsgi = Request.application(Application(context))
    http = make_server("127.0.0.1", 0, wsgi, threaded=True, request_handler=_Quiet)
    try:
        with serving(http):
            yield Served(f"http://127.0.0.1:{http.server_port}")
    finally:
        context.store.close()


@contextmanager
def server_inside(data: Path) -> Iterator[ServerInside]:
    """Runs a server on a data folder for the length of a ``with`` block."""
    context = build(Config(data=data, login_rate=100_000, log="off")).context
    store, blobs = CountingStore(context.store), CountingBlobs(context.blobs)
    with served(replace(context, store=store.port, blobs=blobs.port)) as server:
        yield ServerInside(server.url, store, blobs)
